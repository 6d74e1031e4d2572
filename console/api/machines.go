package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Machine is a workstation with an agent.
type Machine struct {
	ID            uuid.UUID     `json:"id"`
	Organisation  uuid.UUID     `json:"organisation_id"`
	Name          string        `json:"name"`
	Presence      string        `json:"presence" enum:"online,offline"`
	OfflineReason *string       `json:"offline_reason" enum:"asleep,shut_down,link_lost,crashed,updating,unknown"`
	LastSeenAt    *time.Time    `json:"last_seen_at" doc:"null while it never was online"`
	EnrolledAt    time.Time     `json:"enrolled_at"`
	OS            MachineOS     `json:"os"`
	Agent         MachineAgent  `json:"agent"`
	People        []Presence    `json:"people" doc:"who is signed in; null where that is not known"`
	Health        string        `json:"health" enum:"ok,warning,critical,unknown"`
	OpenAlerts    int           `json:"open_alerts"`
	Headline      *Headline     `json:"headline"`
	Policy        MachinePolicy `json:"policy"`
	Revoked       bool          `json:"revoked" doc:"it was expelled: it must be enrolled anew"`
	ClockAhead    int64         `json:"clock_ahead_seconds" doc:"of the console's clock, when it came; less than 0: behind; 0: less than a minute"`
	Lost          int64         `json:"lost_messages" doc:"how many messages it had to give up before they were here, as when its disk was full; readings are not counted: they are missing in the charts"`
	LostAt        *time.Time    `json:"lost_at" doc:"when it said so last"`
	Version       int64         `json:"version"`
}

