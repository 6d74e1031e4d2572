package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/protocol"
)

// This file is the border between the wire and the nouns. Texts were cleaned
// when they were decoded; what is left to doubt is numbers and dates.

// moment is a machine's time stamp, kept within what a calendar can show.
func moment(micros int64) time.Time {
	const low, high = 0, 253402300799_000000 // 1970 to 9999
	return time.UnixMicro(min(max(micros, low), high)).UTC()
}

// named makes an absent map an empty one, which is what JSON is to show.
func named(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func finite(values map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(values))
	for k, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[k] = v
		}
	}
	return out
}

func osOf(o protocol.OS) model.OS {
	return model.OS{Family: o.Family, Name: o.Name, Version: o.Version, Kernel: o.Kernel, Arch: o.Arch}
}

func helloOf(from model.From, node model.ID, h protocol.Hello, p protocol.Proof) model.Hello {
	out := model.Hello{
		From: from, Key: h.Key, Node: node, Epoch: p.Epoch, Boot: p.Boot, Name: p.Name, OS: osOf(p.OS),
		Agent: p.Agent, Protocol: h.Version, Can: h.Capabilities.Names(),
		Policy: model.Policy{Profile: p.Policy.Profile, Digest: hex.EncodeToString(p.Policy.Digest),
			Terminal: p.Policy.Terminal, Proof: p.Policy.Proof, Scripts: p.Policy.Scripts, Problem: p.Policy.Problem},
		Trust: trustedOf(p.Trust), Facts: p.Facts, Checks: p.Checks, Settings: p.Settings, Runs: p.Runs, Left: p.Left,
	}
	if p.Clock != 0 { // or it does not say
		out.Clock = moment(p.Clock)
	}
	return out
}

func trustedOf(t protocol.Trusted) model.Trusted {
	most := func(b []byte) []byte { return b[:min(len(b), sha256.Size)] }
	return model.Trusted{Root: hex.EncodeToString(most(t.Root)), Version: t.Version,
		Hash: slices.Concat(most(t.Digest), most(t.Withdrawn)), Problem: short(t.Problem)}
}

// short is a sentence of a machine that is shown in one line or two.
func short(text string) string {
	const most = 300
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func transitionOf(from model.From, t *protocol.Transition) model.Transition {
	return model.Transition{
		From: from, Episode: t.ID, Check: t.Check, Instance: t.Instance, State: model.AlertState(t.State),
		Severity: model.Severity(t.Severity), Values: finite(t.Values), Texts: t.Texts,
		StartedAt: moment(t.StartedAt), ChangedAt: moment(t.At), Flapping: t.Flapping, Thing: t.Thing,
		Broken: t.Broken, Reason: t.Reason, Zone: int(t.Zone), Evidence: evidenceOf(t.Evidence),
	}
}

func evidenceOf(e *protocol.Evidence) *model.Evidence {
	if e == nil {
		return nil
	}
	out := &model.Evidence{Vitals: []model.Series{}, Processes: processesOf(e.Processes), Limit: e.Limit}
	if l := out.Limit; l != nil && (math.IsNaN(*l) || math.IsInf(*l, 0)) {
		out.Limit = nil
	}
	for _, s := range e.Series {
		out.Vitals = append(out.Vitals, seriesOf(s))
	}
	return out
}

func seriesOf(s protocol.Series) model.Series {
	out := model.Series{Name: s.Name, Unit: s.Unit, Attributes: named(s.Attributes), Points: []model.Point{}}
	for i := range min(len(s.At), len(s.Values)) {
		v := s.Values[i]
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			v = nil
		}
		out.Points = append(out.Points, model.Point{At: s.At[i], Value: v})
	}
	return out
}

func processesOf(list []protocol.Process) []model.TopProcess {
	out := []model.TopProcess{}
	for _, p := range list {
		if math.IsNaN(p.CPU) || math.IsInf(p.CPU, 0) {
			p.CPU = 0
		}
		out = append(out, model.TopProcess{PID: p.PID, Name: p.Name, CPU: p.CPU, RSS: p.RSS, Owner: p.Owner})
	}
	return out
}

func resultOf(from model.From, r *protocol.Result) model.Result {
	out := model.Result{
		From: from, Run: r.Run, State: model.RunState(r.State), Refusal: r.Refusal, Text: r.Text,
		ExitCode: r.ExitCode, Bytes: r.Bytes, Cut: r.Cut, Values: r.Values, Head: r.Head, Tail: r.Tail,
		Sandboxed: r.Sandboxed,
	}
	if r.StartedAt > 0 {
		out.StartedAt = moment(r.StartedAt)
	}
	if r.EndedAt > 0 {
		out.EndedAt = moment(r.EndedAt)
	}
	if r.Verify != nil {
		out.Check, out.Verdict = r.Verify.Check, r.Verify.Verdict
	}
	return out
}

func changeOf(from model.From, c *protocol.Change) model.Change {
	return model.Change{From: from, Section: c.Section, Item: c.Item, Before: c.Before, After: c.After, ChangedAt: moment(c.At)}
}

func journalOf(from model.From, e *protocol.JournalEntry) model.JournalLine {
	return model.JournalLine{From: from, Number: e.Number, Written: moment(e.At), Kind: e.Kind, Act: e.Act,
		ID: e.ID, Code: e.Code, Text: e.Text, Count: e.Count, Hash: e.Hash}
}

