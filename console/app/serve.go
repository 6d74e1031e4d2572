package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/deskside/deskside/console/api"
	"github.com/deskside/deskside/console/link"
	"github.com/deskside/deskside/console/web"
)

// listen takes the ports before anything else is opened.
func (c *Console) listen() error {
	var err error
	if c.secure, err = listenOn(c.options.Listen); err != nil {
		return err
	}
	c.last("TLS listener", closed(c.secure))
	if c.options.HTTP == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.options.HTTP)
	if err != nil || !loopback(host) {
		return fmt.Errorf("%w: --http is an address of this machine alone, such as 127.0.0.1:8080, not %q", ErrConfiguration, c.options.HTTP)
	}
	if c.plain, err = listenOn(c.options.HTTP); err != nil {
		return err
	}
	c.last("plain listener", closed(c.plain))
	return nil
}

// ErrConfiguration means that what somebody set cannot be used.
var ErrConfiguration = errors.New("configuration")

func listenOn(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: %w", address, ErrPortTaken)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: listen on %s: %w", ErrConfiguration, address, err)
	}
	return l, nil
}

func closed(l net.Listener) func() error {
	return func() error { return ignore(l.Close(), net.ErrClosed) }
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// server is one listener with its handler.
type server struct {
	*http.Server
	listener net.Listener
}

func (s server) Serve() error { return s.Server.Serve(s.listener) }

func (c *Console) servers() ([]server, error) {
	pages, err := web.Handler()
	if err != nil {
		return nil, err
	}
	quiet := log.New(discard{c.options.Log}, "", 0)
	mux := http.NewServeMux()
	mux.Handle(link.Path, c.lines)
	mux.Handle("/", c.route(pages))
	config := &tls.Config{Certificates: []tls.Certificate{c.keys.tls}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	all := []server{{&http.Server{Handler: c.nodes.Accept(mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: quiet, MaxHeaderBytes: 32 << 10}, tls.NewListener(c.secure, config)}}
	if c.plain != nil {
		all = append(all, server{&http.Server{Handler: onlyLoopback(c.route(pages)), ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout: 2 * time.Minute, ErrorLog: quiet, MaxHeaderBytes: 32 << 10}, c.plain})
	}
	return all, nil
}

// route serves the API, and pages for everything else.
func (c *Console) route(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, api.Prefix+"/"), r.URL.Path == "/healthz", r.URL.Path == "/readyz":
			c.api.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// onlyLoopback keeps the plain listener to this machine's own browsers: a page
// elsewhere that gives our address another name is refused, and so is a proxy.
func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(r.Host); err == nil {
			host = h
		}
		if !loopback(host) || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
			http.Error(w, "This listener is for this machine alone, as http://localhost.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// public is the address machines are told.
func (c *Console) public() string {
	if c.options.Public != "" {
		return c.options.Public
	}
	host, port, err := net.SplitHostPort(c.secure.Addr().String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	return "https://" + net.JoinHostPort(host, port)
}

// browserURL is where this machine's browsers find the console without a
// warning, or else the public address.
func (c *Console) browserURL() string {
	if r := c.Ready(); r.HTTP != "" {
		return r.HTTP
	}
	return c.public()
}

// discard logs what net/http complains about: handshakes of strangers.
type discard struct{ log *slog.Logger }

func (d discard) Write(p []byte) (int, error) {
	d.log.LogAttrs(context.Background(), slog.LevelDebug, strings.TrimSpace(string(p)))
	return len(p), nil
}
