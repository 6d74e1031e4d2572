package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"slices"
	"strings"
)

// Those who sign in have a password.
const password = "correct horse battery"

// Person adds somebody with a role who signs in with a password.
func (w *World) Person(name, role string) error {
	add := exec.CommandContext(w.Ctx, "bin/deskside-console", slices.Concat([]string{"person", "add", name, "--role", role, "--password-stdin", "--data", w.Path("data")}, w.On)...)
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("person add: %w: %s", err, out)
	}
	return nil
}

// A Visitor is a person at a browser.
type Visitor struct {
	world  *World
	client *http.Client
}

// SignIn signs a person in, who is to Leave.
func (w *World) SignIn(name string) (*Visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &Visitor{world: w, client: &http.Client{Jar: jar, Transport: &http.Transport{}, Timeout: Patience}}
	_, err = v.Ask(http.MethodPost, "/api/v1/sign-in", map[string]string{"name": name, "password": password})
	return v, err
}

// Ask is a request as a browser makes it; what was answered comes back.
func (v *Visitor) Ask(method, path string, body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(v.world.Ctx, method, v.world.Ready.HTTP+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Origin", v.world.Ready.HTTP)
	r.Header.Set("Content-Type", "application/json")
	response, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s: %s %.200s: %w", path, response.Status, said, err)
	}
	return said, nil
}

// Leave closes the browser.
func (v *Visitor) Leave() { v.client.CloseIdleConnections() }
