package app

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskside/deskside/agent/check"
	"github.com/deskside/deskside/agent/gate"
	"github.com/deskside/deskside/agent/probe"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
	"github.com/deskside/deskside/protocol/history"
)

const (
	topProcesses  = 5
	toldProcesses = 300 // of the section, the busiest
	factsEvery    = time.Minute
	liveEvery     = 15 * time.Second
)

// transition puts a check's change of mind into the words of the wire, with
// what was seen.
func (r *rounds) transition(t check.Transition, m *expression.Machine) protocol.Transition {
	_, zone := time.UnixMicro(t.At).Zone()
	out := protocol.Transition{
		ID: t.Episode, Check: t.Check, Instance: t.Instance, State: t.State, Severity: t.Severity, Values: t.Values, Texts: t.Texts,
		StartedAt: t.StartedAt, At: t.At, Flapping: t.Flapping, Broken: t.Broken, Reason: t.Reason, Zone: int32(zone),
	}
	i := slices.IndexFunc(r.encoded.Checks, func(c catalogue.Check) bool { return c.ID == t.Check })
	if i < 0 || t.State != protocol.StateFiring {
		return out
	}
	c := r.encoded.Checks[i]
	e := &protocol.Evidence{Series: evidence(r.upTo(m, time.UnixMicro(t.At)), c.Evidence.Vitals, t.Instance), Limit: limitOf(c, t.Severity)}
	by := c.Evidence.Processes
	if by == "" {
		by = "cpu"
	}
	e.Processes = top(m, by)
	out.Evidence = e
	return out
}

func top(m *expression.Machine, by string) []protocol.Process {
	var out []protocol.Process
	for _, p := range probe.Top(m, by, topProcesses) {
		out = append(out, protocol.Process{PID: p.PID, Name: string(p.Name), CPU: p.CPU.Or(0), RSS: int64(p.RSSBytes.Or(0)), Owner: string(p.Owner)})
	}
	return out
}

// limitOf reads the number out of a threshold such as ">= 0.85".
func limitOf(c catalogue.Check, severity string) *float64 {
	text := c.Warning
	if severity == "critical" && c.Critical != "" {
		text = c.Critical
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimLeft(text, "<>= ")), 64)
	if err != nil {
		return nil
	}
	return &v
}

// upTo are the samples of the last minutes and the reading of now: what a check fires
// at may have come since the last sample, and is what somebody wants to see.
func (r *rounds) upTo(m *expression.Machine, now time.Time) []sample {
	if n := len(r.ring); n > 0 && !r.ring[n-1].at.Before(now) {
		return r.ring
	}
	return append(slices.Clip(r.ring), sample{now, probe.Samples(nil, m)})
}

// evidence is the last quarter of an hour of some series; of those that have
// instances, the one the alert is about.
func evidence(samples []sample, names []string, instance string) []protocol.Series {
	type line struct {
		metric   uint16
		instance string
	}
	series := map[line]*protocol.Series{}
	var order []line
	for _, s := range samples {
		for _, v := range s.set {
			m := history.MetricOf(v.Metric)
			if !slices.Contains(names, m.Name) || (v.Instance != "" && instance != "" && v.Instance != instance) {
				continue
			}
			key := line{v.Metric, v.Instance}
			if series[key] == nil {
				if len(series) >= 8 {
					continue
				}
				series[key] = &protocol.Series{Name: m.Name, Unit: m.Unit, Attributes: m.Attributes(v.Instance)}
				order = append(order, key)
			}
			value := v.Value
			series[key].At = append(series[key].At, s.at.UnixMilli())
			series[key].Values = append(series[key].Values, &value)
		}
	}
	var out []protocol.Series
	for _, key := range order {
		out = append(out, *series[key])
	}
	return out
}

// live is one reading while somebody looks.
func live(m *expression.Machine) protocol.Live {
	out := protocol.Live{At: int64(m.ObservedAt), Top: top(m, "cpu")}
	for _, s := range probe.Samples(nil, m) {
		d := history.MetricOf(s.Metric)
		value := s.Value
		out.Values = append(out.Values, protocol.LiveValue{Name: d.Name, Unit: d.Unit, Attributes: d.Attributes(s.Instance), Value: &value})
	}
	return out
}

