package session

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// What a machine answers stands in the ticket as it was said, whatever letters it
// has.
func TestToldToTheTicket(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ticket, err := desk.New(r.store, slog.New(slog.DiscardHandler)).Open(t.Context(), r.scope,
			desk.NewTicket{Organisation: r.machine.Organisation, Title: "it does not print"})
		if err != nil {
			t.Fatal(err)
		}
		q := r.request()
		q.Ticket = ticket.ID
		row, err := r.Create(t.Context(), r.scope, q)
		if err != nil {
			t.Fatal(err)
		}
		const refusal = "odmowa \a\x7f „nie”"
		r.Opened(t.Context(), model.Opened{From: r.machine, Session: row.ID, Refusal: refusal, Text: "no"})
		var items store.Page[model.Item]
		err = r.store.View(t.Context(), r.scope, func(tx *store.Tx) error {
			items, err = desk.Timeline(tx, ticket.ID, store.Request{}, string(model.ItemSession))
			return err
		})
		if err != nil || len(items.Items) != 1 {
			t.Fatalf("%d items, %v", len(items.Items), err)
		}
		var data map[string]string
		if err := json.Unmarshal(items.Items[0].Data, &data); err != nil || data["refusal"] != refusal || data["session_id"] != row.ID.String() {
			t.Errorf("%s: %v", items.Items[0].Data, err)
		}
	})
}
