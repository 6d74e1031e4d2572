package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T     `json:"items" nullable:"false"`
	Next  *string `json:"next" doc:"cursor of the next page, null at the end"`
	Total int64   `json:"total" doc:"rows of the whole list, as far as they are counted"`
	Over  bool    `json:"over" doc:"there are more than total"`
}

// Listing are the parameters that every list takes.
type Listing struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor string `query:"cursor" doc:"next of the page before"`
	Sort   string `query:"sort" doc:"a name, with - before it for the other direction"`
}

func (l Listing) request() store.Request {
	return store.Request{Limit: l.Limit, Cursor: l.Cursor, Sort: l.Sort}
}

// Answer is a body.
type Answer[T any] struct{ Body T }

func answer[T any](v T, err error) (*Answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &Answer[T]{v}, nil
}

func pageOf[M, T any](p store.Page[M], shape func(M) T) Page[T] {
	out := Page[T]{Items: make([]T, 0, len(p.Items)), Total: p.Total, Over: p.Over}
	for _, item := range p.Items {
		out.Items = append(out.Items, shape(item))
	}
	if p.Next != "" {
		out.Next = &p.Next
	}
	return out
}

// ByID is the path of one thing.
type ByID struct {
	ID uuid.UUID `path:"id"`
}

// Who is an actor in a list; null stands for nobody.
type Who struct {
	Kind string     `json:"kind"`
	ID   *uuid.UUID `json:"id"`
	Name string     `json:"name"`
}

func whoOf(a model.Actor) *Who {
	if a.Name == "" && a.ID == uuid.Nil {
		return nil
	}
	return &Who{Kind: string(a.Kind), ID: idOrNull(a.ID), Name: a.Name}
}

// someone is whoOf where there is always somebody: at least Deskside itself.
func someone(a model.Actor) Who {
	if who := whoOf(a); who != nil {
		return *who
	}
	return Who{Kind: string(model.BySystem), Name: model.System.Name}
}

func idOrNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func textOrNull[T ~string](s T) *string {
	if s == "" {
		return nil
	}
	text := string(s)
	return &text
}

// Words is a text in both languages.
type Words = model.Words

func wordsOrNull(w model.Words) *Words {
	if w.EN == "" && w.PL == "" {
		return nil
	}
	return &w
}

// Nullable is a field of a change that can be absent (nothing changes), null
// (emptied) or a value.
type Nullable[T any] struct {
	Set   bool
	Null  bool
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Nullable[T]) UnmarshalJSON(b []byte) error {
	n.Set = true
	if bytes.Equal(b, []byte("null")) {
		n.Null = true
		return nil
	}
	return json.Unmarshal(b, &n.Value)
}

// Schema implements huma.SchemaProvider.
func (n Nullable[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), true, "")
	s.Nullable = true
	return &s
}

// registry names the types of facts apart from our own, and says how values that
// can be unknown are written.
func registry() huma.Registry {
	facts := reflect.TypeFor[expression.Machine]().PkgPath()
	r := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.PkgPath() == facts {
			return "Fact" + t.Name()
		}
		return huma.DefaultSchemaNamer(t, hint)
	})
	r.RegisterTypeAlias(reflect.TypeFor[expression.Reading](), reflect.TypeFor[*float64]())
	r.RegisterTypeAlias(reflect.TypeFor[expression.Text](), reflect.TypeFor[*string]())
	r.RegisterTypeAlias(reflect.TypeFor[expression.Flag](), reflect.TypeFor[*bool]())
	r.RegisterTypeAlias(reflect.TypeFor[expression.Time](), reflect.TypeFor[*time.Time]())
	r.RegisterTypeAlias(reflect.TypeFor[catalogue.Duration](), reflect.TypeFor[string]())
	return r
}

// nullable tells in the document what the Go types mean: a pointer to a struct
// that is always sent can be null.
func nullable(doc *huma.OpenAPI) {
	registry := doc.Components.Schemas
	for name, schema := range registry.Map() {
		t := registry.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for i := range t.NumField() {
			f := t.Field(i)
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := schema.Properties[tag]
			if p == nil || p.Ref == "" || f.Type.Kind() != reflect.Pointer || strings.Contains(options, "omitempty") {
				continue
			}
			schema.Properties[tag] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
		}
	}
}

func operationID(method, path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune("/{}-_", r) })
	return strings.ToLower(method) + "-" + strings.Join(words, "-")
}

func tagOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}
