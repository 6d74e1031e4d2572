package session

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol/stream"
)

func (f *far) sleeper(mode string) {
	f.Helper()
	f.enter(`sh -c 'stty ` + mode + `; echo READ""Y; exec sleep 1000'` + "\n")
	f.until("READY")
	for range 4 {
		f.enter(strings.Repeat("12345\n", 10_000))
	}
}

func TestInputNobodyReads(t *testing.T) {
	t.Setenv("SHELL", "/bin/bash")
	for name, leave := range map[string]func(*desk, uuid.UUID, *far){
		"told":   func(d *desk, id uuid.UUID, _ *far) { d.End(id) },
		"closed": func(_ *desk, _ uuid.UUID, f *far) { f.ws.Close() },
		"more than the window": func(_ *desk, _ uuid.UUID, f *far) {
			for range stream.Window/stream.MaxPayload + 1 {
				frame := stream.Frame{Kind: stream.Input, Offset: f.out.Offset(), Payload: bytes.Repeat([]byte("x"), stream.MaxPayload)}
				f.out = stream.NewSender(stream.Input, f.out.Offset()+stream.MaxPayload)
				f.write(frame)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			id, f := d.open()
			f.sleeper("raw -echo")
			leave(d, id, f)
			d.over()
		})
	}
}

func TestRepeated(t *testing.T) {
	t.Setenv("SHELL", "/bin/sh")
	d := newDesk(t)
	_, f := d.open()
	f.enter("echo D''ONE\n")
	f.until("DONE")
	for f.taken < f.out.Offset() && f.next() {
	}
	f.taken = 0
	f.write(stream.Frame{Kind: stream.Input, Payload: []byte("echo D")})
	for f.taken == 0 && f.next() {
	}
	if f.taken != f.out.Offset() {
		t.Errorf("%d bytes are acknowledged, %d were typed", f.taken, f.out.Offset())
	}
	f.ws.Close()
	d.over()
}

func TestHeardBehindInput(t *testing.T) {
	t.Setenv("SHELL", "/bin/bash")
	d := newDesk(t)
	_, f := d.open()
	f.enter(`sh -c 'stty raw -echo; echo READ""Y; exec yes'` + "\n")
	f.until("READY")
	for range 8 {
		f.enter(strings.Repeat("x", stream.MaxPayload))
	}
	ponged := false
	f.ws.SetPongHandler(func(string) error { ponged = true; return nil })
	if err := f.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	from := f.in.Offset()
	for f.in.Offset() < from+4*stream.Window {
		if !f.next() {
			t.Fatalf("after %d bytes nothing comes any more", f.in.Offset()-from)
		}
	}
	if !ponged {
		t.Error("a ping was not answered")
	}
	if f.taken > f.out.Offset()-stream.MaxPayload {
		t.Errorf("%d of %d bytes that wait for the program are acknowledged", f.taken, f.out.Offset())
	}
	f.ws.Close()
	d.over()
}
