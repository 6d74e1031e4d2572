package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func serve(t *testing.T, files fstest.MapFS) *httptest.Server {
	t.Helper()
	h, err := newHandler(files)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func built(t *testing.T) *httptest.Server {
	script := "console.log('zażółć')"
	return serve(t, fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html><title>Deskside</title>")},
		"favicon.svg":            {Data: []byte("<svg/>")},
		"placeholder.txt":        {Data: []byte("placeholder")},
		"assets/index-B0a.js":    {Data: []byte(script)},
		"assets/index-B0a.js.gz": {Data: pack(t, script)},
	})
}

// get asks with exactly these header fields; the client adds and unpacks nothing.
func get(t *testing.T, method, url string, fields map[string]string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		request.Header.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestPagesAnswerWithTheApplication(t *testing.T) {
	server := built(t)
	for _, page := range []string{"/", "/queue/mine", "/computers/0193a000-0001-7000-8000-000000000001", "/sign-in?link=abc", "/help", "/index.html"} {
		response, body := get(t, "GET", server.URL+page, nil)
		if response.StatusCode != 200 || !strings.Contains(body, "<title>Deskside</title>") {
			t.Errorf("GET %s: %d %q, want the application", page, response.StatusCode, body)
		}
		if got := response.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("GET %s: Cache-Control %q, want no-cache: a new build must be seen", page, got)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	server := built(t)
	for _, name := range []string{"/assets/index-old.js", "/assets/gone", "/robots.txt", "/api", "/api/v1/nothing", "/assets/index-B0a.js.gz", "/../web.go"} {
		if response, body := get(t, "GET", server.URL+name, nil); response.StatusCode != 404 {
			t.Errorf("GET %s: %d %q, want 404", name, response.StatusCode, body)
		}
	}
}

func TestHashedFilesAreKeptForEver(t *testing.T) {
	response, _ := get(t, "GET", built(t).URL+"/assets/index-B0a.js", nil)
	if got := response.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q, want immutable for a year", got)
	}
	if got := response.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("Content-Type %q, want a script", got)
	}
}

func TestCompressedOnlyForWhoTakesIt(t *testing.T) {
	server := built(t)
	for accept, packed := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "br": false, "": false, "gzip;q=x": false} {
		response, body := get(t, "GET", server.URL+"/assets/index-B0a.js", map[string]string{"Accept-Encoding": accept})
		if got := response.Header.Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("Accept-Encoding %q: compressed %v, want %v", accept, got, packed)
		}
		if response.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: no Vary, a shared cache would mix the two", accept)
		}
		if packed {
			reader, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			body = string(plain)
		}
		if body != "console.log('zażółć')" {
			t.Errorf("Accept-Encoding %q: %q", accept, body)
		}
	}
	// The small page has no packed twin and goes as it is.
	if response, _ := get(t, "GET", server.URL+"/", map[string]string{"Accept-Encoding": "gzip"}); response.Header.Get("Content-Encoding") != "" {
		t.Error("a file without a .gz beside it was called compressed")
	}
}

func TestUnchangedIsNotSentAgain(t *testing.T) {
	server := built(t)
	first, _ := get(t, "GET", server.URL+"/", nil)
	etag := first.Header.Get("ETag")
	if etag == "" {
		t.Fatal("no ETag")
	}
	again, body := get(t, "GET", server.URL+"/queue/mine", map[string]string{"If-None-Match": etag})
	if again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("%d %q, want 304 and nothing", again.StatusCode, body)
	}
	if other, _ := get(t, "GET", server.URL+"/favicon.svg", map[string]string{"If-None-Match": etag}); other.StatusCode != 200 {
		t.Errorf("another file with the same ETag: %d", other.StatusCode)
	}
}

func TestHeadAndOtherMethods(t *testing.T) {
	server := built(t)
	head, body := get(t, "HEAD", server.URL+"/", nil)
	if head.StatusCode != 200 || body != "" || head.ContentLength == 0 {
		t.Errorf("HEAD: %d, %d bytes said, %q", head.StatusCode, head.ContentLength, body)
	}
	post, _ := get(t, "POST", server.URL+"/", nil)
	if post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", post.StatusCode, post.Header.Get("Allow"))
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	server := built(t)
	empty := serve(t, fstest.MapFS{"placeholder.txt": {Data: []byte("x")}})
	for _, url := range []string{server.URL + "/", server.URL + "/assets/index-B0a.js", server.URL + "/gone.js", empty.URL + "/"} {
		response, _ := get(t, "GET", url, nil)
		given := response.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(given, part) {
				t.Errorf("%s: the policy lacks %s: %q", url, part, given)
			}
		}
		if scripts, _, _ := strings.Cut(given[strings.Index(given, "script-src"):], ";"); strings.Contains(scripts, "unsafe") || strings.Contains(scripts, "data:") || strings.Contains(scripts, "*") {
			t.Errorf("%s: scripts from too many places: %q", url, scripts)
		}
		if response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no nosniff", url)
		}
	}
}

func TestPlaceholderSaysHowToBuild(t *testing.T) {
	server := serve(t, fstest.MapFS{"placeholder.txt": {Data: []byte("x")}})
	response, body := get(t, "GET", server.URL+"/queue/mine", nil)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "make build") || !strings.Contains(body, `lang="pl"`) {
		t.Errorf("%d %q, want how to build it, in both languages", response.StatusCode, body)
	}
	if got := response.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q: the page must go away after the build", got)
	}
}

// What is embedded, built or not, must answer.
func TestEmbedded(t *testing.T) {
	h, err := Handler()
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	if recorder.Code != 200 && recorder.Code != 503 {
		t.Errorf("GET /: %d", recorder.Code)
	}
	if recorder.Code == 200 && strings.Contains(recorder.Body.String(), "<script>") {
		t.Error("index.html holds an inline script, which the policy forbids")
	}
}
