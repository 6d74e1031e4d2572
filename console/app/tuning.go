package app

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// pendingTuning is what an organisation set at its agents, when a machine has
// something else.
func (c *Console) pendingTuning(tx *store.Tx, from model.From) ([]model.Act, error) {
	t, err := tuningOf(tx, from.Organisation)
	if err != nil {
		return nil, err
	}
	c.lines.SetBeat(from.Machine, t.Beat)
	var has []byte
	if err := tx.QueryRow("SELECT settings_hash FROM machine WHERE id = $1 AND {wall}", from.Machine).Scan(&has); err != nil {
		return nil, err
	}
	if bytes.Equal(has, t.Hash) {
		return nil, nil
	}
	return []model.Act{{ID: model.NewID(), Machine: from, Expires: tx.Now().Add(time.Hour), Body: t}}, nil
}

// waitingForTuning are the machines that a node holds, or those among them, which
// have other settings.
func (c *Console) waitingForTuning(tx *store.Tx, node model.ID, among []model.ID) ([]model.ID, error) {
	return fleet.Behind(tx, node, among, fleet.SettingsHash, func(organisation model.ID) ([]byte, error) {
		t, err := tuningOf(tx, organisation)
		if err != nil {
			return nil, err
		}
		return t.Hash, nil
	})
}

func tuningOf(tx *store.Tx, organisation model.ID) (*model.Tuning, error) {
	s, err := fleet.Settings(tx, organisation)
	if err != nil {
		return nil, err
	}
	t := &model.Tuning{Beat: s.Beat, UploadEvery: s.UploadEvery}
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	t.Hash = digest(raw)
	return t, nil
}

func (c *Console) tuningSent(ctx context.Context, a model.Act) {
	t, ok := a.Body.(*model.Tuning)
	if !ok {
		return
	}
	err := c.store.Update(ctx, store.System("tuning"), func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE machine SET settings_hash = $1 WHERE id = $2 AND {wall}", t.Hash, a.Machine.Machine)
		return err
	})
	if err != nil {
		c.options.Log.Error("cannot write down which settings a machine has", "machine", a.Machine.Machine, "error", err)
	}
}
