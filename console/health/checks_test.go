package health

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
)

// A name of a service that no check can take, in a store that kept it before such
// were refused, is left out and told to the log; it stops nothing else.
func TestBadNameStopsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		var log bytes.Buffer
		w.log = slog.New(slog.NewTextHandler(&log, nil))
		pc := w.machine("pc")
		w.update(func(tx *store.Tx) error {
			s := model.DefaultSettings()
			s.Watched = []string{"cups", "smb\td", "sshd"}
			raw, err := json.Marshal(s)
			if err != nil {
				return err
			}
			return tx.SetSetting(w.ours, "settings", 0, raw)
		})
		good := []string{"cups", "sshd"}
		w.update(func(tx *store.Tx) error {
			list, err := Checks(tx, w.ours)
			if err == nil && !slices.Equal(list[0].Watched, good) {
				t.Errorf("the checks watch %q", list[0].Watched)
			}
			return err
		})
		for range 2 {
			w.update(func(tx *store.Tx) error {
				acts, err := w.PendingSet(tx, pc)
				if err != nil || len(acts) != 1 {
					t.Fatalf("%d sets are pending: %v", len(acts), err)
				}
				set, err := catalogue.DecodeSet(acts[0].Body.(*model.CheckSet).Set)
				if err == nil && !slices.Equal(set.Watched, good) {
					t.Errorf("the machine is told to watch %q", set.Watched)
				}
				return err
			})
		}
		if n := strings.Count(log.String(), "smb"); n != 1 {
			t.Errorf("the log tells it %d times: %s", n, log.String())
		}
		w.update(func(tx *store.Tx) error { _, err := w.fleet.Lost(t.Context(), tx, pc.Machine); return err })
		w.update(func(tx *store.Tx) error { _, err := w.Gone(t.Context(), tx, pc.Machine); return err })
		w.settings(func(s *model.Settings) { s.Watched = nil }) // an administrator mends it
		w.update(func(tx *store.Tx) error {
			s, err := fleet.Settings(tx, w.ours)
			if len(s.Watched) > 0 {
				t.Errorf("mended: %q", s.Watched)
			}
			return err
		})
	})
}
