// Package session connects technicians to machines. A session is a row; the
// machine is asked to open the door, and dials in on a socket of its own. The
// node at which it arrives owns the session: it splices that socket with the
// browser's, records what is shown, and forwards nothing but frames of the kinds
// a browser may send. A browser that comes to another node is forwarded.
//
// Flow control is end to end: a browser that does not read stops the program in
// the terminal, not the console. Output is kept until a browser acknowledges it:
// one whose connection is lost comes back within attachTime, and nothing is
// missing or there twice, on the screen or at the machine. A browser that says
// that it leaves ends the session.
//
// A machine that says nothing for two pings, because it hangs or its line does, has
// its session ended: whoever looks at it is told.
//
// A session that is ended anywhere but at its own node ends there at once: the
// change of its row is heard by all nodes. Its machine is told as well, until it
// says that the session is over, so that a shell does not outlive a node that
// died.
//
// The console reads kind and offset of a frame
// and hands the payload on; for the recording it keeps a copy of the output.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// ChangedSession is the kind of change that pages hear of.
const ChangedSession = "session"

// KindOpening is the due row of a session that the machine does not open in time.
const KindOpening = "session.opening"

const (
	openTime   = 30 * time.Second // for the machine to dial in
	attachTime = 60 * time.Second // for a browser to come, or to come back
	closeTime  = time.Hour        // for the machine to hear that it is over
	lookEvery  = 10 * time.Second // at the rows of all live sessions, in case a hint was lost
	againAfter = time.Second      // the end of a session could not be written down
	maxReason  = 140              // characters, as the machine shows it
)

// Sessions are the live connections of this node.
type Sessions struct {
	store *store.Store
	log   *slog.Logger
	node  model.ID
	key   []byte // makes the single-use tokens; the same on all nodes
	hint  func(machine model.ID)

	looks chan model.ID // live sessions whose row changed

	later   func(time.Duration, func()) *time.Timer // time.AfterFunc, but in a test
	silence time.Duration                           // machineSilence, but in a test

	// coming is held, as by a reader, while a machine dials in: from before its row says
	// that the session is open until the session is in live.
	coming sync.RWMutex

	mu    sync.Mutex
	live  map[model.ID]*splice
	ended bool
	over  chan struct{} // closed when ended
	wait  sync.WaitGroup
}

// New makes the sessions of a node.
func New(s *store.Store, node model.ID, key []byte, hint func(model.ID), log *slog.Logger) *Sessions {
	return &Sessions{store: s, log: log, node: node, key: key, hint: hint, looks: make(chan model.ID, 1024), later: time.AfterFunc, silence: machineSilence, live: map[model.ID]*splice{}, over: make(chan struct{})}
}

// token lets one machine dial in for one session, once.
func (s *Sessions) token(id model.ID) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte("deskside/1/session-token"))
	h.Write(id[:])
	return h.Sum(nil)
}

// Request is a session that somebody wants.
type Request struct {
	Organisation  model.ID
	Machine       model.ID
	Ticket        model.ID
	Credential    model.ID // the sign-in or API token of who wants it
	Kind          string
	Columns, Rows int
	Reason        string
}

// Create writes a session down and hints at its machine.
func (s *Sessions) Create(ctx context.Context, scope store.Scope, q Request) (model.Session, error) {
	if q.Kind != "terminal" {
		return model.Session{}, model.Problemf(model.CodeInvalid, "kind", "A session is a terminal, not %q.", q.Kind)
	}
	if q.Columns < 1 || q.Columns > 1000 || q.Rows < 1 || q.Rows > 500 {
		return model.Session{}, model.Problemf(model.CodeInvalid, "columns", "A terminal has 1 to 1000 columns and 1 to 500 rows.")
	}
	reason := strings.TrimSpace(q.Reason)
	if len([]rune(reason)) > maxReason {
		return model.Session{}, model.Problemf(model.CodeInvalid, "reason", "A reason has at most %d characters.", maxReason)
	}
	row := model.Session{
		Organisation: q.Organisation, Machine: q.Machine, Ticket: q.Ticket, Kind: q.Kind, State: model.SessionOpening,
		Reason: reason, By: model.Actor{Kind: model.ByTechnician, ID: scope.Actor.ID, Name: scope.Actor.Name},
		Credential: q.Credential, Columns: q.Columns, Rows: q.Rows, Version: 1,
	}
	err := s.store.Update(ctx, scope, func(tx *store.Tx) error { return create(tx, &row) })
	if err == nil {
		s.hint(row.Machine)
	}
	return row, err
}

// create holds the person, what they are signed in by and the machine: what ends
// the sessions of one of them finds this one, or this one is not made.
func create(tx *store.Tx, row *model.Session) error {
	if err := account.Hold(tx, row.By.ID, row.Credential, model.OpenSession); err != nil {
		return err
	}
	m, err := fleet.Acting(tx, row.Machine)
	if err != nil {
		return err
	}
	if !m.Online {
		return model.Problemf(model.CodeOffline, "machine_id", "%s is offline; a session needs it online.", m.Name)
	}
	if row.Ticket != (model.ID{}) {
		if err := desk.Took(tx, row.Ticket, row.By); err != nil {
			return err
		}
	}
	row.ID, row.CreatedAt = model.NewID(), tx.Now()
	if err := insert(tx, row); err != nil {
		return err
	}
	if err := tx.Due(KindOpening, row.ID, tx.Now().Add(openTime)); err != nil {
		return err
	}
	return tx.Audit(store.Entry{Organisation: row.Organisation, Action: "session.open", Result: "requested",
		Subjects: []store.Subject{{Kind: "session", ID: row.ID}, {Kind: "machine", ID: row.Machine}},
		Detail:   map[string]any{"kind": row.Kind, "reason": row.Reason}})
}

