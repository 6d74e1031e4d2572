package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/deskside/deskside/tools/internal/api"
)

// call asks the API of whatever console answers. Another server error than "not
// now" is a blunder: no fault is a reason for it.
func (w *world) call(method, path string, body, into any) error {
	var failed error
	for i := range w.plain {
		err := w.ask(w.plain[i], method, path, body, into)
		var no *api.Refused
		if err == nil {
			return nil
		}
		if errors.As(err, &no) && no.Status != http.StatusServiceUnavailable && no.Status != http.StatusBadGateway {
			if no.Status >= 500 {
				w.mu.Lock()
				w.blunder = errors.Join(w.blunder, fmt.Errorf("%s %s: %w", method, path, err))
				w.mu.Unlock()
			}
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		failed = errors.Join(failed, err)
		if method != http.MethodGet {
			break // whether it was done is not known: whoever asks decides
		}
	}
	return failed
}

// errAfterItsEnd is a token in a year in which it has ended; another one will come.
var errAfterItsEnd = errors.New("the token has ended by the clock of this console")

func (w *world) ask(at, method, path string, body, into any) error {
	key := ""
	if run, ok := body.(newRun); ok {
		key = run.key
	}
	err := api.Call(w.ctx, w.client, at, *w.token.Load(), method, path, key, body, into)
	var no *api.Refused
	if errors.As(err, &no) && no.Status == http.StatusUnauthorized && w.scene.clocks {
		return errAfterItsEnd
	}
	return err
}

// text reads what a GET of the API answers as it comes.
func (w *world) text(path string) (string, error) {
	var failed error
	for _, at := range w.plain {
		r, err := http.NewRequestWithContext(w.ctx, http.MethodGet, at+"/api/v1"+path, nil)
		if err != nil {
			return "", err
		}
		r.Header.Set("Authorization", "Bearer "+*w.token.Load())
		response, err := w.client.Do(r)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		raw, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode == http.StatusOK {
			return string(raw), nil
		}
		failed = errors.Join(failed, err, fmt.Errorf("GET %s: %s %.200s", path, response.Status, raw))
	}
	return "", failed
}

// order asks the workstations' own control for something. Nobody kills or freezes
// them meanwhile: what they were told would not be known.
func (w *world) order(method, path string, body, into any) error {
	w.hands.Lock()
	defer w.hands.Unlock()
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(w.ctx, method, w.control+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Close = true // a line that was idle while they were frozen may be gone
	response, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("control: %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
