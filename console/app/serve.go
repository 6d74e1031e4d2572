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
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/deskside/deskside/console/api"
	"github.com/deskside/deskside/console/link"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/web"
)

// listen takes the ports before anything else is opened.
func (c *Console) listen() error {
	var err error
	if c.secure, err = listenOn(c.options.Listen); err != nil {
		return err
	}
	c.doorway = newDoorway(c.secure)
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
		ErrorLog: quiet, MaxHeaderBytes: 32 << 10}, tls.NewListener(c.doorway, config)}}
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

// public is the address machines are told: the one that was set, else that of the
// TLS listener, and where it listens on every address, this host by its name.
func (c *Console) public() string {
	if c.options.Public != "" {
		return c.options.Public
	}
	host, port, err := net.SplitHostPort(c.secure.Addr().String())
	if err != nil {
		return ""
	}
	switch ip := net.ParseIP(host); {
	case ip == nil || ip.IsLoopback():
		host = "localhost"
	case ip.IsUnspecified():
		if host, err = os.Hostname(); err != nil || host == "" {
			host = "localhost"
		}
	}
	return "https://" + net.JoinHostPort(host, port)
}

// plainURL is where this machine's browsers find the console without a warning;
// empty when there is no plain listener.
func (c *Console) plainURL() string {
	if c.plain == nil {
		return ""
	}
	_, port, _ := net.SplitHostPort(c.plain.Addr().String())
	return "http://localhost:" + port
}

// helpURL is where a browser at the machine of whoever asks for help finds the
// console. The plain address is for this very computer: for a line that comes from
// it and dialled it by a loopback name, since one that only came through a relay
// here did not. Every other machine is told the public address that was set, else
// what it dialled itself, which is right behind relays and for any name.
func (c *Console) helpURL(a model.Asker) string {
	from, _, err := net.SplitHostPort(a.Address)
	dialled, _, hostErr := net.SplitHostPort(a.Host)
	if hostErr != nil { // without a port
		dialled = a.Host
	}
	if plain := c.plainURL(); plain != "" && err == nil && loopback(from) && loopback(dialled) {
		return plain
	}
	if c.options.Public == "" && a.Host != "" {
		return "https://" + a.Host
	}
	return c.public()
}

// discard logs what net/http complains about: handshakes of strangers.
type discard struct{ log *slog.Logger }

func (d discard) Write(p []byte) (int, error) {
	d.log.LogAttrs(context.Background(), slog.LevelDebug, strings.TrimSpace(string(p)))
	return len(p), nil
}
