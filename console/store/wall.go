package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// A wall knows which tables belong to organisations and puts statements behind
// it. It guards against forgetting, not against malice: it reads the text of a
// statement, not its meaning.
type wall struct {
	tables map[string]bool // those with a column organisation_id
	known  sync.Map        // statement text -> walled; texts are constants of the code
}

// walled is what the wall found out about a statement.
type walled struct {
	table  string   // a table behind the wall, "" if none
	insert bool     // the statement puts rows into that table
	parts  []string // the text around the {wall} marks
	names  []string // the alias in each mark
}

var (
	tablePattern  = regexp.MustCompile(`(?i)\b(from|join|into|update)\s+([a-z_][a-z0-9_]*)`)
	wallPattern   = regexp.MustCompile(`\{wall(?: ([a-z_]+))?\}`)
	insertPattern = regexp.MustCompile(`(?i)^\s*insert\s`)
)

func readWall(ctx context.Context, e engine) (*wall, error) {
	query := "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'organisation_id'"
	if e.name() == "postgres" {
		query = "SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'organisation_id'"
	}
	w := &wall{tables: map[string]bool{}}
	err := e.view(ctx, func(s session) error {
		rows, err := s.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // Err below tells
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			w.tables[name] = true
		}
		return rows.Err()
	})
	return w, err
}

// read finds the tables and marks of a statement.
func (w *wall) read(query string) *walled {
	if v, ok := w.known.Load(query); ok {
		return v.(*walled)
	}
	r := &walled{}
	for _, m := range tablePattern.FindAllStringSubmatch(query, -1) {
		if name := strings.ToLower(m[2]); w.tables[name] && r.table == "" {
			r.table = name
			r.insert = strings.EqualFold(m[1], "into") && insertPattern.MatchString(query)
		}
	}
	at := 0
	for _, m := range wallPattern.FindAllStringSubmatchIndex(query, -1) {
		r.parts = append(r.parts, query[at:m[0]])
		name := ""
		if m[2] >= 0 {
			name = query[m[2]:m[3]]
		}
		r.names = append(r.names, name)
		at = m[1]
	}
	r.parts = append(r.parts, query[at:])
	w.known.Store(query, r)
	return r
}

// apply replaces the marks of a statement by the organisations of the scope,
// and refuses a statement that should have one and does not.
func (w *wall) apply(scope Scope, query string, args []any) (string, []any, error) {
	r := w.read(query)
	if len(r.names) == 0 {
		if r.table == "" || scope.Everywhere || r.insert && carries(scope, args) {
			return query, args, nil
		}
		if r.insert {
			return "", nil, fmt.Errorf("store: a row for %s belongs to no organisation of the scope (in %s)", r.table, firstLine(query))
		}
		return "", nil, fmt.Errorf("store: a statement on %s needs {wall} (in %s)", r.table, firstLine(query))
	}

	var marks string // "$4, $5"
	switch {
	case scope.Everywhere, len(scope.Organisations) == 0:
	default:
		args = slices.Clone(args)
		for i, id := range scope.Organisations {
			args = append(args, id)
			if i > 0 {
				marks += ", "
			}
			marks += "$" + strconv.Itoa(len(args))
		}
	}
	var b strings.Builder
	for i, part := range r.parts {
		b.WriteString(part)
		if i == len(r.names) {
			break
		}
		switch {
		case scope.Everywhere:
			b.WriteString("TRUE")
		case marks == "":
			b.WriteString("FALSE")
		default:
			if r.names[i] != "" {
				b.WriteString(r.names[i] + ".")
			}
			b.WriteString("organisation_id IN (" + marks + ")")
		}
	}
	return b.String(), args, nil
}

func carries(scope Scope, args []any) bool {
	return slices.ContainsFunc(args, func(v any) bool {
		id, ok := v.(uuid.UUID)
		return ok && slices.Contains(scope.Organisations, id)
	})
}

// behind says for a table of any room whether it stands behind the wall.
func (w *wall) behind(table string) (bool, error) {
	if !namePattern.MatchString(table) {
		return false, errors.New("store: " + strconv.Quote(table) + " is not the name of a table")
	}
	return w.tables[table], nil
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
