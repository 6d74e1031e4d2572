package session

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol/stream"
)

// cut ends a socket without a word, as a lost link does.
func cut(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	if err := ws.NetConn().Close(); err != nil {
		t.Fatal(err)
	}
}

// page is what the page of a browser shows, over all its sockets.
type page struct {
	t     *testing.T
	shown []byte
}

// until reads what is shown until so many bytes are.
func (p *page) until(ws *websocket.Conn, size int) {
	p.t.Helper()
	for len(p.shown) < size {
		f, err := receive(p.t, ws)
		if err != nil {
			p.t.Fatalf("%v after %d bytes", err, len(p.shown))
		}
		if f.Kind != stream.Output {
			continue
		}
		if f.Offset > uint64(len(p.shown)) {
			p.t.Fatalf("after %d bytes comes what belongs at %d", len(p.shown), f.Offset)
		}
		if again := uint64(len(p.shown)) - f.Offset; again < uint64(len(f.Payload)) {
			p.shown = append(p.shown, f.Payload[again:]...)
		}
	}
}

// A browser that is lost in the middle of output and comes back has all of it once
// and in order, and what was typed is at the machine once.
func TestReturn(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		row := r.create()
		machine := r.arrive(row)
		out, in := stream.NewSender(stream.Output, 0), stream.NewReceiver(stream.Input, 0)
		var said, heard []byte
		say := func(size int) {
			t.Helper()
			for end := len(said) + size; len(said) < end; {
				part := bytes.Repeat([]byte{byte('a' + len(said)%23)}, min(10_007, end-len(said)))
				f, err := out.Next(part)
				if err != nil {
					t.Fatal(err)
				}
				send(t, machine, f)
				said = append(said, part...)
			}
		}
		hear := func(want string) {
			t.Helper()
			for string(heard) != want {
				f, err := receive(t, machine)
				if err != nil {
					t.Fatalf("%v after %q", err, heard)
				}
				switch f.Kind {
				case stream.Input:
					fresh, err := in.Take(f)
					if err != nil {
						t.Fatal(err)
					}
					if len(fresh) != len(f.Payload) {
						t.Errorf("the machine is sent %q again", f.Payload)
					}
					heard = append(heard, fresh...)
				case stream.Ack:
					if err := out.Acked(f); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		types := func(ws *websocket.Conn, at uint64, s string) {
			t.Helper()
			send(t, ws, stream.Frame{Kind: stream.Input, Offset: at, Payload: []byte(s)})
		}
		shows := &page{t: t}
		ack := func(ws *websocket.Conn, at int) {
			t.Helper()
			send(t, ws, stream.Frame{Kind: stream.Ack, Offset: uint64(at)})
		}

		first := r.attach(row)
		say(400 << 10)
		shows.until(first, 100<<10)
		ack(first, 50<<10)
		types(first, 0, "ls\n")
		hear("ls\n")
		cut(t, first)
		say(stream.Window - len(said) + 50<<10) // as much as the machine may, while nobody looks
		second, typed := r.greeted(row)
		if typed != 3 {
			t.Errorf("who comes back hears that %d bytes were typed", typed)
		}
		types(second, typed, "pwd\n") // was on its way when the link was lost
		hear("ls\npwd\n")
		shows.until(second, len(said))
		ack(second, len(said))
		types(second, 7, "exit\n")
		hear("ls\npwd\nexit\n")
		say(10 << 10)
		shows.until(second, len(said))
		if !bytes.Equal(shows.shown, said) {
			t.Error("other bytes are shown than were said")
		}

		// Another page of the same person, which has seen nothing: it begins where
		// nobody has acknowledged, and the one before is told not to come again.
		cut(t, second)
		third, typed := r.greeted(row)
		if typed != 12 {
			t.Errorf("another page hears that %d bytes were typed", typed)
		}
		if f, err := receive(t, third); err != nil || f.Kind != stream.Output || f.Offset != uint64(len(said)-10<<10) {
			t.Errorf("another page begins with %v at %d (%v)", f.Kind, f.Offset, err)
		}
		fourth := r.attach(row)
		if err := closing(t, third); !websocket.IsCloseError(err, closeTaken) {
			t.Errorf("whose place is taken hears %v", err)
		}
		if now := r.get(row.ID); now.State != model.SessionOpen {
			t.Errorf("the session is %s: %s", now.State, now.EndedText)
		}
		ack(fourth, len(said))
		send(t, machine, stream.ExitWith(3, uint64(len(said))))
		for {
			f, err := receive(t, fourth)
			if err != nil {
				t.Fatal("the end of the shell is not shown")
			}
			if f.Kind == stream.Exit {
				break
			}
		}
		if now := r.ended(row.ID); now.EndedText != "the shell ended" || now.Closing {
			t.Errorf("%q %t", now.EndedText, now.Closing)
		}
	})
}

// closing is the error with which a socket ends.
func closing(t *testing.T, ws *websocket.Conn) error {
	t.Helper()
	for {
		if err := ws.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
}

// A session that nobody comes for, or comes back to, ends after a time, and one
// whose page says that it leaves at once; its machine is told each time.
func TestAlone(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		waits := make(chan func(), 1)
		r.later = func(d time.Duration, end func()) *time.Timer {
			if d != attachTime {
				t.Errorf("a browser is waited for %s", d)
			}
			waits <- end
			return time.NewTimer(time.Hour)
		}
		over := func(row model.Session, machine *websocket.Conn, want, by string) {
			t.Helper()
			hints := r.hints.Load()
			if _, err := receive(t, machine); !errors.Is(err, io.EOF) {
				t.Errorf("%s: the machine's connection stays open", want)
			}
			now := r.ended(row.ID)
			if now.EndedText != want || now.EndedBy.Name != by {
				t.Errorf("%q by %q, want %q by %q", now.EndedText, now.EndedBy.Name, want, by)
			}
			if _, closes, _ := r.pending(); len(closes) != 1 || closes[0].Session != row.ID || r.hints.Load() == hints {
				t.Errorf("%s: the machine is not told: %+v", want, closes)
			}
			r.Ended(t.Context(), r.machine, row.ID, "")
		}
		never := r.create()
		machine := r.arrive(never)
		(<-waits)()
		over(never, machine, "no page came to show it", model.System.Name)

		lost := r.create()
		machine = r.arrive(lost)
		<-waits
		cut(t, r.attach(lost))
		end := <-waits
		if now := r.get(lost.ID); now.State != model.SessionOpen {
			t.Errorf("it is %s before the time is over", now.State)
		}
		end()
		over(lost, machine, "its page was lost and did not come back", model.System.Name)

		for _, code := range []int{websocket.CloseNormalClosure, websocket.CloseGoingAway} {
			left := r.create()
			machine = r.arrive(left)
			<-waits
			browser := r.attach(left)
			if err := browser.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			over(left, machine, "the page was closed", "Anna")
		}
	})
}