// Pending are the sessions that a machine is still to be asked to open, and to be
// told to close.
func (s *Sessions) Pending(tx *store.Tx, from model.From) ([]model.Act, error) {
	var acts []model.Act
	rows, err := query(tx, "s.machine_id = $1 AND (s.state = 'opening' AND s.told = $2 OR s.state = 'ended' AND s.closing = $3 AND s.ended_at > $4)",
		from.Machine, false, true, store.Micros(tx.Now().Add(-closeTime)))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		a := model.Act{ID: row.ID, Machine: from, Expires: row.CreatedAt.Add(openTime), Body: &model.OpenDoor{
			Kind: row.Kind, Columns: row.Columns, Rows: row.Rows, By: row.By, Reason: row.Reason, Token: s.token(row.ID)}}
		if row.Closing {
			a.ID, a.Expires = model.DerivedID(row.ID, "close"), tx.Now().Add(closeTime)
			a.Body = &model.CloseDoor{Session: row.ID, By: row.EndedBy}
		}
		acts = append(acts, a)
	}
	return acts, nil
}

// Waiting are the machines, or those among them, with a session that is to be opened
// or closed.
func (s *Sessions) Waiting(tx *store.Tx, _ model.ID, among []model.ID) ([]model.ID, error) {
	return store.CollectAmong(tx, "SELECT DISTINCT machine_id FROM session WHERE (state = 'opening' OR closing) AND {wall}", "machine_id", among)
}

// Sent writes down that the machine was asked.
func (s *Sessions) Sent(ctx context.Context, a model.Act) {
	if _, ok := a.Body.(*model.OpenDoor); !ok {
		return
	}
	err := s.store.Update(ctx, store.Machine(a.Machine.Organisation, a.Machine.Machine), func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE session SET told = $1 WHERE id = $2 AND {wall}", true, a.ID)
		return err
	})
	if err != nil {
		s.log.Error("cannot write down that a machine was asked for a session", "session", a.ID, "error", err)
	}
}

// Opened takes a machine's refusal.
func (s *Sessions) Opened(ctx context.Context, o model.Opened) {
	if o.Refusal == "" {
		return
	}
	s.change(ctx, store.Machine(o.From.Organisation, o.From.Machine), o.Session, func(tx *store.Tx, row *model.Session) error {
		if row.Machine != o.Machine || row.Over() {
			return nil
		}
		return row.Refuse(o.Refusal, o.Text, tx.Now())
	})
}

// Ended takes a machine's word that a session is over.
func (s *Sessions) Ended(ctx context.Context, from model.From, id model.ID, text string) {
	s.change(ctx, store.Machine(from.Organisation, from.Machine), id, func(tx *store.Tx, row *model.Session) error {
		if row.Machine != from.Machine {
			return nil
		}
		if row.Closing { // it was told, and that is done
			row.Closing = false
			return update(tx, row)
		}
		if row.Over() {
			return nil
		}
		if row.State != model.SessionOpen {
			return row.Refuse("failed", text, tx.Now())
		}
		return row.End(text, tx.Now())
	})
}

// Expire is the handler of KindOpening: the machine did not dial in.
func (s *Sessions) Expire(_ context.Context, tx *store.Tx, id model.ID) (time.Time, error) {
	row, err := Get(tx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && row.State != model.SessionOpening) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if err := row.Refuse("no_answer", "The computer did not answer in time.", tx.Now()); err != nil {
		return time.Time{}, err
	}
	return time.Time{}, s.moved(tx, &row)
}

// change moves a row in a transaction of its own. It is false where nothing could
// be written.
func (s *Sessions) change(ctx context.Context, scope store.Scope, id model.ID, how func(*store.Tx, *model.Session) error) bool {
	err := s.store.Update(ctx, scope, func(tx *store.Tx) error {
		row, err := Get(tx, id)
		if err != nil {
			return err
		}
		was := row.State
		if err := how(tx, &row); err != nil {
			return err
		}
		if row.State == was {
			return nil
		}
		return s.moved(tx, &row)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.log.Error("cannot write down how a session stands", "session", id, "error", err)
		return false
	}
	return true
}

// moved writes a row whose state changed, with what follows from it.
func (s *Sessions) moved(tx *store.Tx, row *model.Session) error {
	if err := update(tx, row); err != nil {
		return err
	}
	if row.State != model.SessionOpening {
		if err := tx.NotDue(KindOpening, row.ID); err != nil {
			return err
		}
	}
	if err := tx.Audit(store.Entry{Organisation: row.Organisation, Action: "session." + string(row.State), Result: "done",
		Subjects: []store.Subject{{Kind: "session", ID: row.ID}, {Kind: "machine", ID: row.Machine}},
		Detail:   map[string]any{"refusal": row.Refusal}}); err != nil {
		return err
	}
	if row.Ticket == (model.ID{}) {
		return nil
	}
	length := ""
	if row.State == model.SessionEnded && !row.OpenedAt.IsZero() {
		length = row.EndedAt.Sub(row.OpenedAt).Round(time.Second).String()
	}
	data, err := json.Marshal(map[string]string{"what": string(row.State), "session_id": row.ID.String(),
		"machine_id": row.Machine.String(), "refusal": row.Refusal, "length": length})
	if err != nil {
		return fmt.Errorf("say how a session stands: %w", err)
	}
	return desk.Said(tx, row.Ticket, model.Item{Kind: model.ItemSession, By: row.By, Text: row.Reason, Reason: string(row.State), Data: data})
}
