package model

import (
	"slices"
	"time"
)

// Health is the worst state of a machine's alerts; without one, whether it can
// judge all of its checks.
type Health string

const (
	HealthOK       Health = "ok"
	HealthWarning  Health = "warning"
	HealthCritical Health = "critical"
	HealthUnknown  Health = "unknown"
)

// byRank is health as lists order it, the worst last.
var byRank = []Health{HealthOK, HealthUnknown, HealthWarning, HealthCritical}

// Rank orders health for lists: critical 3, warning 2, unknown 1, ok 0.
func (h Health) Rank() int {
	if rank := slices.Index(byRank, h); rank >= 0 {
		return rank
	}
	return HealthUnknown.Rank()
}

// Ranked is the health that has a rank.
func Ranked(rank int) Health {
	if rank < 0 || rank >= len(byRank) {
		return HealthUnknown
	}
	return byRank[rank]
}

// OfflineReason says why a machine cannot be reached.
type OfflineReason string

const (
	OfflineNone     OfflineReason = ""
	OfflineAsleep   OfflineReason = "asleep"
	OfflineShutDown OfflineReason = "shut_down"
	OfflineLinkLost OfflineReason = "link_lost"
	OfflineCrashed  OfflineReason = "crashed"
	OfflineUpdating OfflineReason = "updating"
	OfflineUnknown  OfflineReason = "unknown"
)

// Machine is a workstation with an agent, as the console knows it.
type Machine struct {
	ID           ID
	Organisation ID
	Name         string
	Key          []byte // Ed25519 public key of the agent
	Epoch        ID     // of the agent's outbox
	Boot         string // names the start of its system; empty: not known

	Online     bool
	Node       ID // that holds its line, or held it last
	Since      time.Time
	Reason     OfflineReason
	LastSeen   time.Time
	EnrolledAt time.Time
	Revoked    bool

	OS           OS
	AgentVersion string
	Protocol     int
	Capabilities []string
	Policy       Policy
	Trust        Trusted // without its hash, which is compared at the database
	People       []Presence

	Health     Health
	OpenAlerts int
	Blind      bool // it cannot judge all of its checks
	Version    int64

	Ahead  time.Duration // of its clock when its line began, in whole seconds; less than 0: behind; 0: not told apart
	Lost   int64         // messages that it had to give up before we had them
	LostAt time.Time     // when it said so last
}

// OS is the operating system in a list.
type OS struct{ Family, Name, Version, Kernel, Arch string }

// Policy is what a machine says that it allows.
type Policy struct {
	Profile  string
	Digest   string // hexadecimal
	Terminal string
	Proof    string
	Scripts  string
	Problem  string
}

// Presence is somebody who is signed in at a machine.
type Presence struct {
	Name  string
	Since *time.Time
}

// Connected records that node holds the machine's line since now.
func (m *Machine) Connected(node ID, now time.Time) {
	m.Online, m.Node, m.Reason = true, node, OfflineNone
	m.Since, m.LastSeen = now, now
}

// Disconnected records that the line is gone. A line that another node or a
// newer connection has taken over since is not ours to end: it reports false.
func (m *Machine) Disconnected(node ID, since time.Time, reason OfflineReason, now time.Time) bool {
	if !m.Online || m.Node != node || !m.Since.Equal(since) {
		return false
	}
	m.Online, m.Reason = false, reason
	m.Since, m.LastSeen = now, now
	return true
}

// CutOff tells whether the machine went down without being shut down before it says
// this hello: its system has started anew, and neither did its line end with a
// goodbye nor was its agent ended.
func (m *Machine) CutOff(h Hello) bool {
	lost := m.Online || m.Reason == OfflineLinkLost
	return lost && !h.Left && m.Boot != "" && h.Boot != "" && h.Boot != m.Boot
}

// Came tells whether the machine has ever had a line. Enrolment alone is none:
// the agent that asks for a name ends there.
func (m *Machine) Came() bool { return m.Online || m.LastSeen.After(m.EnrolledAt) }

// PresenceWord is online or offline.
func (m *Machine) PresenceWord() string {
	if m.Online {
		return "online"
	}
	return "offline"
}
