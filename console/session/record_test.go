package session

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// A character that comes in pieces is recorded whole, and what is none becomes a
// mark; every line of the recording is JSON.
func TestRecorder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		row := model.Session{ID: model.NewID(), Organisation: model.NewID(), Columns: 80, Rows: 24, OpenedAt: time.Now()}
		r := newRecorder(s, row, slog.New(slog.DiscardHandler))
		text := "zażółć 🙂 jaźń"
		for i := range len(text) { // cut everywhere
			r.output([]byte{text[i]})
		}
		r.output([]byte("\xff\xc5"))
		r.output([]byte("x\xf0\x9f"))
		size := r.close()
		blob, err := s.OpenBlob(t.Context(), store.System("test"), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(blob)
		if err != nil || int64(len(raw)) != size {
			t.Fatalf("%d bytes of %d (%v)", len(raw), size, err)
		}
		shown := ""
		lines := bufio.NewScanner(strings.NewReader(string(raw)))
		for n := 0; lines.Scan(); n++ {
			if n == 0 {
				continue
			}
			var event []any
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil || len(event) != 3 || event[1] != "o" {
				t.Fatalf("%s: %v", lines.Text(), err)
			}
			shown += event[2].(string)
		}
		if want := text + "\uFFFD\uFFFDx"; shown != want {
			t.Errorf("recorded %q, not %q", shown, want)
		}
	})
}
