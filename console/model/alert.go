package model

import "time"

// AlertState is where an alert stands.
type AlertState string

const (
	AlertFiring   AlertState = "firing"
	AlertUnknown  AlertState = "unknown" // the machine is silent, or the value cannot be read
	AlertResolved AlertState = "resolved"
)

// AlertEnd is why an alert resolved.
type AlertEnd string

const (
	EndCleared  AlertEnd = "cleared"  // what it was about is gone
	EndGaveWay  AlertEnd = "gave_way" // there were too many of its check on its machine: nobody knows
	EndExpelled AlertEnd = "expelled" // its machine was taken off the console: nobody tells of it any more
)

// Severity is how bad a firing alert is.
type Severity string

const (
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Alert is a check that fires on a machine. It is one row from firing to
// resolved; open alerts are unique by organisation, machine, check and
// instance, or by organisation, check and shared thing.
type Alert struct {
	ID           ID
	Organisation ID
	Machine      ID
	Check        string
	Instance     string
	Thing        string
	Episode      ID // the agent's name of it
	State        AlertState
	Severity     Severity
	Silent       bool // unknown because its machine is silent, not because it says so
	Flapping     bool
	Silenced     bool
	AckedBy      ID
	AckedName    string
	Count        int // transitions since it opened
	StartedAt    time.Time
	ChangedAt    time.Time
	ResolvedAt   time.Time
	Values       map[string]float64
	Texts        map[string]string
	Evidence     []byte // JSON, as the API tells it
	Title        Words
	Finding      Words
	Plain        Words
	Done         Words
	Broken       string
	End          AlertEnd // why it resolved; of those from before this was kept it is empty, and they cleared
	Zone         int      // seconds east of UTC, where the machine stands: words tell the time there
	Ticket       ID
	Version      int64
}

// Open tells whether the alert still counts.
func (a *Alert) Open() bool { return a.State != AlertResolved }

// Fire moves the alert to firing. A resolved alert stays resolved: the next
// episode is a new alert.
func (a *Alert) Fire(s Severity, at time.Time) error {
	if a.State == AlertResolved {
		return Problemf(CodeState, "state", "This alert has resolved; a new episode is a new alert.")
	}
	a.State, a.Silent, a.Severity, a.ChangedAt = AlertFiring, false, s, at
	a.Count++
	return nil
}

// Lose marks that its machine cannot tell any more. It never resolves anything.
func (a *Alert) Lose(at time.Time) {
	if a.State == AlertFiring {
		a.State, a.ChangedAt = AlertUnknown, at
	}
	a.Silent = false
}

// Silence marks that nobody can tell any more, because the machine is silent.
func (a *Alert) Silence(at time.Time) {
	if a.State == AlertFiring {
		a.State, a.Silent, a.ChangedAt = AlertUnknown, true, at
	}
}

// Return makes what only silence had made unknown fire again; what the machine
// itself could not tell it still cannot, and it is false.
func (a *Alert) Return(at time.Time) bool {
	if a.State != AlertUnknown || !a.Silent {
		return false
	}
	a.State, a.Silent, a.ChangedAt = AlertFiring, false, at
	return true
}

// Resolve ends the alert and says why.
func (a *Alert) Resolve(why AlertEnd, at time.Time) error {
	if a.State == AlertResolved {
		return Problemf(CodeState, "state", "This alert has resolved already.")
	}
	a.State, a.End, a.ChangedAt, a.ResolvedAt = AlertResolved, why, at, at
	return nil
}

// Acknowledge says that somebody has seen it; nobody takes it back.
func (a *Alert) Acknowledge(who Actor, yes bool) error {
	if a.State == AlertResolved {
		return Problemf(CodeState, "acknowledged", "This alert has resolved; there is nothing to acknowledge.")
	}
	if !yes {
		a.AckedBy, a.AckedName = ID{}, ""
		return nil
	}
	a.AckedBy, a.AckedName = who.ID, who.Name
	return nil
}