// MachineOS is the operating system in a list.
type MachineOS struct {
	Family  string `json:"family"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Kernel  string `json:"kernel"`
	Arch    string `json:"arch"`
}

// MachineAgent is the program on the machine.
type MachineAgent struct {
	Version      string   `json:"version"`
	Protocol     int      `json:"protocol"`
	Capabilities []string `json:"capabilities" nullable:"false"`
}

// Presence is somebody who is signed in at the machine.
type Presence struct {
	Name  string     `json:"name"`
	Since *time.Time `json:"since"`
}

// Headline is the worst open alert of a machine.
type Headline struct {
	Check    string `json:"check"`
	Instance string `json:"instance"`
	Severity string `json:"severity" enum:"warning,critical"`
	Title    Words  `json:"title"`
	Plain    Words  `json:"plain"`
}

// MachinePolicy is what the machine says that it allows.
type MachinePolicy struct {
	Profile  string `json:"profile"`
	Digest   string `json:"digest"`
	Terminal string `json:"terminal"`
	Proof    string `json:"proof"`
	Scripts  string `json:"scripts"`
	Problem  string `json:"problem"`
}

func machineOf(m model.Machine, worst map[model.ID]model.Alert) Machine {
	out := Machine{
		ID: m.ID, Organisation: m.Organisation, Name: m.Name, Presence: m.PresenceWord(),
		EnrolledAt: m.EnrolledAt, OS: MachineOS(m.OS),
		Agent:  MachineAgent{Version: m.AgentVersion, Protocol: m.Protocol, Capabilities: append([]string{}, m.Capabilities...)},
		Health: string(m.Health), OpenAlerts: m.OpenAlerts, Policy: MachinePolicy(m.Policy), Revoked: m.Revoked, Version: m.Version,
		ClockAhead: int64(m.Ahead / time.Second), Lost: m.Lost, LostAt: timeOrNull(m.LostAt),
	}
	if m.Online {
		now := time.Now().UTC()
		out.LastSeenAt = &now
	} else {
		if m.Came() {
			out.LastSeenAt = timeOrNull(m.LastSeen)
		}
		reason := m.Reason
		if reason == model.OfflineNone {
			reason = model.OfflineUnknown
		}
		out.OfflineReason = textOrNull(reason)
	}
	if m.People != nil {
		out.People = []Presence{}
	}
	for _, p := range m.People {
		out.People = append(out.People, Presence{Name: p.Name, Since: p.Since})
	}
	if a, there := worst[m.ID]; there {
		out.Headline = &Headline{Check: a.Check, Instance: a.Instance, Severity: string(a.Severity), Title: a.Title, Plain: a.Plain}
	}
	return out
}

// machinesOf shapes machines with their headlines.
func machinesOf(tx *store.Tx, list []model.Machine) ([]Machine, error) {
	var sick []model.ID
	for _, m := range list {
		if m.OpenAlerts > 0 {
			sick = append(sick, m.ID)
		}
	}
	worst, err := health.Worst(tx, sick)
	if err != nil {
		return nil, err
	}
	out := make([]Machine, 0, len(list))
	for _, m := range list {
		out = append(out, machineOf(m, worst))
	}
	return out, nil
}

// MachineCounts says how the fleet is.
type MachineCounts struct {
	Total    int          `json:"total"`
	Online   int          `json:"online"`
	ByHealth HealthCounts `json:"by_health"`
}

// HealthCounts are machines by health.
type HealthCounts struct {
	OK       int `json:"ok"`
	Warning  int `json:"warning"`
	Critical int `json:"critical"`
	Unknown  int `json:"unknown"`
}

// NewEnrolment is a token that lets machines in; it is shown once.
type NewEnrolment struct {
	ID        uuid.UUID `json:"id"`
	Token     string    `json:"token"`
	Command   string    `json:"command"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) machineRoutes() {
	type query struct {
		Listing
		Q        string    `query:"q" maxLength:"200" doc:"words of name, system or people"`
		Presence string    `query:"presence" enum:"online,offline"`
		Health   string    `query:"health" enum:"ok,warning,critical,unknown"`
		Group    uuid.UUID `query:"group" doc:"machines of a group only"`
	}
	operation(a, http.MethodGet, "/machines", "machine.read", "List machines", func(ctx context.Context, in *query) (*Answer[Page[Machine]], error) {
		var page Page[Machine]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := fleet.List(tx, fleet.Query{Request: in.request(), Text: in.Q, Presence: in.Presence, Health: in.Health, Group: in.Group})
			if err != nil {
				return err
			}
			page = pageOf(list, func(m model.Machine) Machine { return Machine{} })
			page.Items, err = machinesOf(tx, list.Items)
			return err
		})
		return answer(page, err)
	})
	operation(a, http.MethodGet, "/machines/counts", "machine.read", "Count machines", func(ctx context.Context, _ *struct{}) (*Answer[MachineCounts], error) {
		var out MachineCounts
		err := a.view(ctx, func(tx *store.Tx) error {
			c, err := fleet.Count(tx)
			h := c.ByHealth
			out = MachineCounts{Total: c.Total, Online: c.Online, ByHealth: HealthCounts{OK: h[model.HealthOK],
				Warning: h[model.HealthWarning], Critical: h[model.HealthCritical], Unknown: h[model.HealthUnknown]}}
			return err
		})
		return answer(out, err)
	})
	operation(a, http.MethodGet, "/machines/{id}", "machine.read", "One machine", func(ctx context.Context, in *ByID) (*Answer[Machine], error) {
		return answer(a.machineNow(ctx, in.ID))
	})
	type revoke struct {
		ByID
		Body struct {
			Version int64 `json:"version"`
		}
	}
	operation(a, http.MethodPost, "/machines/{id}/revoke", "machine.enrol", "Expel a machine: its line and its sessions end, its key is refused", func(ctx context.Context, in *revoke) (*Answer[Machine], error) {
		_, err := a.rooms.Fleet.Revoke(ctx, callerOf(ctx).scope, in.ID.String(), &in.Body.Version)
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return nil, err
		}
		now, nowErr := a.machineNow(ctx, in.ID)
		if err != nil && nowErr == nil {
			return nil, &conflictError{current: now}
		}
		return answer(now, nowErr)
	})
	type enrol struct {
		Body struct {
			Uses             int   `json:"uses" minimum:"1" maximum:"10000" default:"1" required:"false"`
			ExpiresInSeconds int64 `json:"expires_in_seconds" minimum:"60" maximum:"7776000" default:"86400" required:"false"`
		}
	}
	operation(a, http.MethodPost, "/enrolments", "machine.enrol", "Make a token that lets machines in", func(ctx context.Context, in *enrol) (*Answer[NewEnrolment], error) {
		c := callerOf(ctx)
		e, err := a.rooms.Fleet.NewEnrolment(ctx, c.scope, c.organisation, in.Body.Uses, time.Duration(in.Body.ExpiresInSeconds)*time.Second)
		if err != nil {
			return nil, err
		}
		token, err := a.rooms.Token(ctx, e.Secret, c.organisation)
		if err != nil {
			return nil, err
		}
		return answer(NewEnrolment{ID: e.ID, Token: token, Command: a.rooms.Command(token), ExpiresAt: e.ExpiresAt}, nil)
	})
}

// machineNow reads and shapes one machine.
func (a *API) machineNow(ctx context.Context, id model.ID) (Machine, error) {
	var out Machine
	err := a.view(ctx, func(tx *store.Tx) error {
		m, err := fleet.Get(tx, id)
		if err != nil {
			return err
		}
		list, err := machinesOf(tx, []model.Machine{m})
		if err == nil {
			out = list[0]
		}
		return err
	})
	return out, err
}

// view reads within what the caller may see.
func (a *API) view(ctx context.Context, fn func(*store.Tx) error) error {
	return a.rooms.Store.View(ctx, callerOf(ctx).scope, fn)
}

// update writes within what the caller may change.
func (a *API) update(ctx context.Context, fn func(*store.Tx) error) error {
	return a.rooms.Store.Update(ctx, callerOf(ctx).scope, fn)
}
