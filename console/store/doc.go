// Package store is the console's memory: one database, SQLite by default and
// PostgreSQL where one machine is not enough, behind one small set of calls.
// It knows no nouns. Each room of the console keeps the SQL of its own tables
// in its own *_sql.go files and runs it through a [Tx]; this package alone
// knows which database it is talking to.
//
// # Transactions
//
//	err := s.View(ctx, scope, func(tx *store.Tx) error { ... })   // one snapshot, reads only
//	err := s.Update(ctx, scope, func(tx *store.Tx) error { ... }) // all or nothing
//
// Update runs at REPEATABLE READ on PostgreSQL; when two transactions collide
// the loser's function is run again from the start. On SQLite there is one
// writer; the functions of callers who wait at the same time run one after the
// other, each under its own savepoint, and share one commit and so one fsync.
// Either way the function may run more than once or be undone after it
// returned: it touches its Tx and its own variables, sends nothing, and sets
// its results anew on every run.
//
// When Update returns nil the change is on disk and survives a power cut.
// When it returns [ErrUnavailable] the database was locked, full or gone, and
// whether the change was made may be unknown: repeat it only if a second time
// does no harm.
//
// A statement that fails dooms its transaction on both engines: later
// statements return the same error, and so does Update even if the function
// hides it. A constraint violation is therefore never control flow; write
// INSERT ... ON CONFLICT DO NOTHING RETURNING and look at what came back.
//
// A decision over many rows (is the wave done? is this the fifth machine?) is
// made after the transaction first changed the parent row with [Tx.Bump], so
// that two who decide at once collide there and one of them decides again.
//
// # One SQL text
//
// Statements are written once for both engines: $1, $2 parameters; columns of
// the types UUID, TEXT, CTEXT, BIGINT, DOUBLE PRECISION, BOOLEAN and BLOB;
// times as BIGINT microseconds since 1970 in UTC ([Micros], [Time]); no NULL
// in a column that is sorted by; sums cast to BIGINT; JSON and CBOR opaque.
// CTEXT is text that compares by its bytes: everything a program compares or
// sorts (states, kinds, codes, keys) is CTEXT. TEXT is for what people read.
// Beside a name stand name_fold (CTEXT, from [Fold]) for uniqueness and
// name_sort (BLOB, from [SortKey]) for order, because no two databases agree
// about either. Nothing that people typed meets LIKE or lower(): there is
// [Tx.Search] for that.
//
// A uuid.UUID goes in as it is and scans back into a uuid.UUID (UUID columns
// are 16 raw bytes on SQLite, uuid on PostgreSQL); uuid.NullUUID stands for a
// column that may be NULL. A time.Time is refused, so that nobody stores one
// by accident. Rows must be closed or read to the end before the next
// statement.
//
// # The wall
//
// A [Scope] says who acts and for which organisations. In a transaction whose
// scope is bounded, a statement that names a table with an organisation_id
// column must stand behind the wall, or it is refused before it reaches the
// database:
//
//	SELECT title FROM ticket WHERE id = $1 AND {wall}
//	SELECT t.title FROM ticket t JOIN ... WHERE t.id = $1 AND {wall t}
//
// {wall} becomes organisation_id IN (the organisations of the scope); it is
// TRUE for a scope that reaches everywhere and FALSE for one that reaches
// nothing. An INSERT must carry one of the scope's organisations among its
// arguments. Another organisation's row is thus not found, as if it did not
// exist.
//
// # What a transaction leaves behind
//
// [Tx.Changed] notes that a thing looks different now; the notes of a
// transaction are handed to the function set with [Store.OnChanged] after the
// commit, never before. [Tx.Due] writes a row that becomes due, [Store.RunDue]
// calls its handler. [Tx.Audit] writes who did what; [Store.RunSeal] chains
// and signs those rows. [Tx.Index] keeps the words of a thing for Search.
// [Tx.AppendBlob] keeps bytes.
package store
