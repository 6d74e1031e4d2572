package api

import (
	"testing"

	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
)

// TestDoneIsSaidWhenOver: an alert that fires has the words of its end ready, and
// does not say them before.
func TestDoneIsSaidWhenOver(t *testing.T) {
	done := model.Words{EN: "Enough space again: 21 GB.", PL: "Znów jest miejsce: 21 GB."}
	for state, told := range map[model.AlertState]bool{model.AlertFiring: false, model.AlertUnknown: false, model.AlertResolved: true} {
		got := alertOf(health.AlertOf{Alert: model.Alert{State: state, Done: done}}).Done
		if (got != nil) != told || told && *got != done {
			t.Errorf("%s: %v", state, got)
		}
	}
}
