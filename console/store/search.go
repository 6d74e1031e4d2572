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
	var rowid int64
	if err := tx.queryRow(`INSERT INTO search (kind, id, organisation_id, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, id) DO UPDATE SET organisation_id = excluded.organisation_id, at = excluded.at
		RETURNING rowid`, kind, id, organisation, Micros(at)).Scan(&rowid); err != nil {
		return err
	}
	_, err := tx.exec("INSERT OR REPLACE INTO search_words (rowid, words) VALUES ($1, $2)", rowid, strings.Join(list, " "))
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
	where, args := tx.matching(kind, text, 0)
	query, args, err := tx.prepare("SELECT kind, id FROM search WHERE "+where+" AND {wall} ORDER BY at DESC, id DESC LIMIT "+strconv.Itoa(limit), args)
	if err != nil {
		return nil, tx.fail(err)
	}
	rows, err := tx.query(query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r *Rows) (h Hit, err error) {
		return h, r.Scan(&h.Kind, &h.ID)
	})
}

// matching is the condition on the table search, with parameters numbered from
// n+1.
func (tx *Tx) matching(kind, text string, n int) (where string, args []any) {
	list := words(text, mostAsked)
	if len(list) == 0 {
		return "FALSE", nil
	}
	last := len(list) - 1
	prefix := utf8.RuneCountInString(list[last]) >= 2
	var b strings.Builder
	postgres := tx.store.engine.name() == "postgres"
	for i, word := range list {
		// A word is letters and digits only: there is nothing to escape.
		if postgres {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString("'" + word + "'")
			if i == last && prefix {
				b.WriteString(":*")
			}
		} else {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(`"` + word + `"`)
			if i == last && prefix {
				b.WriteByte('*')
			}
		}
	}
	p1, p2 := "$"+strconv.Itoa(n+1), "$"+strconv.Itoa(n+2)
	if postgres {
		return "kind = " + p1 + " AND words @@ CAST(" + p2 + " AS tsquery)", []any{kind, b.String()}
	}
	return "kind = " + p1 + " AND rowid IN (SELECT rowid FROM search_words WHERE search_words MATCH " + p2 + ")", []any{kind, b.String()}
}
