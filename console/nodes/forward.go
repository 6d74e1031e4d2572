package nodes

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// An Origin is where a forwarded request really came from.
type Origin struct {
	Node    uuid.UUID // that forwarded it
	Address string    // of the client, host:port
	TLS     bool      // whether the client speaks TLS with that node
	Channel []byte    // RFC 9266 exporter of that TLS connection; nil without TLS 1.3
}

// forwardedHeader carries a claim and its MAC from one node to another.
const forwardedHeader = "Deskside-Forwarded"

// A claim is an Origin, bound to one request to one node at one time.
type claim struct {
	Origin
	To      uuid.UUID
	At      int64 // microseconds
	Nonce   []byte
	Request []byte // digest, see digest
}

const (
	freshClaim  = 30 * time.Second // also how far the clocks of nodes may be apart
	mostClaims  = 100_000
	longestName = 4 << 10 // bytes of the header
)

// A forwarder passes requests to other nodes and accepts theirs.
type forwarder struct {
	self      uuid.UUID
	key       []byte
	transport http.RoundTripper
	log       *slog.Logger
	seen      *nonces
}

func newForwarder(self uuid.UUID, key []byte, transport http.RoundTripper, log *slog.Logger) forwarder {
	if transport == nil {
		transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			MaxIdleConnsPerHost:   8,
			IdleConnTimeout:       time.Minute,
		}
	}
	return forwarder{self: self, key: key, transport: transport, log: log, seen: &nonces{at: map[string]time.Time{}}}
}

// Forward passes a request to the node to, whose address is a URL such as
// https://10.0.0.2:8443, and its answer back, until both ends are done with
// it. A request that was forwarded already is refused with 508, and with 503
// when the other node cannot be reached.
func (n *Nodes) Forward(w http.ResponseWriter, r *http.Request, to uuid.UUID, address string) {
	f := &n.forward
	if _, again := FromContext(r.Context()); again {
		// Two nodes disagree about who has it. They will not for long.
		http.Error(w, "this request was forwarded once already", http.StatusLoopDetected)
		return
	}
	target, err := url.Parse(address)
	if err != nil || target.Host == "" {
		f.log.Error("another node has no address that works", "node", to, "address", address)
		unreachable(w)
		return
	}
	origin := Origin{Node: f.self, Address: r.RemoteAddr, TLS: r.TLS != nil}
	if r.TLS != nil {
		if key, err := r.TLS.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
			origin.Channel = key
		}
	}
	proxy := &httputil.ReverseProxy{
		Transport:     f.transport,
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			// Out.Host stays the client's: the Origin of a page is compared with it.
			p.Out.URL.Scheme, p.Out.URL.Host = target.Scheme, target.Host
			p.Out.Header.Set(forwardedHeader, f.sign(p.Out, origin, to, time.Now()))
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if !errors.Is(err, context.Canceled) {
				f.log.Warn("a request could not be forwarded", "node", to, "address", address, "error", err)
			}
			unreachable(w)
		},
	}
	proxy.ServeHTTP(w, r)
}

func unreachable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	http.Error(w, "the node that has this cannot be reached", http.StatusServiceUnavailable)
}

// Accept stands before all other handlers of a node's listeners. A request
// that another node has forwarded goes on with its Origin in the context and
// the client's address as RemoteAddr; one that only says so is refused with
// 403.
func (n *Nodes) Accept(next http.Handler) http.Handler {
	f := &n.forward
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, said := r.Header[forwardedHeader]
		if !said {
			next.ServeHTTP(w, r)
			return
		}
		origin, err := f.verify(r, text, time.Now())
		if err != nil {
			n.sometimes.Do(func() {
				f.log.Warn("a request that claims to be forwarded was refused", "address", r.RemoteAddr, "error", err)
			})
			http.Error(w, "not forwarded by a node", http.StatusForbidden)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), originKey{}, origin))
		r.Header.Del(forwardedHeader)
		r.RemoteAddr = origin.Address
		next.ServeHTTP(w, r)
	})
}

type originKey struct{}

// FromContext returns where a forwarded request came from; ok is false for one
// that was not forwarded.
func FromContext(ctx context.Context) (o Origin, ok bool) {
	o, ok = ctx.Value(originKey{}).(Origin)
	return o, ok
}

// sign makes the header of a request.
func (f *forwarder) sign(r *http.Request, o Origin, to uuid.UUID, now time.Time) string {
	c := claim{Origin: o, To: to, At: now.UnixMicro(), Nonce: make([]byte, 16), Request: digest(r, r.URL.RequestURI())}
	rand.Read(c.Nonce)
	text, err := json.Marshal(c)
	if err != nil {
		return "" // cannot happen; the other node refuses it
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString(text) + "." + b64.EncodeToString(f.mac(text))
}

// verify reads the header of a request.
func (f *forwarder) verify(r *http.Request, header []string, now time.Time) (Origin, error) {
	if len(header) != 1 || len(header[0]) > longestName {
		return Origin{}, errors.New("more than one header, or one that is too long")
	}
	head, tail, _ := strings.Cut(header[0], ".")
	text, err1 := base64.RawURLEncoding.DecodeString(head)
	mac, err2 := base64.RawURLEncoding.DecodeString(tail)
	if err := errors.Join(err1, err2); err != nil {
		return Origin{}, err
	}
	if !hmac.Equal(mac, f.mac(text)) {
		return Origin{}, errors.New("the MAC is wrong")
	}
	var c claim
	if err := json.Unmarshal(text, &c); err != nil {
		return Origin{}, err
	}
	age := now.Sub(time.UnixMicro(c.At))
	switch {
	case c.To != f.self:
		return Origin{}, errors.New("it was meant for another node")
	case age > freshClaim || age < -freshClaim:
		return Origin{}, errors.New("it is too old, or the clocks of the nodes are apart")
	case !hmac.Equal(c.Request, digest(r, r.RequestURI)):
		return Origin{}, errors.New("it was made for another request")
	case !f.seen.first(string(c.Nonce), now):
		return Origin{}, errors.New("it was used before")
	}
	return c.Origin, nil
}

func (f *forwarder) mac(text []byte) []byte {
	m := hmac.New(sha256.New, f.key)
	m.Write(text)
	return m.Sum(nil)
}

// digest covers what decides what a request does and who asks for it.
func digest(r *http.Request, uri string) []byte {
	h := sha256.New()
	add := func(s string) {
		sum := sha256.Sum256([]byte(s))
		h.Write(sum[:])
	}
	add(r.Method)
	add(r.Host)
	add(uri)
	for _, name := range []string{"Cookie", "Authorization", "Origin", "Sec-Websocket-Key"} {
		add(strings.Join(r.Header[name], "\x00"))
	}
	return h.Sum(nil)
}

// nonces remembers what was used while it is fresh.
type nonces struct {
	mu    sync.Mutex
	at    map[string]time.Time
	swept time.Time
}

// first reports whether a nonce is new. Only nodes get here, so a full table
// means that something is very wrong: nothing is accepted then.
func (s *nonces) first(nonce string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.swept) > freshClaim || len(s.at) >= mostClaims {
		for k, at := range s.at {
			if now.Sub(at) > 2*freshClaim { // a clock ahead by freshClaim keeps a claim fresh twice as long
				delete(s.at, k)
			}
		}
		s.swept = now
	}
	if _, used := s.at[nonce]; used || len(s.at) >= mostClaims {
		return false
	}
	s.at[nonce] = now
	return true
}
