package check

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// A Level is what one reading says, by itself.
type Level uint8

// The levels. Holding is neither bad nor clear: an alert that fires goes on,
// one that does not is not begun. Gone means that the row is not there any
// more, though its list was read.
const (
	Clear Level = iota
	Holding
	Warning
	Critical
	Unknown
	Gone
)

// Rules are the times of a check.
type Rules struct {
	For           time.Duration
	KeepFiringFor time.Duration
	Interval      time.Duration
	WarnsToo      bool // it has a warning threshold, so that critical can ease
}

// State is what the judge remembers of one instance of one check. The zero
// State is an instance that is fine. Times are UTC microseconds; 0 is never.
type State struct {
	Episode      uuid.UUID `cbor:"1,keyasint,omitzero"`  // zero unless an alert fires
	Level        Level     `cbor:"2,keyasint,omitempty"` // of the alert: Warning or Critical
	Lost         bool      `cbor:"3,keyasint,omitempty"` // the alert was told to be unknown
	StartedAt    int64     `cbor:"4,keyasint,omitempty"`
	LastAt       int64     `cbor:"5,keyasint,omitempty"` // of the last judgement
	WarnSince    int64     `cbor:"6,keyasint,omitempty"` // bad since
	CriticalFrom int64     `cbor:"7,keyasint,omitempty"`
	ClearSince   int64     `cbor:"8,keyasint,omitempty"`
	EaseSince    int64     `cbor:"9,keyasint,omitempty"` // an alert is critical, the reading is not
	UnknownSince int64     `cbor:"10,keyasint,omitempty"`
	Fires        []int64   `cbor:"11,keyasint,omitempty"` // of the last half hour
}

// Firing reports whether an alert is on.
func (s State) Firing() bool { return s.Level != Clear }

// Flapping reports whether the alert came again and again lately.
func (s State) Flapping() bool { return len(s.Fires) >= flapCount }

// idle reports whether s says nothing worth keeping.
func (s State) idle() bool {
	return !s.Firing() && s.WarnSince == 0 && len(s.Fires) == 0
}

const (
	flapCount  = 5
	flapWindow = int64(30 * time.Minute / time.Microsecond)
)

// An Event is what a judgement changed.
type Event uint8

// The events. Fired begins an alert; Raised and Eased change its severity;
// Lost makes it unknown and Found firing again; Resolved ends it.
const (
	Nothing Event = iota
	Fired
	Raised
	Eased
	Lost
	Found
	Resolved
)

// Judge takes what is known of an instance and what the reading says now, and
// returns what is known after it and what changed. It is a pure function, but
// for the id of a new episode, which the caller gives it.
//
// An alert fires when the reading was bad for Rules.For, and resolves when it
// was clear for Rules.KeepFiringFor. A reading that is unknown resolves
// nothing and begins nothing; an alert whose reading stays unknown for
// KeepFiringFor is told to be unknown. A time that passed unobserved (the
// computer slept, the agent was not there, the clock was set) counts for
// nothing: whatever was waiting begins to wait anew.
func Judge(r Rules, s State, level Level, at int64, episode uuid.UUID) (State, Event) {
	if s.LastAt != 0 {
		gap := 3*r.Interval.Microseconds() + int64(10*time.Second/time.Microsecond)
		if at < s.LastAt || at-s.LastAt > gap {
			for _, t := range []*int64{&s.WarnSince, &s.CriticalFrom, &s.ClearSince, &s.EaseSince, &s.UnknownSince} {
				if *t != 0 {
					*t = at
				}
			}
		}
	}
	s.LastAt = at
	s.Fires = slices.Clone(s.Fires)
	s.Fires = slices.DeleteFunc(s.Fires, func(t int64) bool { return t > at || at-t > flapWindow })

	if level == Unknown {
		s.ClearSince, s.EaseSince = 0, 0
		mark(&s.UnknownSince, true, at)
		if s.Firing() && !s.Lost && held(s.UnknownSince, at, r.KeepFiringFor) {
			s.Lost = true
			return s, Lost
		}
		return s, Nothing
	}
	bad := level == Warning || level == Critical
	s.UnknownSince = 0
	mark(&s.WarnSince, bad, at)
	mark(&s.CriticalFrom, level == Critical, at)
	if !s.Firing() {
		return s.begin(r, at, episode)
	}
	return s.goOn(r, level, at)
}

// mark notes since when something holds.
func mark(since *int64, holds bool, at int64) {
	switch {
	case !holds:
		*since = 0
	case *since == 0:
		*since = at
	}
}

// held reports whether what began at since, if it did, has lasted.
func held(since, at int64, d time.Duration) bool {
	return since != 0 && at-since >= d.Microseconds()
}

// begin decides about an instance without an alert.
func (s State) begin(r Rules, at int64, episode uuid.UUID) (State, Event) {
	switch {
	case held(s.CriticalFrom, at, r.For):
		s.Level = Critical
	case held(s.WarnSince, at, r.For):
		s.Level = Warning
	default:
		return s, Nothing
	}
	s.Episode, s.StartedAt = episode, s.WarnSince
	s.Lost, s.ClearSince, s.EaseSince = false, 0, 0
	s.Fires = append(s.Fires, at)
	if len(s.Fires) > 2*flapCount {
		s.Fires = s.Fires[1:]
	}
	return s, Fired
}

// goOn decides about an instance with an alert.
func (s State) goOn(r Rules, level Level, at int64) (State, Event) {
	over := level == Clear || level == Gone
	mark(&s.ClearSince, over, at)
	if over && held(s.ClearSince, at, r.KeepFiringFor) {
		return State{LastAt: at, Fires: s.Fires}, Resolved
	}
	if over && s.Lost {
		return s, Nothing // it will resolve or come back; no need to say both
	}
	event := Nothing
	if s.Lost {
		s.Lost = false
		event = Found
	}
	mark(&s.EaseSince, s.Level == Critical && level != Critical && !over && r.WarnsToo, at)
	switch {
	case s.Level == Warning && held(s.CriticalFrom, at, r.For):
		s.Level = Critical
		event = Raised
	case held(s.EaseSince, at, r.KeepFiringFor):
		s.Level, s.EaseSince = Warning, 0
		event = Eased
	}
	return s, event
}
