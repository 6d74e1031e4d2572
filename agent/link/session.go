package link

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/protocol"
)

// DialSession opens a session's own socket to the console, proves the machine
// again and hands in the single-use token. Frames after it are those of package
// stream; the caller closes the socket.
func DialSession(ctx context.Context, console string, me Me, session uuid.UUID, token []byte) (*websocket.Conn, error) {
	c, err := dial(ctx, console, me, largeBuffer)
	if err != nil {
		return nil, err
	}
	if err := c.enter(me, session, token); err != nil {
		c.close()
		return nil, err
	}
	return c.ws, nil
}

func (c *conn) enter(me Me, session uuid.UUID, token []byte) error {
	signature, err := c.sign(me.Key)
	if err != nil {
		return err
	}
	proof := protocol.Proof{Signature: signature, Purpose: protocol.ForSession, Session: session, Token: token}
	if err := c.send(protocol.KindProof, proof); err != nil {
		return err
	}
	var welcome protocol.Welcome
	if err := c.expect(protocol.KindWelcome, &welcome); err != nil {
		return err
	}
	if err := c.ws.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("session socket: %w", err)
	}
	if err := c.ws.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("session socket: %w", err)
	}
	return nil
}
