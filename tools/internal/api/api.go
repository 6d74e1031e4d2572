// Package api asks a console's API as a program of somebody would, for the tools that
// measure and break it.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Refused is an answer that is a no.
type Refused struct {
	Status int
	Body   string
}

func (r *Refused) Error() string { return fmt.Sprintf("%d %.300s", r.Status, r.Body) }

// Call sends body as JSON, nil for none, to a path below /api/v1 at a console, and
// decodes the answer into into, nil to leave it. A key makes it a request that may be
// sent again; "" is none. The error is a *Refused where the console has answered.
func Call(ctx context.Context, client *http.Client, console, token, method, path, key string, body, into any) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, console+"/api/v1"+path, reader)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return &Refused{response.StatusCode, string(raw)}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}
