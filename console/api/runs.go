package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/repair"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/scripts"
)

// Script is an approved script.
type Script struct {
	ID             string         `json:"id"`
	Version        int            `json:"version"`
	Hash           string         `json:"hash"`
	Title          Words          `json:"title"`
	Explanation    Words          `json:"explanation"`
	Notices        Words          `json:"notices" doc:"what the person at the machine notices"`
	Platforms      []string       `json:"platforms" nullable:"false"`
	Parameters     map[string]any `json:"parameters" doc:"JSON Schema of the values"`
	Risk           string         `json:"risk" enum:"safe,disruptive,destructive"`
	TimeoutSeconds float64        `json:"timeout_seconds"`
	Cures          []string       `json:"cures" nullable:"false"`
	Verify         *string        `json:"verify"`
	Fits           bool           `json:"fits" doc:"it cures something that fires on the machine or ticket asked about"`
}

// Run is one script on one machine.
type Run struct {
	ID              uuid.UUID         `json:"id"`
	Script          string            `json:"script"`
	ScriptTitle     Words             `json:"script_title"`
	Machine         uuid.UUID         `json:"machine_id"`
	MachineName     string            `json:"machine_name"`
	Ticket          *uuid.UUID        `json:"ticket_id"`
	DryRun          bool              `json:"dry_run"`
	Parameters      map[string]string `json:"parameters"`
	State           string            `json:"state" enum:"queued,sent,running,succeeded,failed,timed_out,refused,cancelled,expired,lost"`
	Refusal         *Refusal          `json:"refusal"`
	ExitCode        *int              `json:"exit_code"`
	DurationSeconds *float64          `json:"duration_seconds"`
	RequestedBy     *Who              `json:"requested_by"`
	RequestedAt     time.Time         `json:"requested_at"`
	StartedAt       *time.Time        `json:"started_at"`
	FinishedAt      *time.Time        `json:"finished_at"`
	Output          RunOutput         `json:"output"`
	Result          map[string]string `json:"result"`
	Verify          *RunVerify        `json:"verify"`
	Version         int64             `json:"version"`
}

// Refusal is a no: a code for programs and a sentence for people.
type Refusal struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// RunOutput says how much a run has written.
type RunOutput struct {
	Bytes     int64 `json:"bytes"`
	Truncated bool  `json:"truncated"`
}

// RunVerify is the verdict of the check that was to be cured.
type RunVerify struct {
	Check   string `json:"check"`
	Verdict string `json:"verdict" enum:"verified,still_failing,not_run"`
}

func runOf(r repair.RunOf) Run {
	out := Run{
		ID: r.ID, Script: r.Script, Machine: r.Machine, MachineName: r.MachineName, Ticket: idOrNull(r.Ticket), DryRun: r.DryRun,
		Parameters: r.Parameters, State: string(r.State), ExitCode: r.ExitCode, RequestedBy: whoOf(r.By),
		RequestedAt: r.RequestedAt, StartedAt: timeOrNull(r.StartedAt), FinishedAt: timeOrNull(r.FinishedAt),
		Output: RunOutput{Bytes: r.OutputBytes, Truncated: r.OutputCut}, Result: r.Values, Version: r.Version,
	}
	if s, ok := scripts.Lookup(r.Script); ok {
		out.ScriptTitle = Words(s.Title)
	}
	if r.Refusal != "" || r.RefusalText != "" {
		out.Refusal = &Refusal{Code: r.Refusal, Text: r.RefusalText}
	}
	if r.Done() && r.Duration > 0 {
		seconds := r.Duration.Seconds()
		out.DurationSeconds = &seconds
	}
	if r.Verdict != "" {
		out.Verify = &RunVerify{Check: r.VerifyCheck, Verdict: r.Verdict}
	}
	if out.Result == nil {
		out.Result = map[string]string{}
	}
	if out.Parameters == nil {
		out.Parameters = map[string]string{}
	}
	return out
}

// ended tells whether nothing more will come of the run.
func (r Run) ended() bool { return (&model.Run{State: model.RunState(r.State)}).Done() }

// seen is what is known of the machine that a script is chosen for.
type seen struct {
	family string
	firing []string            // checks
	first  map[string]string   // what an alert is about, by what scripts ask for
	listed map[string][]string // what the machine lists, by the same
}

func scriptOf(s scripts.Script, at seen) Script {
	out := Script{
		ID: s.ID, Version: s.Version, Hash: hexOf(s.Hash()), Title: Words(s.Title), Explanation: Words(s.Explanation),
		Notices: Words(s.Notices), Platforms: s.Families(), Parameters: schemaOf(s, at), Risk: string(s.Risk),
		TimeoutSeconds: s.Timeout.Seconds(), Cures: append([]string{}, s.Cures...), Verify: textOrNull(s.Verify),
	}
	out.Fits = slices.ContainsFunc(s.Cures, func(c string) bool { return slices.Contains(at.firing, c) })
	return out
}

