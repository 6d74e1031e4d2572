package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// Enrolment is what a machine says when it asks for a name of its own.
type Enrolment struct {
	Console  string // URL
	Token    protocol.Token
	Name     string
	OS       protocol.OS
	Agent    string
	Profile  string
	Hardware map[string]string

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // see [Me]
}

// Enrol makes a key, shows the token to the console it leads to, and returns
// who this machine is from now on, and the trust files that the console has, which
// nobody has looked at yet. The secret of the token is sent only to a console whose
// identity the token names.
func Enrol(ctx context.Context, e Enrolment) (state.Identity, [][]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return state.Identity{}, nil, fmt.Errorf("enrol: %w", err)
	}
	c, err := dial(ctx, e.Console, Me{Organisation: e.Token.Organisation, Key: private, Trust: tokenTrust(e.Token), Dial: e.Dial}, smallBuffer)
	if err != nil {
		return state.Identity{}, nil, err
	}
	defer c.close()
	signature, err := c.sign(private)
	if err != nil {
		return state.Identity{}, nil, err
	}
	ask := protocol.Enrol{Secret: e.Token.Secret, Signature: signature, Name: e.Name, OS: e.OS,
		Agent: e.Agent, Hardware: e.Hardware}
	if err := c.send(protocol.KindEnrol, ask); err != nil {
		return state.Identity{}, nil, err
	}
	c.ws.SetReadLimit(protocol.MaxIdentify)
	var got protocol.Enrolled
	if err := c.expect(protocol.KindEnrolled, &got); err != nil {
		return state.Identity{}, nil, err
	}
	return state.Identity{
		Machine: got.Machine, Organisation: got.Organisation, Name: got.Name, Key: private,
		Console: e.Console, Identities: e.Token.Identities, Root: e.Token.Root, Profile: e.Profile,
	}, got.Trust, nil
}

// tokenTrust believes the identities that the token names.
type tokenTrust protocol.Token

func (t tokenTrust) Consoles() [][]byte        { return t.Identities }
func (t tokenTrust) Trusted() protocol.Trusted { return protocol.Trusted{} }
func (t tokenTrust) Take(protocol.Trust) (protocol.Trusted, error) {
	return protocol.Trusted{}, ErrOtherConsole
}
