package app

import (
	"log/slog"
	"testing"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// TestLapsedAndBack: what a node held that is gone is given up; one that is back before
// anybody came to do that keeps it.
func TestLapsedAndBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		log := slog.New(slog.DiscardHandler)
		c := &Console{store: s, fleet: fleet.New(s, log)}
		ours, node, key := model.NewID(), model.NewID(), model.NewID()
		e, err := c.fleet.NewEnrolment(t.Context(), store.Scope{Organisations: []model.ID{ours}}, ours, 1, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.fleet.Enrol(t.Context(), model.Newcomer{Organisation: ours, Secret: e.Secret, Key: key[:], Name: "pc", OS: model.OS{Family: "linux"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.fleet.Connected(t.Context(), []model.Hello{{From: model.From{Organisation: ours, Machine: m.ID}, Node: node, Name: "pc"}}); err != nil {
			t.Fatal(err)
		}
		givenUp := func(before string) (n int) {
			t.Helper()
			err := s.Update(t.Context(), store.System("test"), func(tx *store.Tx) error {
				if _, err := tx.Exec(before, node); err != nil {
					return err
				}
				if _, err := c.nodeLapsed(t.Context(), tx, node); err != nil {
					return err
				}
				return tx.QueryRow("SELECT count(*) FROM due WHERE kind = $1", fleet.KindOrphan).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := givenUp("INSERT INTO node (id, address, started, lease) VALUES ($1, '', 0, 0)"); n != 0 {
			t.Error("what a node holds that is back was given up")
		}
		if n := givenUp("DELETE FROM node WHERE id = $1"); n != 1 {
			t.Errorf("of a node that is gone %d machines are given up, not one", n)
		}
	})
}
