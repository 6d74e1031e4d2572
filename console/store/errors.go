package store

import "errors"

var (
	// ErrNotFound says that the row asked for does not exist, or stands behind
	// the wall of another organisation.
	ErrNotFound = errors.New("not found")

	// ErrConflict says that the row was changed by somebody else since the
	// caller read it: its version is not the one the caller named.
	ErrConflict = errors.New("changed by somebody else in the meantime")

	// ErrUnavailable says that the database is locked, full or gone. The
	// caller may come back later: the store works again as soon as the
	// database does.
	ErrUnavailable = errors.New("the database cannot be reached")

	// ErrOptions says that the options of Open lead to no database: the URL cannot
	// be read, there is no such database, or it does not let us in. Coming back
	// later does not help.
	ErrOptions = errors.New("the URL of the database cannot be used")
)

// unavailableError keeps the engine's own words beside ErrUnavailable.
type unavailableError struct{ cause error }

func (e unavailableError) Error() string   { return ErrUnavailable.Error() + ": " + e.cause.Error() }
func (e unavailableError) Unwrap() []error { return []error{ErrUnavailable, e.cause} }
