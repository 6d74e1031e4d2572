package model

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Group picks the machines for which a rule over their facts holds. It grants
// nothing.
type Group struct {
	ID           ID
	Organisation ID
	Name         string
	Rule         string // an expression of the kind expression.Group
	Judging      bool   // the rule has not met every machine yet
	CreatedAt    time.Time
	Version      int64
}

// SetName names the group.
func (g *Group) SetName(name string) error {
	if name == "" || utf8.RuneCountInString(name) > 64 || strings.TrimSpace(name) != name || strings.ContainsAny(name, "\x00\r\n\t") {
		return Problemf(CodeInvalid, "name", "The name of a group has 1 to 64 characters, in one line, without blanks around it.")
	}
	g.Name = name
	return nil
}