// tellFacts puts changed sections that policy lets out into the outbox. Sections that are different
// at every look are told when somebody looks, and with the slow round.
func (r *rounds) tellFacts(m *expression.Machine, now time.Time, slow bool) {
	watched := now.Before(r.watched) && now.Sub(r.facts) >= liveEvery
	if !slow && !watched && now.Sub(r.facts) < factsEvery {
		return
	}
	r.facts = now
	policy, told := r.agent.gate.Policy(), *m
	told.Processes = busiest(m)
	err := r.agent.state.Update(func(tx *state.Tx) error {
		before, err := tx.Sections()
		if err != nil {
			return err
		}
		for _, name := range expression.Sections() {
			if !policy.Tells(name) || expression.Live(name) && !watched && !slow {
				continue
			}
			body, hash, known := told.Section(name)
			if !known {
				continue
			}
			if old, there := before[name]; there && bytes.Equal(old.Hash, hash[:]) {
				continue
			} else if there {
				if err := tellChanges(tx, name, old, &told, now); err != nil {
					return err
				}
			}
			err := tx.SetSection(protocol.Section{Name: name, Hash: hash[:], At: now.UnixMicro(), Body: body}, true)
			if errors.Is(err, protocol.ErrTooLarge) { // the others are told all the same
				r.agent.options.Log.Error("cannot tell facts", "section", name, "error", err)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.agent.options.Log.Error("cannot keep facts", "error", err)
		return
	}
	r.wake()
}

// tellWanted tells sections that the console does not have, as they were kept.
func (r *rounds) tellWanted(names []string) {
	err := r.agent.state.Update(func(tx *state.Tx) error {
		kept, err := tx.Sections()
		if err != nil {
			return err
		}
		for _, name := range names {
			if s, there := kept[name]; there {
				if err := tx.SetSection(s, true); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		r.agent.options.Log.Error("cannot tell facts", "error", err)
		return
	}
	r.wake()
}

// dropHeldBack drops kept sections that policy let out once and does not now, so
// that they are neither sent nor asked for again.
func (r *rounds) dropHeldBack(tx *state.Tx) error {
	policy := r.agent.gate.Policy()
	kept, err := tx.Sections()
	if err != nil {
		return err
	}
	for name, s := range kept {
		if !policy.Tells(name) || (name == expression.SectionProcesses && tooWide(policy.Collect, s.Body)) {
			if err := tx.DropSection(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// tooWide tells whether a kept list of processes has what is held back now.
func tooWide(c gate.Collect, body []byte) bool {
	var m expression.Machine
	if err := m.SetSection(expression.SectionProcesses, body); err != nil {
		return true // written by another version; who knows
	}
	return slices.ContainsFunc(m.Processes, func(p expression.Process) bool {
		return (c.People == "off" && p.Owner != "") || (c.CommandLines == "off" && p.CommandLine != "")
	})
}

func busiest(m *expression.Machine) []expression.Process {
	if len(m.Processes) <= toldProcesses {
		return m.Processes
	}
	list := probe.Top(m, "cpu", toldProcesses/2)
	seen := map[int64]bool{}
	for _, p := range list {
		seen[p.PID] = true
	}
	for _, p := range probe.Top(m, "memory", toldProcesses) {
		if !seen[p.PID] && len(list) < toldProcesses {
			list = append(list, p)
		}
	}
	return list
}

// maxChanges is how many changes of one section are told at once.
const maxChanges = 50

// tellChanges says what is different in a section: the items that came, went
// or changed their state.
func tellChanges(tx *state.Tx, name string, old protocol.Section, m *expression.Machine, now time.Time) error {
	var before expression.Machine
	if err := before.SetSection(name, old.Body); err != nil {
		return nil // written by another version; the section itself is told anyway
	}
	was, is := items(name, &before), items(name, m)
	var changes []protocol.Change
	for item, value := range is {
		if was[item] != value {
			changes = append(changes, protocol.Change{Section: name, Item: item, Before: was[item], After: value, At: now.UnixMicro()})
		}
	}
	for item, value := range was {
		if _, there := is[item]; !there {
			changes = append(changes, protocol.Change{Section: name, Item: item, Before: value, At: now.UnixMicro()})
		}
	}
	slices.SortFunc(changes, func(a, b protocol.Change) int { return strings.Compare(a.Item, b.Item) })
	for _, c := range changes[:min(len(changes), maxChanges)] {
		if _, err := tx.Append(protocol.ClassChange, c); err != nil {
			return err
		}
	}
	return nil
}

// items are what is worth telling when it changes.
func items(name string, m *expression.Machine) map[string]string {
	out := map[string]string{}
	switch name {
	case expression.SectionOS:
		if m.OS != nil {
			out["version"], out["kernel"], out["name"] = string(m.OS.Version), string(m.OS.Kernel), string(m.OS.Hostname)
		}
	case expression.SectionHardware:
		if m.Hardware != nil {
			out["memory"], out["cores"] = m.Hardware.MemoryBytes.String(), m.Hardware.Cores.String()
		}
	case expression.SectionFilesystems:
		for _, f := range m.Filesystems {
			readOnly, _ := f.ReadOnly.Get()
			out[string(f.Mount)] = fmt.Sprintf("%s, %s, read-only %t", f.Device, f.Type, readOnly)
		}
	case expression.SectionServices:
		for _, s := range m.Services {
			out[string(s.Name)] = string(s.State)
		}
	case expression.SectionNetwork:
		for _, n := range m.Network {
			up, _ := n.Up.Get()
			out[string(n.Name)] = fmt.Sprintf("up %t, %s", up, strings.Join(n.Addresses, " "))
		}
	}
	return out
}
