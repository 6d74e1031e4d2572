// Package state is the machine's memory: one bbolt file that holds who the
// machine is, what it must still tell the console, what it has seen, what it
// let in or turned away, and its last facts and history.
//
// Everything that belongs together is written in one [State.Update]: a check
// that changed its mind and the transition that says so, a run that was taken
// and the mark that it must never be taken again. What Update has returned for
// is on the disk.
//
// # Outbox
//
// Log entries ([Tx.Append]) count one by one, in order, until the console
// acknowledges their numbers. State entries ([Tx.Put]) count in their latest
// revision. [Tx.Pending] hands both out in the order in which they are to be
// sent; [Tx.Acknowledge] forgets them. The outbox holds at most [MaxOutbox]
// bytes: history is given up first, then the oldest transitions and changes,
// with an entry in their place that says how many. Results and the journal are
// never given up.
//
// # Journal
//
// The book is chained by hash ([Tx.Journal], [Tx.Entries]). Its oldest lines are
// let go ([Tx.ForgetJournal]); the hash of the last of them is kept, so that the
// rest still verifies.
package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/deskside/deskside/protocol"
)

// MaxOutbox is how many bytes of unacknowledged messages are kept.
const MaxOutbox = 64 << 20

// ErrNoSpace means that the disk is full: nothing was changed, and what was to
// be kept is still with the caller.
var ErrNoSpace = errors.New("no space left for the agent's state")

// ErrInUse means that another agent runs on the same state.
var ErrInUse = errors.New("another agent uses this state")

const file = "agent.db"

// State is an open state file.
type State struct {
	db  *bbolt.DB
	dir string

	journalled func(protocol.JournalEntry)

	name  []byte // of the machine in a file that many share; nil in one of its own
	close func() error
}

var buckets = []string{bucketMeta, bucketOutbox, bucketLogs, bucketStates, bucketSeen, bucketRuns,
	bucketJournal, bucketFacts, bucketHistory, bucketTrust}

const (
	bucketMeta    = "meta"
	bucketOutbox  = "outbox" // counters
	bucketLogs    = "logs"   // class, number -> entry
	bucketStates  = "states" // class, key -> revision, body
	bucketSeen    = "seen"   // id -> until
	bucketRuns    = "runs"   // id -> run record
	bucketJournal = "journal"
	bucketFacts   = "facts"
	bucketHistory = "history"
	bucketTrust   = "trust" // version -> trust file
)

// Open opens the state in dir, making both when they are not there. The folder
// is its owner's only; on Windows that of SYSTEM and Administrators.
func Open(dir string) (*State, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	if err := own(dir); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, file), 0o600, &bbolt.Options{
		Timeout: 2 * time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open state in %s: %w", dir, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("open state in %s: %w", dir, noSpace(err))
	}
	s := &State{db: db, dir: dir, close: db.Close}
	if err := s.begin(); err != nil {
		db.Close()
		return nil, fmt.Errorf("open state in %s: %w", dir, err)
	}
	return s, nil
}

// begin makes the buckets that are not there.
func (s *State) begin() error {
	return s.db.Update(func(b *bbolt.Tx) error {
		var in holder = b
		if s.name != nil {
			var err error
			if in, err = b.CreateBucketIfNotExists(s.name); err != nil {
				return noSpace(err)
			}
		}
		for _, name := range buckets {
			if _, err := in.CreateBucketIfNotExists([]byte(name)); err != nil {
				return noSpace(err)
			}
		}
		return nil
	})
}

// Exists tells whether there is a state in dir.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, file))
	return !errors.Is(err, fs.ErrNotExist)
}

// Journalled has fn called with each line of the journal after it is on the disk.
// Call it once, before the state is used by several goroutines; fn must not wait.
func (s *State) Journalled(fn func(protocol.JournalEntry)) { s.journalled = fn }

// Dir is the folder of the state.
func (s *State) Dir() string { return s.dir }

// Close ends the use of the state.
func (s *State) Close() error { return s.close() }

// Tx is one transaction.
type Tx struct {
	b     holder
	wrote []protocol.JournalEntry
}

// Update runs fn and makes all of what it did durable, or none of it. A full
// disk is [ErrNoSpace].
func (s *State) Update(fn func(*Tx) error) error {
	var wrote []protocol.JournalEntry
	err := s.db.Update(func(b *bbolt.Tx) error {
		tx := &Tx{b: s.within(b)}
		err := fn(tx)
		wrote = tx.wrote
		return err
	})
	if err != nil {
		return noSpace(err)
	}
	for _, e := range wrote {
		if s.journalled != nil {
			s.journalled(e)
		}
	}
	return nil
}

// View runs fn over what is there.
func (s *State) View(fn func(*Tx) error) error {
	return s.db.View(func(b *bbolt.Tx) error { return fn(&Tx{b: s.within(b)}) })
}

// holder holds buckets: the file, or in it what belongs to one of many machines.
type holder interface {
	Bucket(name []byte) *bbolt.Bucket
	CreateBucket(name []byte) (*bbolt.Bucket, error)
	CreateBucketIfNotExists(name []byte) (*bbolt.Bucket, error)
	DeleteBucket(name []byte) error
}

func (s *State) within(b *bbolt.Tx) holder {
	if s.name == nil {
		return b
	}
	return b.Bucket(s.name)
}

func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %v", ErrNoSpace, err)
	}
	return err
}

func (tx *Tx) bucket(name string) *bbolt.Bucket { return tx.b.Bucket([]byte(name)) }

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (tx *Tx) counter(bucket, name string) uint64 {
	b := tx.bucket(bucket).Get([]byte(name))
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (tx *Tx) setCounter(bucket, name string, n uint64) error {
	return tx.bucket(bucket).Put([]byte(name), number(n))
}
