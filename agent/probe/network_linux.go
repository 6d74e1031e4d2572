package probe

import (
	"os"
	"strconv"
	"strings"

	"github.com/deskside/deskside/protocol/expression"
)

// lineSpeed reads the speed of a wired line; wireless ones do not say.
func (p *Prober) lineSpeed(name string) expression.Reading {
	b, err := os.ReadFile(p.path("/sys/class/net/" + name + "/speed"))
	if err != nil {
		return expression.Reading{}
	}
	mbit, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || mbit <= 0 {
		return expression.Reading{}
	}
	return known(mbit * 1_000_000)
}
