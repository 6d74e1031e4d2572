package main

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/deskside/deskside/agent/link"
	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/console/store/storetest"
	"github.com/deskside/deskside/protocol"
)

const (
	tellers   = 64 // machines that have much to tell
	batchOf   = 200
	tellBegin = 3 * time.Second // not counted
	tellFor   = 10 * time.Second
)

// messages has machines tell what changed on them, as fast as the console
// acknowledges: each message is on its disk by then.
func messages(ctx context.Context) (map[string]figure, error) {
	out := map[string]figure{}
	var err error
	if out["messages-sqlite"], err = messagesOn(ctx, ""); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	cluster, err := storetest.StartDurable()
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	if out["messages-postgres"], err = messagesOn(ctx, cluster.URL); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return out, nil
}

func messagesOn(ctx context.Context, database string) (_ figure, err error) {
	w, err := newWorld(ctx, database)
	if err != nil {
		return figure{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	text, err := w.Tool("enrolment", "create", "--uses", strconv.Itoa(tellers), "--expires", "1h")
	if err != nil {
		return figure{}, err
	}
	token, err := protocol.ParseToken(text)
	if err != nil {
		return figure{}, err
	}
	var acknowledged atomic.Int64
	telling, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	for i := range tellers {
		t, err := newTeller(ctx, w.Ready.URL, token, "TELLER-"+strconv.Itoa(i))
		if err != nil {
			return figure{}, err
		}
		group.Go(func() error { return t.tell(telling, &acknowledged) })
	}
	if err := w.Pause(tellBegin); err != nil {
		return figure{}, err
	}
	before, began := acknowledged.Load(), time.Now()
	err = w.Pause(tellFor)
	rate := float64(acknowledged.Load()-before) / time.Since(began).Seconds()
	stop()
	return figure{ours: rate, note: fmt.Sprintf("%d machines, batches of %d", tellers, batchOf)}, errors.Join(err, group.Wait())
}

// teller is a machine that only tells.
type teller struct {
	ws     *websocket.Conn
	number uint64
}

// newTeller enrols a machine and has it welcomed.
func newTeller(ctx context.Context, console string, token protocol.Token, name string) (*teller, error) {
	id, _, err := link.Enrol(ctx, link.Enrolment{Console: console, Token: token, Name: name, OS: protocol.OS{Family: "linux"}, Agent: "bench", Profile: "trial"})
	if err != nil {
		return nil, err
	}
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}
	ws, _, err := dialer.DialContext(ctx, strings.Replace(console, "https", "wss", 1)+link.Path, nil)
	if err != nil {
		return nil, err
	}
	t := &teller{ws: ws}
	return t, t.greet(id)
}

func (t *teller) greet(id state.Identity) error {
	line := t.ws.NetConn().(*tls.Conn).ConnectionState()
	channel, err := line.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return err
	}
	hello := protocol.Hello{Version: protocol.Version, MinVersion: protocol.MinVersion, Organisation: id.Organisation, Machine: id.Machine,
		Key: id.Private().Public().(ed25519.PublicKey), Nonce: protocol.Nonce()}
	var identify protocol.Identify
	if err := errors.Join(t.say(protocol.KindHello, hello), t.until(protocol.KindIdentify, &identify)); err != nil {
		return err
	}
	transcript, err := protocol.TranscriptOf(hello, identify, channel, protocol.RoleAgent)
	if err != nil {
		return err
	}
	proof := protocol.Proof{Epoch: uuid.New(), Name: id.Name, OS: protocol.OS{Family: "linux"}, Clock: time.Now().UnixMicro(),
		Purpose: protocol.ForMachine, Signature: ed25519.Sign(id.Private(), transcript)}
	return errors.Join(t.say(protocol.KindProof, proof), t.until(protocol.KindWelcome, &protocol.Welcome{}))
}

// tell sends a batch, and the next one when it is acknowledged, until ctx ends.
func (t *teller) tell(ctx context.Context, acknowledged *atomic.Int64) error {
	defer t.ws.Close()
	for ctx.Err() == nil {
		batch := protocol.Batch{}
		for range batchOf {
			t.number++
			body, err := protocol.Marshal(protocol.Change{Section: "network", Item: "eth0/" + strconv.FormatUint(t.number, 10),
				Before: "10.20.30.40/16", After: "10.20.30.41/16", At: time.Now().UnixMicro()})
			if err != nil {
				return err
			}
			batch.Entries = append(batch.Entries, protocol.Entry{Class: protocol.ClassChange, Number: t.number, Body: body})
		}
		if err := t.say(protocol.KindBatch, batch); err != nil {
			return err
		}
		for at := uint64(0); at < t.number; {
			var ack protocol.Ack
			if err := t.until(protocol.KindAck, &ack); err != nil {
				return err
			}
			at = max(at, ack.Marks[protocol.ClassChange])
		}
		acknowledged.Add(batchOf)
	}
	return nil
}

func (t *teller) say(kind protocol.Kind, body any) error {
	frame, err := protocol.Encode(kind, body)
	if err != nil {
		return err
	}
	return t.ws.WriteMessage(websocket.BinaryMessage, frame)
}

// until skips what is not of a kind.
func (t *teller) until(kind protocol.Kind, body any) error {
	for {
		_, frame, err := t.ws.ReadMessage()
		if err != nil {
			return err
		}
		m, err := protocol.Decode(frame, protocol.MaxFrame)
		if err != nil {
			return err
		}
		if m.Kind == kind {
			return protocol.Unmarshal(m.Body, body)
		}
	}
}