func sectionOf(from model.From, s *protocol.Section) model.Section {
	return model.Section{From: from, Name: s.Name, Hash: s.Hash, Read: moment(s.At), Body: s.Body}
}

func historyOf(from model.From, r *protocol.HistoryRow) model.HistoryRow {
	return model.HistoryRow{From: from, Resolution: r.Resolution, Start: moment(r.Start),
		Revision: r.Revision, Payload: r.Payload}
}

// liveEvery is how often a machine is heard that streams its readings, which it
// does each second: all nodes are told each of them.
const liveEvery = 500 * time.Millisecond

// receiveVolatile hands on what may be lost.
func (c *line) receiveVolatile(ctx context.Context, m protocol.Message) error {
	h := c.lines.handlers
	switch m.Kind {
	case protocol.KindLive:
		if now := time.Now(); now.Sub(c.read) < liveEvery {
			return nil
		} else {
			c.read = now
		}
		return with(m, func(l *protocol.Live) { h.Live(liveOf(c.from, l)) })
	case protocol.KindAnswer:
		return with(m, func(a *protocol.Answer) { c.lines.answers.put(answerOf(c.from, a)) })
	case protocol.KindOutput:
		return with(m, func(o *protocol.Output) {
			h.Output(model.Output{From: c.from, Run: o.Run, Offset: o.Offset, Data: o.Data})
		})
	case protocol.KindTaken:
		return with(m, func(t *protocol.Taken) { h.Taken(ctx, c.from, t.Run, moment(t.At)) })
	case protocol.KindOpened:
		return with(m, func(o *protocol.Opened) {
			h.Opened(ctx, model.Opened{From: c.from, Session: o.Session, Refusal: o.Refusal, Text: o.Text})
		})
	case protocol.KindTrusted:
		if now := time.Now(); now.Sub(c.trusted) < liveEvery {
			return nil // the next hello says it
		} else {
			c.trusted = now
		}
		return with(m, func(t *protocol.Trusted) { h.Trusted(ctx, c.from, trustedOf(*t)) })
	case protocol.KindEnded:
		return with(m, func(e *protocol.Ended) { h.Ended(ctx, c.from, e.Session, e.Text) })
	}
	return nil // a kind of a newer agent
}

func with[T any](m protocol.Message, do func(*T)) error {
	var body T
	if err := protocol.Unmarshal(m.Body, &body); err != nil {
		return err
	}
	do(&body)
	return nil
}

func liveOf(from model.From, l *protocol.Live) model.Live {
	out := model.Live{From: from, Top: processesOf(l.Top)}
	out.At = moment(l.At)
	for _, v := range l.Values {
		if v.Value != nil && (math.IsNaN(*v.Value) || math.IsInf(*v.Value, 0)) {
			v.Value = nil
		}
		out.Series = append(out.Series, model.LiveValue{Name: v.Name, Unit: v.Unit, Attributes: named(v.Attributes), Value: v.Value})
	}
	return out
}

// orderOf puts an act into the words of the wire.
func orderOf(a model.Act, now time.Time) (protocol.Order, error) {
	kind, body := actOf(a.Body)
	if body == nil {
		return protocol.Order{}, fmt.Errorf("no message for %T", a.Body)
	}
	raw, err := protocol.Marshal(body)
	if err != nil {
		return protocol.Order{}, err
	}
	return protocol.Order{ID: a.ID, Organisation: a.Machine.Organisation, Machine: a.Machine.Machine,
		Issued: now.UnixMicro(), Expires: a.Expires.UnixMicro(), Kind: kind, Body: raw}, nil
}

func whoOf(a model.Actor) protocol.Who {
	return protocol.Who{Kind: string(a.Kind), ID: a.ID, Name: a.Name}
}

func actOf(body any) (protocol.Kind, any) {
	switch b := body.(type) {
	case *model.Work:
		return protocol.KindWork, protocol.Work{Script: b.Script, Version: b.Version, Hash: b.Hash,
			Parameters: b.Parameters, DryRun: b.DryRun, Timeout: int(b.Timeout / time.Second), By: whoOf(b.By),
			Ticket: b.Ticket, Verify: b.Verify, Instance: b.Instance}
	case *model.CancelRun:
		return protocol.KindCancel, protocol.Cancel{Run: b.Run, By: whoOf(b.By)}
	case *model.Ask:
		return protocol.KindAsk, protocol.Ask{Expression: b.Expression, By: whoOf(b.By)}
	case *model.Watch:
		return protocol.KindWatch, protocol.Watch{Until: b.Until.UnixMicro()}
	case *model.CheckSet:
		return protocol.KindChecks, protocol.Checks{Hash: b.Hash, Set: b.Set}
	case *model.OpenDoor:
		return protocol.KindOpenSession, protocol.OpenSession{Kind: b.Kind, Columns: b.Columns, Rows: b.Rows,
			By: whoOf(b.By), Reason: b.Reason, Ticket: b.Ticket, Token: b.Token}
	case *model.CloseDoor:
		return protocol.KindEndSession, protocol.EndSession{Session: b.Session, By: whoOf(b.By)}
	case *model.CheckNow:
		return protocol.KindCheckNow, protocol.CheckNow{By: whoOf(b.By)}
	case *model.Tuning:
		return protocol.KindSettings, protocol.Settings{Hash: b.Hash, Beat: b.Beat.Microseconds(),
			UploadEvery: b.UploadEvery.Microseconds()}
	}
	return 0, nil
}
