package nodes

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"

	"github.com/deskside/deskside/console/model"
)

// Headers of a forwarded request. They count only with the right proof.
const (
	headerTime  = "Deskside-Forwarded-At"
	headerProof = "Deskside-Forwarded-Proof"
	headerFrom  = "Deskside-Forwarded-Host"
	forwardLife = 30 * time.Second
)

func (n *Nodes) proof(r *http.Request, at string) string {
	h := hmac.New(sha256.New, n.options.Secret)
	for _, part := range []string{"deskside/1/forward", r.Method, r.URL.RequestURI(), at, r.Header.Get(headerFrom),
		r.Header.Get("Cookie"), r.Header.Get("Authorization"), r.Header.Get("Origin")} {
		h.Write([]byte(strconv.Itoa(len(part))))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Forward hands a request to the node it belongs to, as it came: that node
// checks who asks by itself. The proof says only that it came through a node of
// this console, so that the host the browser named can be believed.
func (n *Nodes) Forward(w http.ResponseWriter, r *http.Request, node model.ID) {
	address, err := n.addressOf(r.Context(), node)
	if err != nil || n.Forwarded(r) {
		http.Error(w, "The node that holds this session is gone.", http.StatusBadGateway)
		return
	}
	target, err := url.Parse(address)
	if err != nil {
		http.Error(w, "The node that holds this session cannot be reached.", http.StatusBadGateway)
		return
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Header.Set(headerFrom, scheme+r.Host)
			p.Out.Header.Set(headerTime, at)
			p.Out.Header.Set(headerProof, n.proof(p.Out, at))
		},
		// Nodes know each other by the secret, not by their certificates.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}},
	}
	proxy.ServeHTTP(w, r)
}

// Forwarded tells whether a request came through another node of this console.
func (n *Nodes) Forwarded(r *http.Request) bool {
	at := r.Header.Get(headerTime)
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > forwardLife {
		return false
	}
	return hmac.Equal([]byte(n.proof(r, at)), []byte(r.Header.Get(headerProof)))
}

// Origin is the address of the console as the browser named it, at the node
// where it first arrived.
func (n *Nodes) Origin(r *http.Request) string {
	if n.Forwarded(r) {
		return r.Header.Get(headerFrom)
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
