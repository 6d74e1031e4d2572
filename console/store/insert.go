package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Insert puts many rows into a table with few statements: rows, not only
// commits, make throughput. into is the beginning, "INSERT INTO t (a, b)"; rest
// is what follows the values, "ON CONFLICT (a) DO NOTHING", or nothing. Each
// row has a value for each column. It returns how many rows were changed.
func (tx *Tx) Insert(into string, rows [][]any, rest string) (int64, error) {
	var total int64
	err := tx.chunks(into, rows, rest, func(query string, args []any) error {
		n, err := tx.exec(query, args...)
		total += n
		return err
	})
	return total, err
}

// InsertReturning is Insert with a rest that ends in RETURNING; scan reads the
// rows that come back.
func InsertReturning[T any](tx *Tx, scan func(*Rows) (T, error), into string, rows [][]any, rest string) ([]T, error) {
	var all []T
	err := tx.chunks(into, rows, rest, func(query string, args []any) error {
		result, err := tx.query(query, args...)
		if err != nil {
			return err
		}
		some, err := collect(result, scan)
		all = append(all, some...)
		return err
	})
	return all, err
}

// sizes are how many rows, or ids, a statement has: few, so that few texts are
// prepared.
var sizes = [...]int{256, 64, 16, 4, 1}

// chunks cuts rows into statements.
func (tx *Tx) chunks(into string, rows [][]any, rest string, fn func(query string, args []any) error) error {
	if len(rows) == 0 {
		return nil
	}
	if r := tx.store.wall.read(into); r.table != "" && !tx.scope.Everywhere {
		for _, row := range rows {
			if !carries(tx.scope, row) {
				return tx.fail(fmt.Errorf("store: a row for %s belongs to no organisation of the scope", r.table))
			}
		}
	}
	columns := len(rows[0])
	args := make([]any, 0, min(len(rows), sizes[0])*columns)
	for _, size := range sizes {
		if size > 1 && size*columns > 8192 { // SQLite takes 32,766 parameters
			continue
		}
		query := ""
		for len(rows) >= size {
			if query == "" {
				query = values(into, size, columns, rest)
			}
			args = args[:0]
			for _, row := range rows[:size] {
				if len(row) != columns {
					return tx.fail(fmt.Errorf("store: a row of %d values among rows of %d (in %s)", len(row), columns, firstLine(into)))
				}
				args = append(args, row...)
			}
			if err := fn(query, args); err != nil {
				return err
			}
			rows = rows[size:]
		}
	}
	return nil
}

func values(into string, rows, columns int, rest string) string {
	var b strings.Builder
	b.WriteString(into)
	b.WriteString(" VALUES ")
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteString(") ")
	b.WriteString(rest)
	return b.String()
}

// CollectIn runs a statement for many ids, with few statements, and returns what
// scan makes of each row. {ids} in the query stands for some of them, as in
// "WHERE id IN {ids}"; args are the other parameters, which come first.
func CollectIn[T any](tx *Tx, scan func(*Rows) (T, error), query string, ids []uuid.UUID, args ...any) ([]T, error) {
	var all []T
	err := some(query, ids, args, func(query string, args []any) error {
		list, err := Collect(tx, scan, query, args...)
		all = append(all, list...)
		return err
	})
	return all, err
}

// CollectAmong is CollectIDs of the rows in which column is one of ids, or of all
// where ids is nil. The query ends with its conditions.
func CollectAmong(tx *Tx, query, column string, ids []uuid.UUID, args ...any) ([]uuid.UUID, error) {
	if ids == nil {
		return CollectIDs(tx, query, args...)
	}
	return CollectIn(tx, scanID, query+" AND "+column+" IN {ids}", ids, args...)
}

// some cuts ids into statements.
func some(query string, ids []uuid.UUID, first []any, fn func(query string, args []any) error) error {
	for _, size := range sizes {
		text := ""
		for len(ids) >= size {
			if text == "" {
				list := make([]string, size)
				for i := range list {
					list[i] = "$" + strconv.Itoa(len(first)+i+1)
				}
				text = strings.ReplaceAll(query, "{ids}", "("+strings.Join(list, ", ")+")")
			}
			args := slices.Clone(first)
			for _, id := range ids[:size] {
				args = append(args, id)
			}
			if err := fn(text, args); err != nil {
				return err
			}
			ids = ids[size:]
		}
	}
	return nil
}
