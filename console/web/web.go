// Package web embeds the built web application and serves it: assets with names
// that hold their hash for ever, everything else as the one page, whose routes
// the application knows. Nothing is loaded from elsewhere, no script stands in a
// page, nobody may frame it.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// asset is one file, as it is and packed.
type asset struct {
	body, packed []byte
	kind         string
	hashed       bool // its name changes with its content
}

type handler struct {
	assets map[string]asset
	page   asset
	built  bool
}

// Handler serves the application.
func Handler() http.Handler { return load() }

var load = sync.OnceValue(func() *handler {
	h := &handler{assets: map[string]asset{}}
	fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "dist")
		a := asset{body: body, kind: kindOf(name), hashed: strings.HasPrefix(name, "/assets/")}
		a.packed = pack(body)
		h.assets[name] = a
		return nil
	})
	h.page, h.built = h.assets["/index.html"]
	return h
})

func kindOf(name string) string {
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// pack packs what becomes smaller by it.
func pack(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(body); err != nil || w.Close() != nil || b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "Only pages live here.", http.StatusMethodNotAllowed)
		return
	}
	a, found := h.assets[path.Clean(r.URL.Path)]
	switch {
	case found && a.hashed:
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	case found && path.Ext(r.URL.Path) != "" && r.URL.Path != "/index.html":
		head.Set("Cache-Control", "no-cache")
	case strings.HasPrefix(r.URL.Path, "/assets/"):
		http.NotFound(w, r)
		return
	case !h.built:
		head.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "The web application was not built into this program. Run: make build\n")
		return
	default:
		a = h.page
		head.Set("Cache-Control", "no-cache")
	}
	a.write(w, r)
}

func (a asset) write(w http.ResponseWriter, r *http.Request) {
	body := a.body
	w.Header().Set("Content-Type", a.kind)
	w.Header().Add("Vary", "Accept-Encoding")
	if a.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = a.packed
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
