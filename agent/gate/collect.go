package gate

import (
	"slices"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/catalogue"
	"github.com/deskside/deskside/protocol/expression"
)

// Tells says whether a section of facts is let out. A policy in doubt lets out
// vitals alone.
func (p Policy) Tells(section string) bool {
	switch {
	case section == expression.SectionVitals:
		return true
	case p.problem != "":
		return false
	case section == expression.SectionPeople:
		return p.Collect.People != "off"
	case section == expression.SectionProcesses:
		return p.Collect.Processes != "off"
	}
	return true
}

// lets says whether a check from elsewhere may read a field.
func (p Policy) lets(f expression.Field) bool {
	if f.Class == expression.Private || !p.Tells(f.Section) {
		return false
	}
	return f.Name != "processes.owner" || p.Collect.People != "off"
}

// Judges says whether a set of checks may judge here: a policy in doubt leaves
// that to the catalogue, and no check reads what policy holds back or what is
// private. A check that reads what the catalogue has it read is one of ours: what
// is held back is unknown to it.
func (p Policy) Judges(set catalogue.Set) *Refusal {
	if p.problem != "" {
		return no(protocol.CodePolicyBroken, "This machine's policy cannot be trusted, so it is judged by the built-in checks: %s.", p.problem)
	}
	for _, c := range set.Checks {
		own, ours := catalogue.Find(c.ID)
		if ours && own.Each == c.Each && own.When == c.When && own.Value == c.Value && slices.Equal(own.Details, c.Details) {
			continue
		}
		compiled, err := c.Compile()
		if err != nil {
			return no(protocol.CodeExpression, "The set of checks is not accepted: %v.", err)
		}
		reads := []string{c.Each} // its items name the alerts
		for _, program := range append(compiled.Details, compiled.Value, compiled.When) {
			if program != nil {
				reads = append(reads, program.Reads()...)
			}
		}
		for _, f := range expression.Fields() {
			if slices.Contains(reads, f.Name) && !p.lets(f) {
				return no(protocol.CodePolicy, "This machine's policy does not let %q out, and the check %q reads it.", f.Name, c.ID)
			}
		}
	}
	return nil
}
