package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// signIn is somebody at a browser who comes, looks and goes.
func (s *soak) signIn() error {
	v, err := s.SignIn(signsIn)
	if err != nil {
		return err
	}
	defer v.Leave()
	if _, err := v.Ask(http.MethodGet, "/api/v1/me", nil); err != nil {
		return err
	}
	if _, err := v.Ask(http.MethodPost, "/api/v1/sign-out", nil); err != nil {
		return err
	}
	s.done.add("sign-ins", 1)
	return nil
}

// lists are what pages read.
func (s *soak) lists() error {
	for _, path := range []string{"/machines?limit=100&sort=-last_seen_at", "/alerts?limit=100", "/tickets?limit=100", "/audit?limit=50", "/machines/" + one(s.ids) + "/facts"} {
		if err := s.Call(http.MethodGet, path, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// page is one that watches a machine for a moment. One in two goes without a word.
func (s *soak) page() error {
	ws, err := s.Socket(strings.Replace(s.Ready.URL, "https", "wss", 1)+"/api/v1/live", http.Header{"Authorization": {"Bearer " + s.Token}})
	if err != nil {
		return err
	}
	defer ws.Close()
	s.done.add("pages", 1)
	if err := ws.WriteJSON(map[string]string{"watch": one(s.ids)}); err != nil {
		return err
	}
	if err := ws.SetReadDeadline(time.Now().Add(time.Second + rand.N(2*time.Second))); err != nil {
		return err
	}
	for err == nil {
		_, _, err = ws.ReadMessage()
	}
	if timeout, ok := err.(interface{ Timeout() bool }); !ok || !timeout.Timeout() {
		return fmt.Errorf("a page lost its line: %w", err)
	}
	if rand.IntN(2) == 0 {
		return ws.WriteJSON(map[string]string{"unwatch": one(s.ids)})
	}
	return nil
}

// terminal opens a shell, looks at what it says, and leaves. On a computer that has much
// else to do the agent may not come in time; then the session is said to have ended.
func (s *soak) terminal() error {
	t, err := s.Terminal(s.agent)
	if err != nil {
		return away(err)
	}
	err = t.Write([]byte("seq -s. 2000; echo re''ady\n"))
	for said := ""; err == nil && !strings.Contains(said, "ready"); {
		var more []byte
		more, err = t.Read()
		said += string(more)
	}
	if err == nil {
		s.done.add("terminals", 1)
		return t.Leave()
	}
	t.Leave() //nolint:errcheck // its line is gone
	var session struct {
		State, Ended string
		Refusal      *struct{ Code, Text string }
	}
	if err := s.Call(http.MethodGet, "/sessions/"+t.Session, nil, &session); err != nil {
		return err
	}
	if session.State == "open" {
		return fmt.Errorf("a terminal whose line is lost is still open: %w", err)
	}
	fmt.Printf("            a terminal %s: %+v %s\n", session.State, session.Refusal, session.Ended)
	s.done.add("terminals that did not open", 1)
	return nil
}
