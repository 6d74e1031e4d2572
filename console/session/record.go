package session

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

const (
	recordEvery  = 2 * time.Second
	recordPiece  = 128 << 10
	maxRecording = 64 << 20
)

// recorder writes a session as asciicast version 2: a line of JSON for the
// head, and one for each event. Input is not recorded: it may hold passwords.
type recorder struct {
	store *store.Store
	row   model.Session
	log   *slog.Logger
	begin time.Time

	mu     sync.Mutex
	buf    bytes.Buffer
	rest   []byte // an unfinished character
	size   int64
	full   bool
	wake   chan struct{}
	closed chan struct{}
	ended  chan struct{}
}

func newRecorder(s *store.Store, row model.Session, log *slog.Logger) *recorder {
	r := &recorder{store: s, row: row, log: log, begin: time.Now(), wake: make(chan struct{}, 1),
		closed: make(chan struct{}), ended: make(chan struct{})}
	r.line(map[string]any{"version": 2, "width": row.Columns, "height": row.Rows, "timestamp": row.OpenedAt.Unix(),
		"env": map[string]string{"TERM": "xterm-256color"}})
	go r.run()
	return r
}

func (r *recorder) line(v any) {
	raw, err := json.Marshal(v)
	if err != nil { // numbers and valid text always encode
		return
	}
	r.buf.Write(append(raw, '\n'))
}

func (r *recorder) event(kind, data string) {
	if r.full {
		return
	}
	if r.size+int64(r.buf.Len()) > maxRecording {
		r.full = true
		data = "\r\n[the recording ends here: it is full]\r\n"
	}
	r.line([]any{time.Since(r.begin).Seconds(), kind, data})
	if r.buf.Len() > recordPiece {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// output records what was shown; a character that is cut in two waits for its
// end.
func (r *recorder) output(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p = append(r.rest, p...)
	n := len(p)
	for back := 1; back <= min(3, len(p)); back++ {
		if utf8.RuneStart(p[len(p)-back]) {
			if !utf8.FullRune(p[len(p)-back:]) {
				n = len(p) - back
			}
			break
		}
	}
	r.rest = append([]byte(nil), p[n:]...)
	if n > 0 {
		r.event("o", string(bytes.ToValidUTF8(p[:n], []byte("\uFFFD"))))
	}
}

func (r *recorder) resize(columns, rows int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.event("r", fmt.Sprintf("%dx%d", columns, rows))
}

func (r *recorder) run() {
	defer close(r.ended)
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.closed:
			r.flush()
			return
		case <-tick.C:
			r.flush()
		case <-r.wake:
			r.flush()
		}
	}
}

// flush writes what has come since; what cannot be written now is kept for the
// next time.
func (r *recorder) flush() {
	r.mu.Lock()
	piece := bytes.Clone(r.buf.Bytes())
	r.mu.Unlock()
	if len(piece) == 0 {
		return
	}
	scope := store.Scope{Actor: store.Actor{Kind: "system", Name: "recorder"}, Organisations: []model.ID{r.row.Organisation}}
	var size int64
	err := r.store.Update(context.Background(), scope, func(tx *store.Tx) error {
		var err error
		size, err = tx.AppendBlob(r.row.Organisation, r.row.ID, piece)
		return err
	})
	if err != nil {
		r.log.Error("cannot record a session", "session", r.row.ID, "error", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buf.Next(len(piece))
	r.size = size
}

// close writes the rest and returns the size of the recording.
func (r *recorder) close() int64 {
	close(r.closed)
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size
}
