package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

// Facts are what a machine is and has, in the one shape that facts have.
type Facts struct {
	ObservedAt    *time.Time              `json:"observed_at"`
	Sections      map[string]time.Time    `json:"sections" doc:"when each section was read"`
	OS            *expression.OS          `json:"os"`
	Hardware      *expression.Hardware    `json:"hardware"`
	Filesystems   []expression.Filesystem `json:"filesystems"`
	Network       []expression.Interface  `json:"network"`
	People        []expression.Person     `json:"people"`
	Services      []expression.Service    `json:"services"`
	Processes     []expression.Process    `json:"processes"`
	UptimeSeconds *float64                `json:"uptime_seconds"`
	Unreadable    []expression.Unreadable `json:"unreadable"`
}

// Vitals are series of a span.
type Vitals struct {
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	StepSeconds float64   `json:"step_seconds"`
	Series      []Series  `json:"series" nullable:"false"`
}

// Series is one line of a chart.
type Series struct {
	Name       string            `json:"name"`
	Unit       string            `json:"unit"`
	Attributes map[string]string `json:"attributes"`
	Points     []Pair            `json:"points" nullable:"false" doc:"[unix_ms, value or null]"`
}

// Pair is a moment in Unix milliseconds and a value, or null.
type Pair [2]*float64

// Schema implements huma.SchemaProvider.
func (Pair) Schema(huma.Registry) *huma.Schema {
	two := 2
	return &huma.Schema{Type: huma.TypeArray, MinItems: &two, MaxItems: &two, Items: &huma.Schema{Type: huma.TypeNumber, Nullable: true}}
}

func (a *API) factRoutes() {
	operation(a, http.MethodGet, "/machines/{id}/facts", "machine.read", "What a machine is and has", func(ctx context.Context, in *ByID) (*Answer[Facts], error) {
		var out Facts
		err := a.view(ctx, func(tx *store.Tx) error {
			if _, err := fleet.Get(tx, in.ID); err != nil {
				return err
			}
			m, read, err := fleet.Facts(tx, in.ID)
			if err != nil {
				return err
			}
			out = Facts{ObservedAt: timeOrNull(m.ObservedAt.Time()), Sections: read, OS: m.OS, Hardware: m.Hardware,
				Filesystems: m.Filesystems, Network: m.Network, People: m.People, Services: m.Services,
				Processes: m.Processes, Unreadable: m.Unreadable}
			if v, known := m.UptimeSeconds.Get(); known {
				out.UptimeSeconds = &v
			} else if m.OS != nil && m.OS.BootedAt != 0 {
				up := time.Since(m.OS.BootedAt.Time()).Seconds()
				out.UptimeSeconds = &up
			}
			return nil
		})
		return answer(out, err)
	})
	type query struct {
		ID   uuid.UUID `path:"id"`
		From time.Time `query:"from" doc:"default: an hour before to"`
		To   time.Time `query:"to" doc:"default: now"`
		Step int64     `query:"step_seconds" minimum:"1" maximum:"86400" doc:"default: what gives 240 points"`
		Name []string  `query:"name" doc:"OpenTelemetry names; all without"`
	}
	operation(a, http.MethodGet, "/machines/{id}/vitals", "machine.read", "Vitals over time", func(ctx context.Context, in *query) (*Answer[Vitals], error) {
		from, to, step, err := span(in.From, in.To, in.Step)
		if err != nil {
			return nil, err
		}
		metrics, err := metricsOf(in.Name)
		if err != nil {
			return nil, err
		}
		var rows []history.Row
		err = a.view(ctx, func(tx *store.Tx) error {
			if _, err := fleet.Get(tx, in.ID); err != nil {
				return err
			}
			rows, err = health.Rows(tx, in.ID, from, to)
			return err
		})
		if err != nil {
			return nil, err
		}
		lines, err := history.Thin(rows, from.UnixMicro(), to.UnixMicro(), step.Microseconds(), metrics)
		if lines == nil && err != nil {
			return nil, err
		}
		out := Vitals{From: from, To: to, StepSeconds: step.Seconds(), Series: []Series{}}
		for _, l := range lines {
			out.Series = append(out.Series, seriesOf(l))
		}
		return answer(out, nil)
	})
	operation(a, http.MethodPost, "/machines/{id}/check-now", "machine.read", "Ask a machine to look at itself now", func(ctx context.Context, in *ByID) (*Answer[Machine], error) {
		var m model.Machine
		err := a.view(ctx, func(tx *store.Tx) error {
			var err error
			m, err = fleet.Get(tx, in.ID)
			return err
		})
		if err == nil {
			by := callerOf(ctx).scope.Actor
			a.rooms.Check(m.ID, by.ID, by.Name)
			a.rooms.Watch(m.ID, time.Now().Add(15*time.Second)) // and what it finds is shown as it comes
		}
		return answer(machineOf(m, nil), err)
	})
}

// span fills in what was not asked and keeps charts within 2,000 points.
func span(from, to time.Time, seconds int64) (time.Time, time.Time, time.Duration, error) {
	if to.IsZero() {
		to = time.Now()
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
	if !from.Before(to) || to.Sub(from) > 400*24*time.Hour {
		return from, to, 0, model.Problemf(model.CodeInvalid, "from", "from lies before to, at most 400 days.")
	}
	step := time.Duration(seconds) * time.Second
	if step == 0 {
		step = max(to.Sub(from)/240, 15*time.Second).Truncate(time.Second)
	}
	if to.Sub(from)/step >= history.MaxPoints {
		return from, to, 0, model.Problemf(model.CodeInvalid, "step_seconds", "At most %d points: step_seconds is %d or more for this span.",
			history.MaxPoints, int64(to.Sub(from).Seconds())/(history.MaxPoints-1)+1)
	}
	return from, to, step, nil
}

func metricsOf(names []string) ([]uint16, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var out []uint16
	known := []string{}
	for _, m := range history.Metrics() {
		known = append(known, m.Name)
		if slices.Contains(names, m.Name) {
			out = append(out, m.Number)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, model.Problemf(model.CodeInvalid, "name", "There is no series %q; there are %v.", n, slices.Compact(known))
		}
	}
	return out, nil
}

func seriesOf(l history.Line) Series {
	m := history.MetricOf(l.Metric)
	s := Series{Name: m.Name, Unit: m.Unit, Attributes: m.Attributes(l.Instance), Points: make([]Pair, 0, len(l.Points))}
	for _, p := range l.Points {
		at := float64(p.At / 1000)
		point := Pair{&at, nil}
		if p.Count > 0 {
			mean := p.Mean
			point[1] = &mean
		}
		s.Points = append(s.Points, point)
	}
	return s
}
