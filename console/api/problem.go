package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// Problem is the document every error is (RFC 9457).
type Problem struct {
	Type    string   `json:"type"`
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Detail  string   `json:"detail"`
	Code    string   `json:"code" doc:"for programs; it does not change"`
	Errors  []Detail `json:"errors,omitempty"`
	Current any      `json:"current,omitempty" doc:"with 409: the row as it is now"`
}

// Detail says where something is wrong, and what is allowed.
type Detail struct {
	Location string    `json:"location"`
	Message  string    `json:"message"`
	Value    any       `json:"value,omitempty"`
	Position *Position `json:"position,omitempty" doc:"in the text of an expression"`
}

// Position is a place in a text, counted from 1.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError: when to come back, where that helps.
func (p *Problem) GetHeaders() http.Header {
	if seconds := retryAfter[p.Status]; seconds != "" {
		return http.Header{"Retry-After": {seconds}}
	}
	return nil
}

var retryAfter = map[int]string{http.StatusServiceUnavailable: "5", http.StatusTooManyRequests: "15"}

// ContentType names the format of problem documents.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

var codes = map[int]string{
	http.StatusBadRequest: "malformed", http.StatusUnauthorized: "sign_in", http.StatusForbidden: "forbidden",
	http.StatusNotFound: "not_found", http.StatusMethodNotAllowed: "method", http.StatusConflict: "conflict",
	http.StatusUnprocessableEntity: "invalid", http.StatusTooManyRequests: "too_many",
	http.StatusServiceUnavailable: "unavailable", http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType: "media_type",
}

func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: message, Code: codes[status]}
	if p.Code == "" {
		p.Code = "internal"
	}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			p.Errors = append(p.Errors, Detail{Location: d.Location, Message: d.Message, Value: short(d.Value)})
		} else if err != nil {
			p.Errors = append(p.Errors, Detail{Message: err.Error()})
		}
	}
	return p
}

// newProblemFor adds what is allowed where something was named that is not there.
func newProblemFor(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
	p := newProblem(status, message, errs...).(*Problem)
	if ctx == nil || ctx.Operation() == nil {
		return p
	}
	for i, d := range p.Errors {
		switch {
		case d.Message == "unexpected property":
			p.Errors[i].Message += "; allowed: " + strings.Join(bodyFields(ctx.Operation(), d.Location), ", ")
		case strings.HasPrefix(d.Message, "unknown query parameter"):
			p.Errors[i].Message += "; allowed: " + allowedIn(queryNames(ctx.Operation()))
		}
	}
	return p
}

func allowedIn(names []string) string { return cmp.Or(strings.Join(names, ", "), "none") }

func queryNames(op *huma.Operation) []string {
	names := []string{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

func bodyFields(op *huma.Operation, location string) []string {
	fields, ok := op.Metadata["fields"].([]string)
	if !ok || strings.Count(location, ".") > 1 {
		return []string{"see " + Prefix + "/docs"}
	}
	return fields
}

func short(v any) any {
	if s, ok := v.(string); ok && len(s) > 200 {
		return s[:200] + "…"
	}
	switch v.(type) {
	case map[string]any, []any:
		return nil // a whole body says nothing
	}
	return v
}

// problem turns an error of a room into a problem document. What is not meant
// for people is logged and told as "internal".
func (a *API) problem(err error) error {
	var ready *Problem
	var conflict *conflictError
	var known *model.Problem
	var request *store.RequestError
	var invalid *catalogue.Invalid
	var source *expression.Error
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &conflict):
		p := newProblem(http.StatusConflict, "Somebody else has changed this in the meantime.").(*Problem)
		p.Current = conflict.current
		return p
	case errors.Is(err, context.Canceled): // whoever asked has gone
		return newProblem(http.StatusServiceUnavailable, "The request was given up.")
	case errors.Is(err, store.ErrUnavailable):
		return newProblem(http.StatusServiceUnavailable, "The database cannot be reached. Please try again in a moment.")
	case errors.As(err, &known):
		return problemOf(known)
	case errors.As(err, &request):
		p := newProblem(http.StatusUnprocessableEntity, request.Field+" "+request.Message).(*Problem)
		p.Errors = []Detail{{Location: "query." + request.Field, Message: request.Message, Value: request.Value}}
		return p
	case errors.As(err, &invalid):
		return problemOf(model.Problemf(model.CodeInvalid, invalid.Field, "%s", invalid.Message))
	case errors.As(err, &source):
		return sourceProblem(source, "expression")
	case errors.Is(err, store.ErrNotFound):
		return newProblem(http.StatusNotFound, "There is nothing here, or you may not see it.")
	case errors.Is(err, store.ErrConflict):
		return newProblem(http.StatusConflict, "Somebody else has changed this in the meantime.")
	}
	a.rooms.Log.Error("an operation failed", "error", err)
	return newProblem(http.StatusInternalServerError, "Something went wrong in the console. The log says what.")
}

// sourceProblem says what is wrong with an expression in a field of a body.
func sourceProblem(source *expression.Error, field string) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, "The expression cannot be used.").(*Problem)
	p.Errors = []Detail{{Location: "body." + field, Message: source.Message, Position: &Position{Line: source.Line, Column: source.Column}}}
	return p
}

func problemOf(m *model.Problem) *Problem {
	status := http.StatusUnprocessableEntity
	switch m.Code {
	case model.CodeNotFound:
		status = http.StatusNotFound
	case model.CodeConflict, model.CodeState, model.CodeOffline:
		status = http.StatusConflict
	case model.CodeRefused:
		status = http.StatusForbidden
	case "sign_in_failed", "link_invalid":
		status = http.StatusUnauthorized
	case "too_many":
		status = http.StatusTooManyRequests
	}
	p := newProblem(status, m.Text).(*Problem)
	p.Code = m.Code
	if m.Field != "" {
		p.Errors = []Detail{{Location: "body." + m.Field, Message: m.Text}}
	}
	return p
}

// conflictError is a 409 with the row as it is now.
type conflictError struct{ current any }

func (*conflictError) Error() string { return "changed by somebody else in the meantime" }

func writeProblem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	if seconds := retryAfter[status]; seconds != "" {
		w.Header().Set("Retry-After", seconds)
	}
	w.WriteHeader(status)
	raw, err := json.Marshal(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code})
	if err == nil {
		w.Write(raw)
	}
}

func (a *API) writeError(w http.ResponseWriter, err error) {
	var p *Problem
	if !errors.As(a.problem(err), &p) {
		p = &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: fmt.Sprint(err)}
	}
	writeProblem(w, p.Status, p.Code, p.Detail)
}
