// Package api is the console's HTTP interface: one file for each feature, the
// same for the web application and for programs.
//
// Names are snake_case, times RFC 3339 in UTC, ids UUIDs, ratios 0 to 1, spans
// in seconds, what is unknown null. A query parameter or a body field that does
// not exist is refused with 422 and the names that do. Errors are problem
// documents with a code for programs and sentences for people. Writes of things
// that people edit carry the version they were read with; when somebody was
// quicker the answer is 409 with the row as it is now.
//
// Every operation names the right it needs; whoever lacks it gets 403, and what
// belongs to another organisation does not exist (404).
package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/repair"
	"github.com/deskside/deskside/console/session"
	"github.com/deskside/deskside/console/store"
)

// Prefix of all operations.
const Prefix = "/api/v1"

// Rooms are what the operations call.
type Rooms struct {
	Store    *store.Store
	Account  *account.Accounts
	Fleet    *fleet.Fleet
	Desk     *desk.Desk
	Health   *health.Health
	Repair   *repair.Repair
	Sessions *session.Sessions

	Node    model.ID
	Version string
	Started time.Time
	Trial   bool // this console was started to be tried: a banner says so
	Log     *slog.Logger

	Asked    func(question model.ID)                                                         // machines have a question to answer
	Watch    func(machine model.ID, until time.Time)                                         // somebody looks at a machine
	Check    func(machine, person model.ID, name string)                                     // a person wants a machine to look at itself now
	Identity []byte                                                                          // the fingerprint of this console's identity
	Token    func(ctx context.Context, secret []byte, organisation model.ID) (string, error) // an enrolment token
	Command  func(token string) string                                                       // the line that enrols a machine
	Origin   func(r *http.Request) string                                                    // the console as the browser named it
	Forward  func(w http.ResponseWriter, r *http.Request, node model.ID)                     // an upgrade that belongs to another node
	Settings func(organisation model.ID)                                                     // checks or settings changed
	Lines    func(organisation model.ID) int                                                 // that this node holds
}

// API serves the operations, the live events and the sockets of sessions.
type API struct {
	rooms Rooms
	mux   *http.ServeMux
	huma  huma.API
	live  *live
}

// New makes the API. live events flow while Run runs.
func New(r Rooms) *API {
	a := &API{rooms: r, mux: http.NewServeMux(), live: newLive()}
	config := huma.DefaultConfig("Deskside", r.Version)
	config.OpenAPI.Info.Description = "Remote deskside support: machines, alerts, tickets, repairs, sessions."
	config.OpenAPIPath = Prefix + "/openapi"
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"cookie": {Type: "apiKey", In: "cookie", Name: "deskside"},
		"token":  {Type: "http", Scheme: "bearer"},
	}
	config.Components.Schemas = registry()
	huma.NewError = newProblem
	huma.NewErrorWithContext = newProblemFor
	a.huma = humago.New(a.mux, config)
	a.huma.UseMiddleware(a.authenticate)
	a.register()
	nullable(a.huma.OpenAPI())
	return a
}

func (a *API) register() {
	a.accountRoutes()
	a.peopleRoutes()
	a.trustRoutes()
	a.machineRoutes()
	a.factRoutes()
	a.alertRoutes()
	a.ticketRoutes()
	a.timelineRoutes()
	a.runRoutes()
	a.questionRoutes()
	a.groupRoutes()
	a.sessionRoutes()
	a.checkRoutes()
	a.helpRoutes()
	a.auditRoutes()
	a.nodeRoutes()
	a.stream("/live", "machine.read", "WebSocket: what looks different, and live readings of watched machines", "", a.serveLive)
	a.stream("/sessions/{id}/socket", "session.open", "WebSocket: the terminal, in binary frames", "", a.serveSocket)
	a.stream("/sessions/{id}/recording", "session.replay", "What was shown, as asciicast version 2", "application/x-asciicast", a.serveRecording)
	a.stream("/runs/{id}/output", "machine.read", "What a script wrote; follow=1 waits for more, from=BYTE skips", "text/plain", a.serveOutput)
	a.mux.HandleFunc("GET "+Prefix+"/docs", a.serveDocs)
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	a.mux.HandleFunc("GET /readyz", a.serveReady)
	a.mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusNotFound, "not_found", "There is no such operation; "+Prefix+"/docs lists them.")
	})
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	a.mux.ServeHTTP(w, r)
}

