package store

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/fuzztest"
)

// FuzzCursor: what a page hands back is refused as the request that it is, or has a
// value for each column of the sort, and is the same after it was written again.
func FuzzCursor(f *testing.F) {
	orders := []Order{{Column: "a", Kind: Text}, {Column: "b", Kind: Int}, {Column: "c", Kind: Float}, {Column: "d", Kind: Bytes}, {Column: "id", Kind: ID}}
	f.Add(encodeCursor("name", []any{"Zażółć", int64(-7), 0.25, []byte{0, 1}, uuid.Max}))
	f.Add(encodeCursor("name", []any{"a\x00b", int64(1), 1.5, []byte{}, uuid.Nil}))
	f.Add(encodeCursor("other", []any{"a", int64(1), 1.5, []byte{}, uuid.Nil}))
	f.Fuzz(func(t *testing.T, text string) {
		var values []any
		var err error
		fuzztest.Spends(t, 512*len(text), func() { values, err = decodeCursor(text, "name", orders) })
		if err != nil {
			var wrong *RequestError
			if !errors.As(err, &wrong) || len(values) > 0 {
				t.Errorf("%v, %v", values, err)
			}
			return
		}
		if len(values) != len(orders) || strings.ContainsRune(values[0].(string), 0) {
			t.Fatalf("values %q", values)
		}
		if again, err := decodeCursor(encodeCursor("name", values), "name", orders); err != nil || !reflect.DeepEqual(again, values) {
			t.Errorf("%v became %v, %v", values, again, err)
		}
	})
}
