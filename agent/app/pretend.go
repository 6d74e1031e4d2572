package app

import (
	"context"
	"io"
	"net"

	"github.com/google/uuid"

	"github.com/deskside/deskside/agent/probe"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol/expression"
)

// Pretend is a machine that is not there: package main of agent/simulate makes
// many. Its readings, its repairs and its way to the console are made up;
// everything else is the agent.
type Pretend struct {
	State  *state.State // where many share a file; else the agent opens its own
	Family string       // of the system: linux, windows, darwin
	// Read is one round of readings; a slow one has all facts.
	Read func(ctx context.Context, slow bool) *expression.Machine
	// Repair does in place of a script what the script would, and returns its
	// exit code. No program is started.
	Repair func(run uuid.UUID, script string, values map[string]string, dry bool, out io.Writer) int
	// Dial opens connections to the console.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Online is called for each accepted connection.
	Online func()
}

// reader is where rounds get their readings from: the probes of this machine,
// or a pretence.
type reader struct {
	round func(ctx context.Context, slow bool) *expression.Machine
	watch func(services []string)
	close func()
}

func newReader(p *probe.Prober) reader { return reader{p.Round, p.Watch, p.Close} }

func newPretence(p *Pretend) reader { return reader{p.Read, func([]string) {}, func() {}} }
