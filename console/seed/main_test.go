package main

import (
	"log/slog"
	"testing"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

// As many machines and tickets as were asked for, of every kind, none of them empty.
func TestSeed(t *testing.T) {
	options := storetest.SQLite(t)
	if err := run(t.Context(), options, 60, 90); err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, options)
	o, err := account.New(s, slog.New(slog.DiscardHandler)).Default(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), store.System("test").Within(o.ID), func(tx *store.Tx) error {
		c, err := fleet.Count(tx)
		if err != nil || c.Total != 60 || c.Online == 0 || c.Online == 60 || c.ByHealth[model.HealthOK] != 57 || c.ByHealth[model.HealthWarning]+c.ByHealth[model.HealthCritical] != 3 {
			t.Errorf("%+v %v", c, err)
		}
		people, err := desk.List(tx, desk.Query{Request: store.Request{Limit: 200}, Source: model.SourcePerson})
		if err != nil || people.Total != 90 {
			t.Errorf("%d tickets of people: %v", people.Total, err)
		}
		states := map[model.TicketState]int{}
		for _, one := range people.Items {
			if states[one.State]++; one.Says == "" || one.Requester.Name == "" {
				t.Errorf("%+v", one)
			}
		}
		alerts, err := desk.List(tx, desk.Query{Source: model.SourceAlert})
		if err != nil || len(states) != 3 || alerts.Total == 0 {
			t.Errorf("%v, %d tickets of alerts: %v", states, alerts.Total, err)
		}
		found, err := fleet.List(tx, fleet.Query{Text: "00042"})
		if err != nil || len(found.Items) != 1 || found.Items[0].OS.Name == "" {
			t.Errorf("by its name: %+v %v", found.Items, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
