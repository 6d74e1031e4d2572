package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
)

// Check is one thing that is judged, as the organisation has it.
type Check struct {
	ID            string             `json:"id"`
	Title         Words              `json:"title"`
	Family        string             `json:"family"`
	Judged        string             `json:"judged" enum:"machine,console"`
	Value         string             `json:"value"`
	Each          *string            `json:"each"`
	When          *string            `json:"when"`
	Warning       *string            `json:"warning"`
	Critical      *string            `json:"critical"`
	Clear         *string            `json:"clear"`
	For           catalogue.Duration `json:"for"`
	KeepFiringFor catalogue.Duration `json:"keep_firing_for"`
	Interval      catalogue.Duration `json:"interval"`
	Enabled       bool               `json:"enabled"`
	Cures         []string           `json:"cures" nullable:"false"`
	Overrides     []string           `json:"overrides" nullable:"false" doc:"fields that the organisation changed"`
	Version       int64              `json:"version"`
}

func checkOf(c health.CheckOf) Check {
	out := Check{ID: c.ID, Title: Words(c.Text.Title), Family: c.Family, Judged: c.Judged, Value: c.Value, Each: textOrNull(c.Each),
		When: textOrNull(c.When), Warning: textOrNull(c.Warning), Critical: textOrNull(c.Critical), Clear: textOrNull(c.Clear),
		For: c.For, KeepFiringFor: c.KeepFiringFor, Interval: c.Interval, Enabled: c.Enabled,
		Cures: append([]string{}, c.Cures...), Overrides: []string{}, Version: c.Version}
	own, ok := catalogue.Find(c.ID)
	if !ok {
		return out
	}
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"warning", own.Warning != c.Warning}, {"critical", own.Critical != c.Critical}, {"clear", own.Clear != c.Clear},
		{"for", own.For != c.For}, {"keep_firing_for", own.KeepFiringFor != c.KeepFiringFor},
		{"interval", own.Interval != c.Interval}, {"enabled", own.Enabled != c.Enabled},
	} {
		if f.changed {
			out.Overrides = append(out.Overrides, f.name)
		}
	}
	return out
}

// Settings of the organisation; spans are written like "30s".
type Settings struct {
	Beat             catalogue.Duration `json:"beat"`
	OfflineAfter     catalogue.Duration `json:"offline_after"`
	UploadEvery      catalogue.Duration `json:"upload_every"`
	JoinWindow       catalogue.Duration `json:"join_window"`
	AutoResolveAfter catalogue.Duration `json:"auto_resolve_after"`
	Storm            Storm              `json:"storm"`
	WatchedServices  []string           `json:"watched_services" nullable:"false"`
	Version          int64              `json:"version"`
}

// Storm says when many machines with one check are one ticket.
type Storm struct {
	Machines int                `json:"machines"`
	Window   catalogue.Duration `json:"window"`
}

func settingsOf(s model.Settings) Settings {
	d := func(d time.Duration) catalogue.Duration { return catalogue.Duration(d) }
	return Settings{Beat: d(s.Beat), OfflineAfter: d(s.OfflineAfter), UploadEvery: d(s.UploadEvery), JoinWindow: d(s.JoinWindow),
		AutoResolveAfter: d(s.AutoResolveAfter), Storm: Storm{s.StormMachines, d(s.StormWindow)},
		WatchedServices: append([]string{}, s.Watched...), Version: s.Version}
}

func (a *API) checkRoutes() {
	operation(a, http.MethodGet, "/checks", "machine.read", "List checks", func(ctx context.Context, _ *struct{}) (*Answer[Page[Check]], error) {
		page := Page[Check]{Items: []Check{}}
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := health.Checks(tx, callerOf(ctx).organisation)
			page.Items = page.Items[:0]
			for _, c := range list {
				page.Items = append(page.Items, checkOf(c))
			}
			page.Total = int64(len(list))
			return err
		})
		return answer(page, err)
	})
	type one struct {
		ID string `path:"id" maxLength:"64"`
	}
	operation(a, http.MethodGet, "/checks/{id}", "machine.read", "One check", func(ctx context.Context, in *one) (*Answer[Check], error) {
		var out Check
		err := a.view(ctx, func(tx *store.Tx) error {
			c, err := health.Resolved(tx, callerOf(ctx).organisation, in.ID)
			out = checkOf(c)
			return err
		})
		return answer(out, err)
	})
	operation(a, http.MethodPatch, "/checks/{id}", "check.write", "Change a check for the organisation", a.changeCheck)
	operation(a, http.MethodGet, "/settings", "machine.read", "Settings of the organisation", func(ctx context.Context, _ *struct{}) (*Answer[Settings], error) {
		var s model.Settings
		err := a.view(ctx, func(tx *store.Tx) error {
			var err error
			s, err = fleet.Settings(tx, callerOf(ctx).organisation)
			return err
		})
		return answer(settingsOf(s), err)
	})
	operation(a, http.MethodPatch, "/settings", "settings.write", "Change settings", a.changeSettings)
}

