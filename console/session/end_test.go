package session

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// A session ends where it is held, whoever ends it, and the machine is told until
// it says that it is over.
func TestEnd(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		row := r.create()
		machine := r.arrive(row)
		hints := r.hints.Load()
		if ended, err := r.End(t.Context(), r.scope, row.ID); err != nil || ended.EndedText != "ended by Anna" {
			t.Fatalf("%+v %v", ended, err)
		}
		if _, err := receive(t, machine); err != io.EOF {
			t.Error("the machine's connection stays open")
		}
		if r.ended(row.ID); r.hints.Load() == hints {
			t.Error("nobody hints at the machine")
		}
		_, closes, acts := r.pending()
		if len(closes) != 1 || closes[0].Session != row.ID || closes[0].By.Name != "Anna" || acts[0].ID == row.ID {
			t.Fatalf("the machine is told %+v", acts)
		}
		_, _, again := r.pending()
		if again[0].ID != acts[0].ID {
			t.Error("a second time it is another order")
		}
		if second, err := r.End(t.Context(), r.scope, row.ID); err != nil || second.EndedText != "ended by Anna" {
			t.Errorf("ended twice: %+v %v", second, err)
		}
		r.Ended(t.Context(), r.machine, row.ID, "")
		if _, closes, _ := r.pending(); len(closes) != 0 {
			t.Error("told after it said that it is over")
		}
		never := r.create() // the machine has not heard of it
		if _, err := r.End(t.Context(), r.scope, never.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, acts := r.pending(); len(acts) != 0 {
			t.Errorf("told of what it never heard of: %+v", acts)
		}
	})
}

// A row that says that a session is over ends it at its node: another node wrote
// it.
func TestEndedElsewhere(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		defer func() {
			cancel()
			<-done
		}()
		row, other := r.create(), r.create()
		machine, stays := r.arrive(row), r.arrive(other)
		elsewhere := New(r.store, model.NewID(), r.key, func(model.ID) {}, r.log)
		if _, err := elsewhere.End(t.Context(), r.scope, row.ID); err != nil {
			t.Fatal(err)
		}
		r.Look(other.ID)
		r.Look(row.ID)
		if _, err := receive(t, machine); err != io.EOF {
			t.Error("it goes on here")
		}
		send(t, stays, output(0, "alive"))
		if f, err := receive(t, r.attach(other)); err != nil || string(f.Payload) != "alive" {
			t.Errorf("another one: %+v %v", f, err)
		}
	})
}

// Those that were opened with a sign-in that has ended end, and those of another
// one stay.
func TestEndByCredential(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ended, living := r.newToken(), r.newToken()
		with := func(credential model.ID) model.Session {
			t.Helper()
			r.signIn = credential
			return r.create()
		}
		gone, stays := with(ended), with(living)
		machine := r.arrive(gone)
		r.arrive(stays)
		if err := r.EndAll(t.Context(), r.scope, r.scope.Actor.ID, []model.ID{living}, "signed out"); err != nil {
			t.Fatal(err)
		}
		if _, err := receive(t, machine); err != io.EOF {
			t.Error("its connection stays open")
		}
		if now := r.get(gone.ID); now.State != model.SessionEnded || now.EndedText != "signed out" {
			t.Errorf("%+v", now)
		}
		if now := r.get(stays.ID); now.State != model.SessionOpen {
			t.Errorf("of another sign-in: %+v", now)
		}
	})
}

// Those of one person end together, and those of a node that is gone.
func TestEndAll(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ours := []model.Session{r.create(), r.create()}
		r.arrive(ours[0])
		anna := r.as("Ben").ID
		bens := r.create()
		r.arrive(bens)
		if err := r.EndAll(t.Context(), r.scope, anna, nil, "she may not"); err != nil {
			t.Fatal(err)
		}
		for _, row := range ours {
			if now := r.get(row.ID); now.State != model.SessionEnded || now.EndedText != "she may not" || now.EndedBy.Kind != model.BySystem {
				t.Errorf("%+v", now)
			}
		}
		if now := r.get(bens.ID); now.State != model.SessionOpen {
			t.Errorf("somebody else's: %+v", now)
		}
		lapsed := func(node model.ID) {
			t.Helper()
			err := r.store.Update(t.Context(), store.System("due"), func(tx *store.Tx) error { return r.NodeLapsed(tx, node) })
			if err != nil {
				t.Fatal(err)
			}
		}
		lapsed(model.NewID())
		if now := r.get(bens.ID); now.State != model.SessionOpen {
			t.Errorf("another node is gone: %+v", now)
		}
		lapsed(r.node)
		if now := r.get(bens.ID); now.State != model.SessionEnded || !now.Closing {
			t.Errorf("its node is gone: %+v", now)
		}
	})
}

// told is a log that says when something is written to it.
type told chan struct{}

func (c told) Write(p []byte) (int, error) {
	select {
	case c <- struct{}{}:
	default:
	}
	return len(p), nil
}

// A session that ends while the database is away is written down as ended when it
// is back.
func TestEndedWhileAway(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		failed := make(told, 1)
		r.log = slog.New(slog.NewTextHandler(failed, nil))
		row := r.create()
		machine := r.arrive(row)
		rename := func(from, to string) {
			t.Helper()
			err := r.store.Update(t.Context(), store.System("test"), func(tx *store.Tx) error {
				_, err := tx.Exec("ALTER TABLE " + from + " RENAME TO " + to)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		rename("session", "session_away")
		machine.Close()
		<-failed
		rename("session_away", "session")
		r.ended(row.ID)
	})
}

// A machine that says nothing for long, though its connection is there, has its
// session ended, and is told so when it is back.
func TestMachineHangs(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.silence = 100 * time.Millisecond
		row := r.create()
		r.arrive(row)
		if now := r.ended(row.ID); now.EndedText != "the computer does not answer" {
			t.Errorf("it ended as %q", now.EndedText)
		}
		if _, closes, _ := r.pending(); len(closes) != 1 || closes[0].Session != row.ID {
			t.Errorf("the machine is told %+v", closes)
		}
	})
}