// How the shell ended is the last that a browser is sent, though its session is
// over by then.
func TestExitIsShown(t *testing.T) {
	for range 20 { // both are there when the writing begins, and either may be seen first
		console, browser := pipe(t)
		var s browsers
		b := newBrowser(console)
		s.show(b)
		s.output(output(0, "bye"))
		s.other(stream.ExitWith(0, 3))
		b.leave(websocket.CloseNormalClosure)
		s.write(b)
		for _, want := range []stream.Kind{stream.Ack, stream.Output, stream.Exit} {
			if f, err := receive(t, browser); err != nil || f.Kind != want {
				t.Fatalf("%v (%v), not %v", f.Kind, err, want)
			}
		}
	}
}

// A machine may say that a session is over before its own node has written it
// down: why it ended is there all the same, but not in place of the machine's word.
func TestEndedFirst(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		for text, want := range map[string]string{"": "the shell ended", "the shell could not start": "the shell could not start"} {
			row := r.create()
			machine := r.arrive(row)
			r.Ended(t.Context(), r.machine, row.ID, text)
			send(t, machine, stream.ExitWith(0, 0))
			if now := r.ended(row.ID); now.EndedText != want {
				t.Errorf("it ended as %q, not %q", now.EndedText, want)
			}
		}
	})
}
