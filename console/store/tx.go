package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// A Tx is a running transaction. It belongs to the function it was given to
// and to one goroutine.
type Tx struct {
	store   *Store
	ctx     context.Context
	scope   Scope
	session session
	now     time.Time

	err  error // the first failed statement; it dooms the transaction
	rows *Rows // still open

	changes []Change
	dued    bool
}

// Context is the context of the call.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Scope is who acts.
func (tx *Tx) Scope() Scope { return tx.scope }

// Now is when the transaction began: one time for all its rows, in UTC and
// whole microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	query, args, err := tx.prepare(query, args)
	if err != nil {
		return 0, tx.fail(err)
	}
	return tx.exec(query, args...)
}

// Query runs a statement that returns rows. Close them, or read them to the
// end, before the next statement of the transaction.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	query, args, err := tx.prepare(query, args)
	if err != nil {
		return nil, tx.fail(err)
	}
	return tx.query(query, args...)
}

// QueryRow runs a statement that returns at most one row. Scan returns
// ErrNotFound if there is none.
func (tx *Tx) QueryRow(query string, args ...any) *Row {
	rows, err := tx.Query(query, args...)
	return &Row{rows: rows, err: err}
}

// Collect runs a statement and returns what scan makes of each row.
func Collect[T any](tx *Tx, scan func(*Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scan)
}

// CollectIDs runs a statement whose rows are ids.
func CollectIDs(tx *Tx, query string, args ...any) ([]uuid.UUID, error) {
	return Collect(tx, scanID, query, args...)
}

func scanID(r *Rows) (id uuid.UUID, err error) { return id, r.Scan(&id) }

func collect[T any](rows *Rows, scan func(*Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// prepare puts the statement behind the wall.
func (tx *Tx) prepare(query string, args []any) (string, []any, error) {
	if tx.store.wall == nil { // while the store is being opened
		return query, args, nil
	}
	return tx.store.wall.apply(tx.scope, query, args)
}

// exec and query run a statement of the store's own, which needs no wall.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	args, err := tx.ready(args)
	if err != nil {
		return 0, err
	}
	res, err := tx.session.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("%w (in %s)", err, firstLine(query)))
	}
	n, err := res.RowsAffected()
	return n, tx.fail(err)
}

func (tx *Tx) query(query string, args ...any) (*Rows, error) {
	args, err := tx.ready(args)
	if err != nil {
		return nil, err
	}
	rows, err := tx.session.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("%w (in %s)", err, firstLine(query)))
	}
	tx.rows = &Rows{tx: tx, rows: rows}
	return tx.rows, nil
}

func (tx *Tx) queryRow(query string, args ...any) *Row {
	rows, err := tx.query(query, args...)
	return &Row{rows: rows, err: err}
}

// ready checks that a statement may run now and translates its arguments.
func (tx *Tx) ready(args []any) ([]any, error) {
	if tx.err != nil {
		return nil, tx.err
	}
	if err := tx.ctx.Err(); err != nil {
		return nil, tx.fail(err)
	}
	if tx.rows != nil {
		return nil, tx.fail(errors.New("store: a statement was run while the rows of another were open"))
	}
	args = slices.Clone(args)
	for i, v := range args {
		// SQLite would take what PostgreSQL refuses.
		if text, ok := v.(string); ok && (!utf8.ValidString(text) || strings.Contains(text, "\x00")) {
			return nil, tx.fail(fmt.Errorf("store: argument $%d is not text: it holds a NUL or is not UTF-8", i+1))
		}
		a, err := tx.store.engine.argument(v)
		if err != nil {
			return nil, tx.fail(fmt.Errorf("store: argument $%d: %w", i+1, err))
		}
		args[i] = a
	}
	return args, nil
}

func (tx *Tx) fail(err error) error {
	if err != nil && tx.err == nil {
		tx.err = err
	}
	return err
}

// end is the outcome of the transaction's function.
func (tx *Tx) end(err error) error {
	if tx.rows != nil {
		tx.rows.Close()
		tx.fail(errors.New("store: a transaction ended while rows were open"))
	}
	if err == nil {
		err = tx.err
	}
	return err
}

// forget makes the transaction new again, before it is rolled back to a
// savepoint at its beginning.
func (tx *Tx) forget() {
	tx.err, tx.changes, tx.dued = nil, nil, false
}

// Rows are the result of a Query.
type Rows struct {
	tx    *Tx
	rows  *sql.Rows
	extra []any // columns that a list reads after those of its caller
}

// Next moves to the next row; at the end it closes the rows.
func (r *Rows) Next() bool {
	if r.rows.Next() {
		return true
	}
	r.release()
	return false
}

// Scan copies the columns of the current row.
func (r *Rows) Scan(dest ...any) error {
	return r.tx.fail(r.rows.Scan(slices.Concat(dest, r.extra)...))
}

// Err is the error that ended the iteration, if one did.
func (r *Rows) Err() error { return r.tx.fail(r.rows.Err()) }

// Close ends the iteration. It does no harm to close twice.
func (r *Rows) Close() {
	r.rows.Close()
	r.release()
}

func (r *Rows) release() {
	if r.tx.rows == r {
		r.tx.rows = nil
		r.tx.fail(r.rows.Err())
	}
}

// A Row is the result of a QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the columns of the row, or returns ErrNotFound.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNotFound
	}
	return r.rows.Scan(dest...)
}

// Micros is a time as the database keeps it: microseconds since 1970, UTC;
// 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the inverse of Micros.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Null is id as a column that may be NULL keeps it: uuid.Nil becomes NULL.
func Null(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

func firstLine(query string) string {
	const most = 120
	for i, r := range query {
		if i >= most {
			return query[:i] + "…"
		}
		if r == '\n' && i > 0 {
			return query[:i]
		}
	}
	return query
}
