// Package schema holds the tables of the console as one ordered list of SQL
// files.
//
// A file is called NNNN_name.sql and is applied once, in the order of the
// names; NNNN_name.sqlite.sql and NNNN_name.postgres.sql are applied on that
// engine only. Every room owns a hundred: 01 store, 02 account, 03 fleet, 04
// health, 05 desk, 06 repair, 07 session, 08 notify, 09 link; its files come
// from whoever owns the room. A file that is in use is never edited, another
// one follows: a console refuses a database to which a different text was
// applied.
//
// The types are written in capitals, as PostgreSQL understands them: UUID,
// TEXT, CTEXT, BIGINT, DOUBLE PRECISION, BOOLEAN, BLOB. For SQLite those words
// are replaced and every table becomes STRICT, so that it refuses a value of
// the wrong type as PostgreSQL does. What belongs to an organisation has
// organisation_id UUID NOT NULL; what people edit has version BIGINT NOT NULL.
//
// This is 60 lines of our own and not a migration library: both databases take
// the same text, there is no way back down, and all files that are missing are
// applied in one transaction.
package schema

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed *.sql
var files embed.FS

// A File is one step.
type File struct {
	Name string // NNNN_name
	Hash string // SHA-256 of the text as it stands in the file
	SQL  string // for the engine asked for
}

var namePattern = regexp.MustCompile(`^(\d{4}_[a-z0-9_]+)(?:\.(sqlite|postgres))?\.sql$`)

// Files returns the list for an engine, "sqlite" or "postgres", in order.
func Files(engine string) ([]File, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var list []File
	for _, e := range entries {
		m := namePattern.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, fmt.Errorf("%s is not called NNNN_name.sql", e.Name())
		}
		if m[2] != "" && m[2] != engine {
			continue
		}
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		hash := sha256.Sum256(text)
		f := File{Name: m[1], Hash: hex.EncodeToString(hash[:]), SQL: string(text)}
		if engine == "sqlite" && m[2] == "" {
			f.SQL = forSQLite(f.SQL)
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(list); i++ {
		if list[i].Name[:4] == list[i-1].Name[:4] {
			return nil, fmt.Errorf("%s and %s have the same number", list[i-1].Name, list[i].Name)
		}
	}
	return list, nil
}

var (
	typePattern = regexp.MustCompile(`\b(UUID|CTEXT|BIGINT|DOUBLE PRECISION|BOOLEAN)\b`)
	endPattern  = regexp.MustCompile(`(?m)^\);`)
	sqliteTypes = map[string]string{
		"UUID": "BLOB", "CTEXT": "TEXT", "BIGINT": "INTEGER", "DOUBLE PRECISION": "REAL", "BOOLEAN": "INTEGER",
	}
)

// forSQLite replaces the type names outside of comments and closes tables, whose
// last line is ");", with STRICT.
func forSQLite(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		code, comment, _ := strings.Cut(line, "--")
		b.WriteString(typePattern.ReplaceAllStringFunc(code, func(t string) string { return sqliteTypes[t] }))
		if comment != "" {
			b.WriteString("--" + comment)
		}
	}
	return endPattern.ReplaceAllString(b.String(), ") STRICT;")
}
