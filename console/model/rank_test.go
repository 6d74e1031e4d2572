package model_test

import (
	"testing"

	"github.com/deskside/deskside/console/model"
)

// Lists filter and count health by its rank.
func TestRank(t *testing.T) {
	for rank, health := range []model.Health{model.HealthOK, model.HealthUnknown, model.HealthWarning, model.HealthCritical} {
		if health.Rank() != rank || model.Ranked(rank) != health {
			t.Errorf("%s: %d, %s", health, health.Rank(), model.Ranked(rank))
		}
	}
	for _, none := range []int{-1, 4} {
		if model.Ranked(none) != model.HealthUnknown || model.Health("strange").Rank() != model.HealthUnknown.Rank() {
			t.Errorf("%d is %s", none, model.Ranked(none))
		}
	}
}
