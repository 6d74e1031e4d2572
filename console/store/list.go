package store

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// A List is a list of rows that is read a page at a time: filtered, searched,
// sorted and counted at the database. Pages continue after the last row that
// was seen, not after a number of rows, so that rows which come and go in
// between make no gap and no double. Counting ends at a bound, so that a page of
// a long list costs what one of a short list costs, where an index has its order.
//
//	l := store.List{
//		Columns: "t.id, t.title",
//		From:    "ticket t JOIN ...",
//		Key:     "t.id",
//		Wall:    "t",
//		Sorts: map[string][]store.Order{
//			"priority":   {{Column: "t.priority", Kind: store.Int}, {Column: "t.created_at", Kind: store.Int}},
//			"updated_at": {{Column: "t.updated_at", Kind: store.Int}},
//		},
//		Sort: "-updated_at",
//	}
//	l.Where("t.state = ?", state)
//	l.Matching("ticket", q)
//	page, err := store.ReadPage(tx, &l, request, scan)
type List struct {
	Columns string // what scan reads
	From    string
	Key     string // the unique UUID column, with its alias, which ends every order
	Wall    string // the alias that has organisation_id; "" if the table has none

	Sorts map[string][]Order // the names that may be asked for
	Sort  string             // the one used when none is; "-" before a name turns every column around

	where    []string
	args     []any
	searched string // kind
	text     string
}

// An Order is a column to sort by. It must not be NULL. Text columns must be
// CTEXT: the order of TEXT differs between servers.
type Order struct {
	Column     string
	Kind       Kind
	Descending bool
}

// A Kind is the type of a column to sort by.
type Kind int

const (
	Int   Kind = iota // BIGINT
	Float             // DOUBLE PRECISION
	Text              // CTEXT
	Bytes             // BLOB
	ID                // UUID
)

// A Request is what somebody asks of a list.
type Request struct {
	Limit  int    // 1 to 500; 0 means 50
	Cursor string // Next of the page before
	Sort   string // a name of Sorts, with "-" for the other direction; "" for the usual one
}

// A Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string // cursor of the next page; "" at the end
	Total int64  // rows of the whole list, as far as they are counted
	Over  bool   // there are more than Total
}

// How far the rows of a list are counted, and how far those of a search; and among
// how many a search looks at all.
const (
	mostCounted = 10_000
	mostHits    = 1_000
	mostWalked  = 3_000
)

// A RequestError says what is wrong with a Request.
type RequestError struct {
	Field   string // limit, cursor or sort
	Value   string
	Message string
}

func (e *RequestError) Error() string { return e.Field + ": " + e.Message }

// Where adds a condition; each ? in it stands for one of the arguments.
func (l *List) Where(condition string, args ...any) {
	l.where = append(l.where, "("+condition+")")
	l.args = append(l.args, args...)
}

