package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Shared is one file for the states of many pretend machines: thousands of files
// would be more than a process may open. Its writes survive the end of the
// process, but not that of the computer.
type Shared struct {
	db  *bbolt.DB
	dir string
}

// OpenShared opens the file in dir, making both when they are not there.
func OpenShared(dir string) (*Shared, error) {
	if err := own(dir); err != nil {
		return nil, fmt.Errorf("open states: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, "machines.db"), 0o600, &bbolt.Options{
		Timeout: 2 * time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, NoSync: true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open states in %s: %w", dir, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("open states in %s: %w", dir, noSpace(err))
	}
	return &Shared{db: db, dir: dir}, nil
}

// State is the state of one machine. Closing it leaves the file open.
func (s *Shared) State(machine string) (*State, error) {
	one := &State{db: s.db, dir: filepath.Join(s.dir, machine), name: []byte(machine), close: func() error { return nil }}
	if err := one.begin(); err != nil {
		return nil, fmt.Errorf("open the state of %s: %w", machine, err)
	}
	return one, nil
}

// Close ends the use of the file.
func (s *Shared) Close() error { return errors.Join(s.db.Sync(), s.db.Close()) }
