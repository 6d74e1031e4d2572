package store_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/google/uuid"
)

func randomBytes(n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(p)
	return p
}

func TestBlob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation, id := uuid.New(), uuid.New()
		want := randomBytes(700_000) // three rows, the last one short
		size, err := s.WriteBlob(t.Context(), system, organisation, id, iotest.HalfReader(bytes.NewReader(want)), 1<<20)
		if err != nil || size != int64(len(want)) {
			t.Fatal(size, err)
		}
		if n := count(t, s, "blob_part"); n != 3 {
			t.Errorf("%d rows", n)
		}
		r, err := s.OpenBlob(t.Context(), system, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, want); err != nil {
			t.Error(err)
		}

		// What is appended while somebody reads comes after what they see.
		r, err = s.OpenBlob(t.Context(), system, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []string{"a", "", "bc"} {
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.AppendBlob(organisation, id, []byte(piece))
				return err
			})
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		r, err = s.OpenBlob(t.Context(), system, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Seek(-4, io.SeekEnd); err != nil {
			t.Error(err)
		}
		if tail, err := io.ReadAll(r); string(tail[1:]) != "abc" || tail[0] != want[len(want)-1] || err != nil {
			t.Errorf("the end is %q, %v", tail, err)
		}
		if _, err := r.Seek(-1, io.SeekStart); err == nil {
			t.Error("a seek before the beginning")
		}

		// A browser asks for a range.
		rec := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("Range", "bytes=262140-262149")
		http.ServeContent(rec, req, "x.bin", time.Time{}, r)
		if rec.Code != http.StatusPartialContent || !bytes.Equal(rec.Body.Bytes(), want[262140:262150]) {
			t.Errorf("range: %d %x", rec.Code, rec.Body.Bytes())
		}

		update(t, s, func(tx *store.Tx) error { return tx.DeleteBlob(id) })
		if _, err := s.OpenBlob(t.Context(), system, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after deletion: %v", err)
		}
	})
}

func TestBlobTooLargeOrBroken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		organisation := uuid.New()
		if _, err := s.WriteBlob(t.Context(), system, organisation, uuid.New(), bytes.NewReader(randomBytes(300_000)), 299_999); err == nil || !strings.Contains(err.Error(), "larger than 299999 bytes") {
			t.Errorf("got %v", err)
		}
		broken := errors.New("broken")
		r := io.MultiReader(bytes.NewReader(randomBytes(600_000)), iotest.ErrReader(broken))
		if _, err := s.WriteBlob(t.Context(), system, organisation, uuid.New(), r, 1<<20); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if n := count(t, s, "blob_part"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		if size, err := s.WriteBlob(t.Context(), system, organisation, uuid.New(), bytes.NewReader(randomBytes(300_000)), 300_000); size != 300_000 || err != nil {
			t.Errorf("exactly the limit: %d, %v", size, err)
		}
	})
}