// schemaOf describes the values of a script as JSON Schema. Closed values that
// the machine lists become a choice, with what the alert is about chosen.
func schemaOf(s scripts.Script, at seen) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, p := range s.Parameters {
		f := map[string]any{"type": p.Type, "title": p.Title.EN, "x-title": p.Title}
		if p.Default != "" {
			f["default"] = p.Default
		}
		if len(p.Enum) > 0 {
			f["enum"] = p.Enum
		}
		if p.Pattern != "" {
			f["pattern"], f["maxLength"] = p.Pattern, p.Max
		}
		if p.Type == "integer" {
			f["minimum"], f["maximum"] = p.Min, p.Max
		}
		if p.From != "" {
			f["x-from"] = p.From
			if list := at.listed[p.From]; len(list) > 0 {
				f["enum"] = list
				if first := at.first[p.From]; slices.Contains(list, first) {
					f["default"] = first
				}
			}
		}
		properties[p.Name] = f
		if p.Required {
			required = append(required, p.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (a *API) runRoutes() {
	type scriptQuery struct {
		Machine uuid.UUID `query:"machine_id"`
		Ticket  uuid.UUID `query:"ticket_id"`
	}
	operation(a, http.MethodGet, "/scripts", "machine.read", "List scripts; what fits comes first", func(ctx context.Context, in *scriptQuery) (*Answer[Page[Script]], error) {
		all, err := scripts.All()
		if err != nil {
			return nil, err
		}
		at, err := a.seen(ctx, in.Machine, in.Ticket)
		if err != nil {
			return nil, err
		}
		page := Page[Script]{Items: []Script{}}
		for _, s := range all {
			if at.family == "" || slices.Contains(s.Families(), at.family) {
				page.Items = append(page.Items, scriptOf(s, at))
			}
		}
		slices.SortStableFunc(page.Items, func(x, y Script) int {
			if x.Fits != y.Fits {
				return map[bool]int{true: -1, false: 1}[x.Fits]
			}
			return 0
		})
		page.Total = int64(len(page.Items))
		return answer(page, nil)
	})
	type one struct {
		ID string `path:"id" maxLength:"64"`
	}
	operation(a, http.MethodGet, "/scripts/{id}", "machine.read", "One script", func(_ context.Context, in *one) (*Answer[Script], error) {
		s, ok := scripts.Lookup(in.ID)
		if !ok {
			return nil, model.Problemf(model.CodeNotFound, "", "There is no script %q.", in.ID)
		}
		return answer(scriptOf(s, seen{}), nil)
	})
	operation(a, http.MethodPost, "/runs", "run.start", "Run a script on a machine", a.startRun)
	type query struct {
		Listing
		Machine uuid.UUID `query:"machine_id"`
		Ticket  uuid.UUID `query:"ticket_id"`
		State   string    `query:"state" enum:"queued,sent,running,succeeded,failed,timed_out,refused,cancelled,expired,lost"`
	}
	operation(a, http.MethodGet, "/runs", "machine.read", "List runs", func(ctx context.Context, in *query) (*Answer[Page[Run]], error) {
		var page Page[Run]
		err := a.view(ctx, func(tx *store.Tx) error {
			list, err := repair.List(tx, repair.Query{Request: in.request(), Machine: in.Machine, Ticket: in.Ticket, State: in.State})
			page = pageOf(list, runOf)
			return err
		})
		return answer(page, err)
	})
	type awaited struct {
		ByID
		Waiting
	}
	operation(a, http.MethodGet, "/runs/{id}", "machine.read", "One run", func(ctx context.Context, in *awaited) (*Answer[Run], error) {
		var r Run
		err := a.until(ctx, in.Waiting, Changed{repair.ChangedRun, in.ID}, func(ctx context.Context) (bool, error) {
			now, err := a.runNow(ctx, in.ID)
			if err != nil {
				return false, err
			}
			r = now
			return r.ended(), nil
		})
		return answer(r, err)
	})
	operation(a, http.MethodPost, "/runs/{id}/cancel", "run.start", "Cancel a run", func(ctx context.Context, in *ByID) (*Answer[Run], error) {
		if _, err := a.rooms.Repair.Cancel(ctx, callerOf(ctx).scope, in.ID); err != nil {
			return nil, err
		}
		return answer(a.runNow(ctx, in.ID))
	})
}

// seen reads what fires on a machine or in a ticket, and what the machine lists.
func (a *API) seen(ctx context.Context, machine, ticket model.ID) (seen, error) {
	var at seen
	if machine == uuid.Nil && ticket == uuid.Nil {
		return at, nil
	}
	err := a.view(ctx, func(tx *store.Tx) error {
		at = seen{first: map[string]string{}, listed: map[string][]string{}}
		list, err := health.List(tx, health.Query{Request: store.Request{Limit: 100}, Machine: machine, Ticket: ticket, Open: true})
		if err != nil {
			return err
		}
		for _, x := range list.Items {
			at.firing = append(at.firing, x.Check)
			at.first["filesystems"], at.first["services"] = cmp.Or(at.first["filesystems"], x.Texts["mount"], x.Instance), cmp.Or(at.first["services"], x.Instance)
		}
		if machine == uuid.Nil {
			return nil
		}
		m, err := fleet.Get(tx, machine)
		if err != nil {
			return err
		}
		at.family = m.OS.Family
		facts, _, err := fleet.Facts(tx, machine)
		for _, f := range facts.Filesystems {
			at.listed["filesystems"] = append(at.listed["filesystems"], string(f.Mount))
		}
		for _, s := range facts.Services {
			at.listed["services"] = append(at.listed["services"], string(s.Name))
		}
		return err
	})
	return at, err
}

type newRun struct {
	Key  string `header:"Idempotency-Key" maxLength:"200"`
	Body struct {
		Script     string            `json:"script" maxLength:"64"`
		Machine    uuid.UUID         `json:"machine_id"`
		Ticket     *uuid.UUID        `json:"ticket_id,omitempty"`
		Parameters map[string]string `json:"parameters,omitempty"`
		DryRun     bool              `json:"dry_run,omitempty"`
	}
}

func (a *API) startRun(ctx context.Context, in *newRun) (*Answer[Run], error) {
	c := callerOf(ctx)
	q := repair.Request{Organisation: c.organisation, Script: in.Body.Script, Machine: in.Body.Machine,
		Parameters: in.Body.Parameters, DryRun: in.Body.DryRun, Key: in.Key}
	if in.Body.Ticket != nil {
		q.Ticket = *in.Body.Ticket
	}
	if err := a.view(ctx, func(tx *store.Tx) (err error) {
		q.Cures, err = cured(tx, q)
		return err
	}); err != nil {
		return nil, err
	}
	r, err := a.rooms.Repair.Start(ctx, c.scope, q)
	if err != nil {
		return nil, err
	}
	return answer(a.runNow(ctx, r.ID))
}

// cured is the check that fires for the very thing that a script is to repair; empty
// where none does, or there is no such script.
func cured(tx *store.Tx, q repair.Request) (string, error) {
	script, ok := scripts.Lookup(q.Script)
	if !ok || script.Subject == "" {
		return "", nil
	}
	list, err := health.List(tx, health.Query{Request: store.Request{Limit: 100}, Machine: q.Machine, Ticket: q.Ticket, Open: true})
	if err != nil {
		return "", err
	}
	for _, x := range list.Items {
		if slices.Contains(script.Cures, x.Check) && x.Instance == q.Parameters[script.Subject] {
			return x.Check, nil
		}
	}
	return "", nil
}

func (a *API) runNow(ctx context.Context, id model.ID) (Run, error) {
	var out Run
	err := a.view(ctx, func(tx *store.Tx) error {
		r, err := repair.Get(tx, id)
		if err != nil {
			return err
		}
		m, err := fleet.Get(tx, r.Machine)
		out = runOf(repair.RunOf{Run: r, MachineName: m.Name})
		return err
	})
	return out, err
}

// serveOutput writes the output of a run as it comes: plain text that no
// browser takes for anything else.
func (a *API) serveOutput(w http.ResponseWriter, r *http.Request) {
	c, ok := a.allowed(w, r, "machine.read")
	if !ok {
		return
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		writeProblem(w, http.StatusNotFound, "not_found", "There is no such run, or you may not see it.")
		return
	}
	from, err := strconv.ParseInt(cmp.Or(r.URL.Query().Get("from"), "0"), 10, 64)
	if err != nil || from < 0 {
		writeProblem(w, http.StatusUnprocessableEntity, "invalid", "from is a number of bytes.")
		return
	}
	follow := r.URL.Query().Get("follow") == "1"
	control := http.NewResponseController(w)
	began := false
	for turn := 1; ; turn++ {
		if turn%25 == 0 && !a.still(r.Context(), c) { // every five seconds
			return
		}
		var out []byte
		var done bool
		err := a.rooms.Store.View(r.Context(), c.scope, func(tx *store.Tx) error {
			run, err := repair.Get(tx, id)
			if err != nil {
				return err
			}
			done = run.Done()
			out, from, err = repair.Output(tx, id, from)
			return err
		})
		if err != nil && !began {
			a.writeError(w, err)
			return
		}
		if err != nil {
			return
		}
		if !began {
			began = true
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "sandbox")
			w.WriteHeader(http.StatusOK)
		}
		if _, err := w.Write(out); err != nil {
			return
		}
		if done || !follow {
			return
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}
