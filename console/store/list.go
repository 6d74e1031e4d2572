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
// between make no gap and no double.
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
	Key     string // the unique UUID column, which ends every order
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
	Total int64  // rows of the whole list
}

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
	where, args := l.conditions(tx)

	if err := tx.QueryRow("SELECT count(*) FROM "+l.From+where, args...).Scan(&page.Total); err != nil {
		return page, err
	}

	if r.Cursor != "" {
		values, err := decodeCursor(r.Cursor, sort, orders)
		if err != nil {
			return page, err
		}
		var after string
		after, args = following(orders, values, args)
		where += " AND " + after
	}
	query := "SELECT " + l.Columns
	var order strings.Builder
	seen := make([]any, len(orders)) // the sort columns of the current row
	for i, o := range orders {
		query += ", " + o.Column
		if i > 0 {
			order.WriteString(", ")
		}
		order.WriteString(o.Column)
		if o.Descending {
			order.WriteString(" DESC")
		}
		seen[i] = o.Kind.value()
	}
	query += " FROM " + l.From + where + " ORDER BY " + order.String() + " LIMIT " + strconv.Itoa(r.Limit+1)
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
	list[len(list)-1].Descending = list[0].Descending
	if turned {
		for i := range list {
			list[i].Descending = !list[i].Descending
		}
	}
	return list, nil
}

// conditions is the WHERE clause without the cursor.
func (l *List) conditions(tx *Tx) (string, []any) {
	where := " WHERE TRUE"
	if l.Wall != "" {
		where = " WHERE {wall " + l.Wall + "}"
	}
	args := slices.Clone(l.args)
	n := 0
	for _, c := range l.where {
		where += " AND "
		for i, part := range strings.Split(c, "?") {
			if i > 0 {
				n++
				where += "$" + strconv.Itoa(n)
			}
			where += part
		}
	}
	if l.searched != "" {
		matching, more := tx.matching(l.searched, l.text, len(args))
		where += " AND " + l.Key + " IN (SELECT id FROM search WHERE " + matching + " AND {wall})"
		args = append(args, more...)
	}
	return where, args
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
