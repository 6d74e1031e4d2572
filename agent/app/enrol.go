package app

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// Enrolment is what it takes to give this machine a name at a console.
type Enrolment struct {
	Console string // https://host:port
	Token   protocol.Token
	State   string // folder of the machine's memory
	Profile string // what the machine allows when it has no policy file
	Replace bool   // give up the name it has
}

// Enroll gives this machine a name and keeps it in its state.
func Enroll(ctx context.Context, e Enrolment) (state.Identity, error) {
	s, err := state.Open(e.State)
	if err != nil {
		return state.Identity{}, err
	}
	defer s.Close()
	err = s.View(func(tx *state.Tx) error { _, err := tx.Identity(); return err })
	if err == nil && !e.Replace {
		return state.Identity{}, fmt.Errorf("%w: this machine is enrolled already; --replace gives up the name it has", errConfig)
	}
	if err != nil && !errors.Is(err, state.ErrNotEnrolled) {
		return state.Identity{}, err
	}
	id, err := link.Enrol(ctx, link.Enrolment{Console: e.Console, Token: e.Token, Name: hostname(), Agent: Version,
		OS: protocol.OS{Family: runtime.GOOS, Arch: runtime.GOARCH}, Profile: e.Profile, Hardware: hardware()})
	if err != nil {
		return state.Identity{}, err
	}
	return id, s.Update(func(tx *state.Tx) error { return tx.SetIdentity(id) })
}
