package store

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// A Hit is a thing that a search found.
type Hit struct {
	Kind string
	ID   uuid.UUID
}

// Index keeps the words of a thing, in place of those it had. at decides the
// order of hits: newest first.
func (tx *Tx) Index(organisation uuid.UUID, kind string, id uuid.UUID, at time.Time, texts ...string) error {
	list := words(strings.Join(texts, "\n"), mostWords)
	slices.Sort(list)
	list = slices.Compact(list)
	if tx.store.engine.name() == "postgres" {
		// The words go as one text: they hold no blanks, and a text needs no
		// array type on the way.
		_, err := tx.exec(`INSERT INTO search (kind, id, organisation_id, at, words)
			VALUES ($1, $2, $3, $4, array_to_tsvector(string_to_array($5, ' ')))
			ON CONFLICT (kind, id) DO UPDATE SET organisation_id = excluded.organisation_id, at = excluded.at, words = excluded.words`,
			kind, id, organisation, Micros(at), strings.Join(list, " "))
		return err
	}
	text := " " + strings.Join(list, " ") + " " // each word between blanks, see spelled
	var rowid int64
	if err := tx.queryRow(`INSERT INTO search (kind, id, organisation_id, at, words) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, id) DO UPDATE SET organisation_id = excluded.organisation_id, at = excluded.at, words = excluded.words
		RETURNING rowid`, kind, id, organisation, Micros(at), text).Scan(&rowid); err != nil {
		return err
	}
	_, err := tx.exec("INSERT OR REPLACE INTO search_words (rowid, words) VALUES ($1, $2)", rowid, text)
	return err
}

// Forget removes the words of a thing.
func (tx *Tx) Forget(kind string, id uuid.UUID) error {
	if tx.store.engine.name() == "sqlite" {
		if _, err := tx.exec("DELETE FROM search_words WHERE rowid = (SELECT rowid FROM search WHERE kind = $1 AND id = $2)", kind, id); err != nil {
			return err
		}
	}
	_, err := tx.exec("DELETE FROM search WHERE kind = $1 AND id = $2", kind, id)
	return err
}

// Search returns the newest things of a kind that hold every word of the text.
// The last word may be the beginning of one, if it has at least two letters.
// A text without a word finds nothing.
func (tx *Tx) Search(kind, text string, limit int) ([]Hit, error) {
	matching, with := tx.matching(ask(text))
	c := clause{sql: " WHERE {wall}"}.and("kind = ? AND "+matching, append([]any{kind}, with...)...)
	rows, err := tx.Query("SELECT kind, id FROM search"+c.sql+" ORDER BY at DESC, id DESC LIMIT "+strconv.Itoa(limit), c.args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r *Rows) (h Hit, err error) {
		return h, r.Scan(&h.Kind, &h.ID)
	})
}

// matching is a condition on the table search; each ? in it stands for one of the
// arguments.
func (tx *Tx) matching(a asked) (condition string, args []any) {
	switch {
	case len(a.words) == 0:
		return "FALSE", nil
	case tx.store.engine.name() == "postgres":
		return "words @@ CAST(? AS tsquery)", []any{a.tsquery()}
	}
	return "rowid IN (SELECT rowid FROM search_words WHERE search_words MATCH ?)", []any{a.match()}
}

// asked are the words that somebody searches for. They are letters and digits
// only: there is nothing to escape in them.
type asked struct {
	words  []string
	begins bool // the last may be the beginning of one
}

func ask(text string) asked {
	list := words(text, mostAsked)
	return asked{list, len(list) > 0 && utf8.RuneCountInString(list[len(list)-1]) >= 2}
}

// tsquery is what PostgreSQL is asked.
func (a asked) tsquery() string {
	text := "'" + strings.Join(a.words, "' & '") + "'"
	if a.begins {
		text += ":*"
	}
	return text
}

// match is what FTS5 is asked.
func (a asked) match() string {
	text := `"` + strings.Join(a.words, `" "`) + `"`
	if a.begins {
		text += "*"
	}
	return text
}

// spelled is a condition on the words of a row in SQLite that says the same as
// match.
func (a asked) spelled() (condition string, args []any) {
	var parts []string
	for i, word := range a.words {
		if word = " " + word; i < len(a.words)-1 || !a.begins {
			word += " "
		}
		parts = append(parts, "instr(search.words, ?) > 0")
		args = append(args, word)
	}
	return strings.Join(parts, " AND "), args
}
