// Package web is the web application of the console: the React program in src,
// built by Vite into dist and embedded here.
//
// Handler serves it. A file of dist is sent as it is, compressed where the build
// left a .gz beside it; what carries a hash of its content in its name may be
// kept for ever, everything else is asked for again. Any other path without an
// extension is a page of the application and answers with index.html, because
// the browser, not the server, knows the pages.
//
// Nothing is loaded from elsewhere and no script stands in a page: the content
// security policy allows scripts, connections and images of the own origin only.
// Styles may stand in the page; the component library sets its variables there.
//
// A clean clone holds only a placeholder in dist, so that it compiles. Then every
// page says how to build the application.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// policy is the content security policy of every answer.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// types names the kinds of files that a build holds. The table of the operating
// system is not asked: it differs, and some send scripts as text.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// Handler serves the embedded application. It answers every path, so it is
// mounted last; paths below /api/ are not pages and are not found.
func Handler() (http.Handler, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the embedded web application: %w", err)
	}
	return newHandler(built)
}

// A file is one file of the build, with what its answer needs.
type file struct {
	body, gzip []byte
	kind, etag string
	forever    bool
}

type handler struct {
	files map[string]file
}

// newHandler reads the whole build; it is a few hundred kilobytes.
func newHandler(built fs.FS) (*handler, error) {
	files := map[string]file{}
	err := fs.WalkDir(built, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".gz") {
			return err
		}
		body, err := fs.ReadFile(built, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		one := file{
			body:    body,
			kind:    types[path.Ext(name)],
			etag:    `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
			forever: strings.HasPrefix(name, "assets/"),
		}
		if one.kind == "" {
			one.kind = "application/octet-stream"
		}
		if packed, err := fs.ReadFile(built, name+".gz"); err == nil {
			one.gzip = packed
		}
		files[name] = one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded web application: %w", err)
	}
	return &handler{files: files}, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed: pages are read with GET", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	found, ok := h.files[name]
	if !ok {
		if !isPage(name) {
			http.NotFound(w, r)
			return
		}
		if found, ok = h.files["index.html"]; !ok {
			notBuilt(w)
			return
		}
	}
	send(w, r, found)
}

// isPage tells a page of the application from a file that is not there.
func isPage(name string) bool {
	return path.Ext(name) == "" && name != "api" && !strings.HasPrefix(name, "api/") && !strings.HasPrefix(name, "assets/")
}

func send(w http.ResponseWriter, r *http.Request, found file) {
	header := w.Header()
	header.Set("Content-Type", found.kind)
	header.Set("ETag", found.etag)
	if found.forever {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	body := found.body
	if found.gzip != nil {
		header.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			header.Set("Content-Encoding", "gzip")
			body = found.gzip
		}
	}
	if r.Header.Get("If-None-Match") == found.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // a browser that went away needs no answer
	}
}

// acceptsGzip reads Accept-Encoding; "gzip;q=0" is a refusal.
func acceptsGzip(r *http.Request) bool {
	for _, one := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, given := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !given || (err == nil && value > 0)
	}
	return false
}

const notBuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Deskside</title>
<style>body{font:16px/24px system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em;color-scheme:light dark}</style>
<h1>The web application is not built</h1>
<p>This console works, but it was compiled without its pages. Run <code>make build</code> in the source and start it again.</p>
<p lang="pl">Ta konsola działa, ale skompilowano ją bez stron. Uruchom <code>make build</code> w&nbsp;katalogu źródeł i&nbsp;uruchom konsolę ponownie.</p>
</html>
`

func notBuilt(w http.ResponseWriter) {
	w.Header().Set("Content-Type", types[".html"])
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(notBuiltPage))
}