// OpenAPI is the document of all operations.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

func (a *API) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := a.rooms.Store.Ping(ctx); err != nil {
		writeProblem(w, http.StatusServiceUnavailable, "unavailable", "The database cannot be reached.")
		return
	}
	w.Write([]byte("ready\n"))
}

// operation registers one operation. right is what the caller needs; empty is
// for anybody who is signed in, open for everybody.
func operation[I, O any](a *API, method, path, right, summary string, do func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: Prefix + path, Summary: summary,
		Metadata: map[string]any{"right": right}, Tags: []string{tagOf(path)},
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}
	if body, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		op.Metadata["fields"] = fieldsOf(body.Type)
	}
	if right == open {
		op.Errors = []int{http.StatusUnprocessableEntity}
	} else {
		op.Security = []map[string][]string{{"cookie": {}}, {"token": {}}}
	}
	if method != http.MethodGet {
		op.DefaultStatus = http.StatusOK
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if where := unusable(reflect.ValueOf(in), ""); where != "" {
			p := newProblem(http.StatusUnprocessableEntity, "A text holds a NUL character or is not UTF-8.").(*Problem)
			p.Errors = []Detail{{Location: where, Message: "holds a NUL character or is not UTF-8"}}
			return nil, p
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(err)
		}
		return out, nil
	})
}

// stream registers a handler that answers with something other than JSON; it
// checks the right itself.
func (a *API) stream(path, right, summary, kind string, do http.HandlerFunc) {
	op := &huma.Operation{OperationID: operationID("get", path), Method: http.MethodGet, Path: Prefix + path, Summary: summary,
		Tags: []string{tagOf(path)}, Metadata: map[string]any{"right": right, "stream": true},
		Security: []map[string][]string{{"cookie": {}}, {"token": {}}}, Responses: map[string]*huma.Response{}}
	text := &huma.Schema{Type: huma.TypeString}
	if strings.Contains(path, "{id}") {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: text})
	}
	if strings.HasSuffix(path, "/output") {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "from", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger}},
			&huma.Param{Name: "follow", In: "query", Schema: text})
	}
	if kind == "" {
		op.Responses["101"] = &huma.Response{Description: "the socket"}
	} else {
		op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{kind: {Schema: text}}}
	}
	a.huma.OpenAPI().AddOperation(op)
	allowed := queryNames(op)
	a.mux.HandleFunc("GET "+Prefix+path, func(w http.ResponseWriter, r *http.Request) {
		for name := range r.URL.Query() {
			if !slices.Contains(allowed, name) {
				writeProblem(w, http.StatusUnprocessableEntity, "invalid",
					"There is no query parameter "+strconv.Quote(name)+" here; allowed: "+allowedIn(allowed)+".")
				return
			}
		}
		do(w, r)
	})
}

// unusable names the first text of a request that no database can keep.
func unusable(v reflect.Value, where string) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return unusable(v.Elem(), where)
		}
	case reflect.String:
		if s := v.String(); strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
			return where
		}
	case reflect.Slice:
		for i := range v.Len() {
			if found := unusable(v.Index(i), where+"["+strconv.Itoa(i)+"]"); found != "" {
				return found
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if found := unusable(key, where) + unusable(v.MapIndex(key), where+"."+key.String()); found != "" {
				return found
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if found := unusable(v.Field(i), locationOf(where, f)); found != "" {
				return found
			}
		}
	}
	return ""
}

// locationOf is where a field of a request comes from, as problems name it.
func locationOf(where string, f reflect.StructField) string {
	if f.Anonymous {
		return where
	}
	for _, in := range []string{"path", "query", "header"} {
		if name := f.Tag.Get(in); name != "" {
			return in + "." + name
		}
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		name = strings.ToLower(f.Name)
	}
	return strings.TrimPrefix(where+"."+name, ".")
}

// fieldsOf are the names a body may have.
func fieldsOf(t reflect.Type) []string {
	names := []string{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// open marks an operation that needs no sign-in.
const open = "-"
