package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
)

// Settings are the organisation's, or the defaults.
func Settings(tx *store.Tx, organisation model.ID) (model.Settings, error) {
	s := model.DefaultSettings()
	raw, version, err := tx.Setting(organisation, settingsKey)
	if errors.Is(err, store.ErrNotFound) {
		s.Version = 0
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	s.Version = version
	return s, nil
}

// SetSettings keeps settings in place of the version they were read with.
func SetSettings(tx *store.Tx, organisation model.ID, s model.Settings) error {
	if err := checkSettings(s); err != nil {
		return err
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	if err := tx.SetSetting(organisation, settingsKey, s.Version, raw); err != nil {
		return err
	}
	tx.Changed(organisation, "settings", organisation)
	return tx.Audit(store.Entry{Organisation: organisation, Action: "settings.change", Result: "done"})
}

func checkSettings(s model.Settings) error {
	for _, d := range []struct {
		field     string
		value     time.Duration
		low, high time.Duration
	}{
		{"beat", s.Beat, time.Second, 5 * time.Minute},
		{"offline_after", s.OfflineAfter, time.Second, 24 * time.Hour},
		{"upload_every", s.UploadEvery, 10 * time.Second, time.Hour},
		{"join_window", s.JoinWindow, 0, 24 * time.Hour},
		{"auto_resolve_after", s.AutoResolveAfter, 0, 7 * 24 * time.Hour},
		{"storm.window", s.StormWindow, time.Second, time.Hour},
	} {
		if d.value < d.low || d.value > d.high {
			return model.Problemf(model.CodeInvalid, d.field, "%s is %s to %s, not %s.", d.field, d.low, d.high, d.value)
		}
	}
	if s.StormMachines < 2 || s.StormMachines > 100_000 {
		return model.Problemf(model.CodeInvalid, "storm.machines", "storm.machines is 2 to 100000, not %d.", s.StormMachines)
	}
	if len(s.Watched) > 100 {
		return model.Problemf(model.CodeInvalid, "watched_services", "At most 100 services are watched, not %d.", len(s.Watched))
	}
	for _, name := range s.Watched {
		var invalid *catalogue.Invalid
		if errors.As(catalogue.CheckService(name), &invalid) {
			return model.Problemf(model.CodeInvalid, invalid.Field, "%s.", invalid.Message)
		}
	}
	return nil
}