// In adds the condition that a column has one of some values. No values means
// no rows.
func In[T any](l *List, column string, values []T) {
	if len(values) == 0 {
		l.Where("FALSE")
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	l.Where(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// Matching keeps only the things of a kind that a search for the text finds
// (see Tx.Search). An empty text keeps all.
func (l *List) Matching(kind, text string) {
	if text != "" {
		l.searched, l.text = kind, text
	}
}

const mostPerPage = 500

// ReadPage reads a page of the list. A mistake in the request is a *RequestError.
func ReadPage[T any](tx *Tx, l *List, r Request, scan func(*Rows) (T, error)) (Page[T], error) {
	var page Page[T]
	if r.Limit == 0 {
		r.Limit = 50
	}
	if r.Limit < 1 || r.Limit > mostPerPage {
		return page, &RequestError{"limit", strconv.Itoa(r.Limit), "must be between 1 and 500"}
	}
	sort := r.Sort
	if sort == "" {
		sort = l.Sort
	}
	orders, err := l.orders(sort)
	if err != nil {
		return page, err
	}
	from, kept := l.From, l.conditions()
	if l.searched != "" {
		from, kept, page.Total, page.Over, err = l.search(tx, kept)
	} else {
		page.Total, page.Over, err = kept.count(tx, from, mostCounted)
	}
	if err != nil {
		return page, err
	}
	where, args := kept.sql, kept.args
	if r.Cursor != "" {
		values, err := decodeCursor(r.Cursor, sort, orders)
		if err != nil {
			return page, err
		}
		var after string
		after, args = following(orders, values, args)
		where += " AND " + after
	}
	if page.Total == 0 {
		page.Items = []T{}
		return page, nil
	}
	query := "SELECT " + l.Columns
	var order strings.Builder
	seen := make([]any, len(orders)) // the sort columns of the current row
	for i, o := range orders {
		query += ", " + o.Column
		if i > 0 {
			order.WriteString(", ")
		}
		if by := o.Column; l.searched != "" && !page.Over {
			// Few are found: they are to be sorted. Walking all rows in their order
			// until enough of them are met, which PostgreSQL likes to do, takes long.
			order.WriteString("COALESCE(" + by + ", " + by + ")")
		} else {
			order.WriteString(by)
		}
		if o.Descending {
			order.WriteString(" DESC")
		}
		seen[i] = o.Kind.value()
	}
	query += " FROM " + from + where + " ORDER BY " + order.String() + " LIMIT " + strconv.Itoa(r.Limit+1)
	rows, err := tx.Query(query, args...)
	if err != nil {
		return page, err
	}
	defer rows.Close()
	rows.extra = seen
	page.Items = make([]T, 0, min(r.Limit, 64))
	last := ""
	for rows.Next() {
		if len(page.Items) == r.Limit { // there is one more
			page.Next = last
			break
		}
		item, err := scan(rows)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, item)
		if len(page.Items) == r.Limit {
			last = encodeCursor(sort, seen)
		}
	}
	return page, rows.Err()
}

// orders is the order by a name, ended by the key so that no two rows are equal.
func (l *List) orders(sort string) ([]Order, error) {
	name, turned := strings.CutPrefix(sort, "-")
	list, ok := l.Sorts[name]
	if !ok {
		allowed := slices.Sorted(maps.Keys(l.Sorts))
		return nil, &RequestError{"sort", sort, "is not one of " + strings.Join(allowed, ", ") + ` (or one of these after "-")`}
	}
	list = append(slices.Clone(list), Order{Column: l.Key, Kind: ID})
	list[len(list)-1].Descending = list[len(list)-2].Descending
	if turned {
		for i := range list {
			list[i].Descending = !list[i].Descending
		}
	}
	return list, nil
}

// conditions is the WHERE clause without the search and the cursor.
func (l *List) conditions() clause {
	c := clause{sql: " WHERE TRUE"}
	if l.Wall != "" {
		c.sql = " WHERE {wall " + l.Wall + "}"
	}
	return c.and(strings.Join(append([]string{"TRUE"}, l.where...), " AND "), l.args...)
}

// search keeps of the rows those that the search finds, and counts them.
//
// PostgreSQL knows how many rows a word finds and reads by that. For SQLite it is
// found out here: where little is left by all else, or much is found, the rows
// are walked in their order and the words of each are looked at; where little is
// found, only that is read.
func (l *List) search(tx *Tx, c clause) (from string, _ clause, total int64, over bool, err error) {
	asked := ask(l.text)
	if tx.store.engine.name() == "postgres" || len(asked.words) == 0 {
		matching, with := tx.matching(asked)
		c = c.and(l.Key+" IN (SELECT id FROM search WHERE kind = ? AND "+matching+" AND {wall})", append([]any{l.searched}, with...)...)
		total, over, err = c.count(tx, l.From, mostHits)
		return l.From, c, total, over, err
	}
	_, many, err := c.count(tx, l.From, mostWalked)
	if err != nil {
		return "", c, 0, false, err
	}
	c = c.and("search.kind = ? AND search.id = "+l.Key+" AND {wall search}", l.searched)
	spelled, with := asked.spelled()
	walk, walked := l.From+" CROSS JOIN search", c.and(spelled, with...) // CROSS: in this order
	if many {
		from, c = "search_words CROSS JOIN search CROSS JOIN "+l.From, c.and("search_words MATCH ? AND search.rowid = search_words.rowid", asked.match())
		if total, over, err = c.count(tx, from, mostHits); over {
			from, c = walk, walked
		}
		return from, c, total, over, err
	}
	total, over, err = walked.count(tx, walk, mostHits)
	return walk, walked, total, over, err
}

// A clause is the WHERE clause of a statement, and what its parameters stand for.
type clause struct {
	sql  string
	args []any
}

// and adds a condition, in which each ? stands for one of the arguments.
func (c clause) and(condition string, args ...any) clause {
	c.sql += " AND "
	n := len(c.args)
	for i, part := range strings.Split(condition, "?") {
		if i > 0 {
			n++
			c.sql += "$" + strconv.Itoa(n)
		}
		c.sql += part
	}
	c.args = slices.Concat(c.args, args)
	return c
}

// count counts rows up to a bound.
func (c clause) count(tx *Tx, from string, most int64) (n int64, over bool, err error) {
	err = tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM "+from+c.sql+" LIMIT "+strconv.FormatInt(most+1, 10)+") counted", c.args...).Scan(&n)
	return min(n, most), n > most, err
}

// following is the condition that a row comes after the one with these values:
// a >= $1 AND (a > $1 OR (a = $1 AND (b < $2 OR (b = $2 AND c > $3)))). The
// first part says nothing new, but an index on a can use it.
func following(orders []Order, values, args []any) (string, []any) {
	args = append(slices.Clone(args), values...)
	first := len(args) - len(values) + 1
	condition := ""
	for i := len(orders) - 1; i >= 0; i-- {
		o, p := orders[i], "$"+strconv.Itoa(first+i)
		sign := ">"
		if o.Descending {
			sign = "<"
		}
		if condition == "" {
			condition = o.Column + " " + sign + " " + p
		} else {
			condition = o.Column + " " + sign + " " + p + " OR (" + o.Column + " = " + p + " AND (" + condition + "))"
		}
		if i == 0 {
			condition = "(" + o.Column + " " + sign + "= " + p + " AND (" + condition + "))"
		}
	}
	return condition, args
}

// value is a place for a column of this kind.
func (k Kind) value() any {
	switch k {
	case Int:
		return new(int64)
	case Float:
		return new(float64)
	case Text:
		return new(string)
	case Bytes:
		return new([]byte)
	}
	return new(uuid.UUID)
}

// A cursor is the sort it belongs to and the sort columns of the last row.
type cursor struct {
	Sort   string            `json:"s"`
	Values []json.RawMessage `json:"v"`
}

func encodeCursor(sort string, values []any) string {
	c := cursor{Sort: sort}
	for _, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			raw = []byte("null") // a float that is no number; decoding refuses it
		}
		c.Values = append(c.Values, raw)
	}
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodeCursor(text, sort string, orders []Order) ([]any, error) {
	const longest = 8 << 10
	wrong := &RequestError{"cursor", text[:min(len(text), 100)], "is not one that this list gave out for this sort"}
	if len(text) > longest {
		return nil, wrong
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, wrong
	}
	var c cursor
	if json.Unmarshal(raw, &c) != nil || c.Sort != sort || len(c.Values) != len(orders) {
		return nil, wrong
	}
	values := make([]any, len(orders))
	for i, o := range orders {
		v := o.Kind.value()
		if string(c.Values[i]) == "null" || json.Unmarshal(c.Values[i], v) != nil {
			return nil, wrong
		}
		switch v := v.(type) {
		case *int64:
			values[i] = *v
		case *float64:
			values[i] = *v
		case *string:
			if strings.ContainsRune(*v, 0) {
				return nil, wrong // PostgreSQL keeps no NUL in a text
			}
			values[i] = *v
		case *[]byte:
			values[i] = *v
		case *uuid.UUID:
			values[i] = *v
		default:
			return nil, fmt.Errorf("store: kind %d cannot be sorted by", o.Kind)
		}
	}
	return values, nil
}