type checkChange struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Version       int64     `json:"version" default:"-1" required:"false" doc:"without it the newest is changed"`
		Warning       *string   `json:"warning,omitempty" maxLength:"4096"`
		Critical      *string   `json:"critical,omitempty" maxLength:"4096"`
		Clear         *string   `json:"clear,omitempty" maxLength:"4096"`
		For           *string   `json:"for,omitempty" doc:"a duration such as 2s"`
		KeepFiringFor *string   `json:"keep_firing_for,omitempty"`
		Interval      *string   `json:"interval,omitempty"`
		Enabled       *bool     `json:"enabled,omitempty"`
		Watched       *[]string `json:"watched_services,omitempty" doc:"of service.stopped: services that must run"`
	}
}

func (a *API) changeCheck(ctx context.Context, in *checkChange) (*Answer[Check], error) {
	c := callerOf(ctx)
	b := in.Body
	o := catalogue.Override{Check: in.ID, Warning: b.Warning, Critical: b.Critical, Clear: b.Clear, Enabled: b.Enabled}
	for _, d := range []struct {
		field string
		text  *string
		into  **catalogue.Duration
	}{{"for", b.For, &o.For}, {"keep_firing_for", b.KeepFiringFor, &o.KeepFiringFor}, {"interval", b.Interval, &o.Interval}} {
		if d.text == nil {
			continue
		}
		parsed, err := catalogue.ParseDuration(*d.text)
		if err != nil {
			return nil, model.Problemf(model.CodeInvalid, d.field, "%v", err)
		}
		*d.into = &parsed
	}
	var out Check
	err := a.update(ctx, func(tx *store.Tx) error {
		if b.Watched != nil {
			if in.ID != "service.stopped" {
				return model.Problemf(model.CodeInvalid, "watched_services", "Only service.stopped watches services.")
			}
			s, err := fleet.Settings(tx, c.organisation)
			if err != nil {
				return err
			}
			s.Watched = *b.Watched
			if err := fleet.SetSettings(tx, c.organisation, s); err != nil {
				return err
			}
		}
		version := b.Version
		if version < 0 {
			now, err := health.Resolved(tx, c.organisation, in.ID)
			if err != nil {
				return err
			}
			version = now.Version
		}
		changed, err := a.rooms.Health.Override(tx, c.organisation, version, o)
		if errors.Is(err, store.ErrConflict) {
			return &conflictError{current: checkOf(changed)}
		}
		out = checkOf(changed)
		return err
	})
	if err == nil {
		a.rooms.Settings(c.organisation)
	}
	return answer(out, err)
}

type settingsChange struct {
	Body struct {
		Version          int64   `json:"version" default:"-1" required:"false" doc:"without it the newest is changed"`
		Beat             *string `json:"beat,omitempty"`
		OfflineAfter     *string `json:"offline_after,omitempty"`
		UploadEvery      *string `json:"upload_every,omitempty"`
		JoinWindow       *string `json:"join_window,omitempty"`
		AutoResolveAfter *string `json:"auto_resolve_after,omitempty"`
		Storm            *struct {
			Machines *int    `json:"machines,omitempty"`
			Window   *string `json:"window,omitempty"`
		} `json:"storm,omitempty"`
		WatchedServices *[]string `json:"watched_services,omitempty"`
	}
}

func (in *settingsChange) apply(s *model.Settings) error {
	b := in.Body
	spans := []struct {
		field string
		text  *string
		into  *time.Duration
	}{
		{"beat", b.Beat, &s.Beat}, {"offline_after", b.OfflineAfter, &s.OfflineAfter}, {"upload_every", b.UploadEvery, &s.UploadEvery},
		{"join_window", b.JoinWindow, &s.JoinWindow}, {"auto_resolve_after", b.AutoResolveAfter, &s.AutoResolveAfter},
	}
	if b.Storm != nil {
		spans = append(spans, struct {
			field string
			text  *string
			into  *time.Duration
		}{"storm.window", b.Storm.Window, &s.StormWindow})
		if b.Storm.Machines != nil {
			s.StormMachines = *b.Storm.Machines
		}
	}
	for _, d := range spans {
		if d.text == nil {
			continue
		}
		parsed, err := catalogue.ParseDuration(*d.text)
		if err != nil {
			return model.Problemf(model.CodeInvalid, d.field, "%v", err)
		}
		*d.into = time.Duration(parsed)
	}
	if b.WatchedServices != nil {
		s.Watched = *b.WatchedServices
	}
	return nil
}

func (a *API) changeSettings(ctx context.Context, in *settingsChange) (*Answer[Settings], error) {
	c := callerOf(ctx)
	var out Settings
	err := a.update(ctx, func(tx *store.Tx) error {
		s, err := fleet.Settings(tx, c.organisation)
		if err != nil {
			return err
		}
		if in.Body.Version >= 0 && in.Body.Version != s.Version {
			return &conflictError{current: settingsOf(s)}
		}
		if err := in.apply(&s); err != nil {
			return err
		}
		if err := fleet.SetSettings(tx, c.organisation, s); err != nil {
			return err
		}
		now, err := fleet.Settings(tx, c.organisation)
		out = settingsOf(now)
		return err
	})
	if err == nil {
		a.rooms.Settings(c.organisation)
	}
	return answer(out, err)
}
