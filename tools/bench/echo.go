package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/deskside/deskside/tools/internal/page"
	"github.com/deskside/deskside/tools/internal/stage"
)

const (
	keystrokes = 1000 // of which a quantile is taken
	keysBefore = 100  // not counted
	keyPause   = 2 * time.Millisecond
)

// prompt makes the terminal say each key by itself, without a program in between.
// What it prints is not what is typed, so that its own echo is not taken for it.
const prompt = "stty -icanon; printf 're%s' ady; exec sleep 1000"

// A typist has a terminal somewhere: type writes to it, read what it says.
type typist struct {
	write func([]byte) error
	read  func() ([]byte, error)
}

// echo types one key after the other into a terminal through the console, through
// ssh, and through the least of a relay that speaks TLS.
func echo(ctx context.Context) (_ map[string]figure, err error) {
	w, err := newWorld(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, machine, err := w.Agent()
	if err != nil {
		return nil, err
	}
	took := map[string][]float64{}
	for name, open := range map[string]func() (typist, error){
		"deskside": func() (typist, error) { return w.terminal(machine) }, "ssh": w.ssh, "relay": w.relay} {
		t, err := open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if took[name], err = t.keys(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	ours := quantile(took["deskside"], 0.5)
	note := fmt.Sprintf("p99 of the relay %s ms, of ssh %s ms", page.Short(quantile(took["relay"], 0.99)), page.Short(quantile(took["ssh"], 0.99)))
	return map[string]figure{
		"echo-ssh":   {ours: ours, theirs: quantile(took["ssh"], 0.5)},
		"echo-relay": {ours: ours, theirs: quantile(took["relay"], 0.5)},
		"echo-p99":   {ours: quantile(took["deskside"], 0.99), note: note},
	}, nil
}

// keys tells how many milliseconds each key took to come back.
func (t typist) keys() ([]float64, error) {
	if err := t.until("ready"); err != nil {
		return nil, err
	}
	var took []float64
	for i := range keysBefore + keystrokes {
		key := string(rune('a' + i%26))
		began := time.Now()
		if err := t.write([]byte(key)); err != nil {
			return nil, err
		}
		if err := t.until(key); err != nil {
			return nil, err
		}
		if i >= keysBefore {
			took = append(took, time.Since(began).Seconds()*1000)
		}
		time.Sleep(keyPause)
	}
	return took, nil
}

func (t typist) until(what string) error {
	for said := ""; !strings.Contains(said, what); {
		b, err := t.read()
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", what, err)
		}
		said += string(b)
	}
	return nil
}

// terminal is one at a machine, through the console.
func (w *world) terminal(machine string) (typist, error) {
	t, err := w.Terminal(machine)
	if err != nil {
		return typist{}, err
	}
	return typist{write: t.Write, read: t.Read}, t.Write([]byte(prompt + "\n"))
}

// relay is a terminal through a server that passes frames from one WebSocket to
// another and does nothing else.
func (w *world) relay() (typist, error) {
	self, err := os.Executable()
	if err != nil {
		return typist{}, err
	}
	_, line, err := w.Start(self, bareRelay)
	if err != nil {
		return typist{}, err
	}
	url := strings.TrimSpace(line)
	if _, _, err := w.Start(self, bareTerminal, url+"/far"); err != nil {
		return typist{}, err
	}
	ws, err := w.Socket(url+"/near", nil)
	if err != nil {
		return typist{}, err
	}
	return typist{
		write: func(b []byte) error { return ws.WriteMessage(websocket.BinaryMessage, b) },
		read: func() ([]byte, error) {
			_, message, err := ws.ReadMessage()
			return message, err
		},
	}, nil
}

// ssh is a terminal through a server of its own on the loopback.
func (w *world) ssh() (typist, error) {
	me, err := user.Current()
	if err != nil {
		return typist{}, err
	}
	at, err := stage.FreePort()
	if err != nil {
		return typist{}, err
	}
	port := at[strings.LastIndex(at, ":")+1:]
	dir := w.Path("ssh")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll("/run/sshd", 0o755)); err != nil {
		return typist{}, err
	}
	for _, key := range []string{"host", "mine"} {
		if out, err := exec.CommandContext(w.Ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			return typist{}, fmt.Errorf("ssh-keygen: %w: %s", err, out)
		}
	}
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s/host\nAuthorizedKeysFile %s/mine.pub\nStrictModes no\nUsePAM no\nPidFile none\n", port, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		return typist{}, err
	}
	if _, err := w.Quiet("/usr/sbin/sshd", "-D", "-f", filepath.Join(dir, "config")); err != nil {
		return typist{}, err
	}
	cmd := exec.CommandContext(w.Ctx, "ssh", "-tt", "-q", "-p", port, "-i", filepath.Join(dir, "mine"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "ConnectionAttempts=20", me.Username+"@127.0.0.1", prompt)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return typist{}, err
	}
	if err := cmd.Start(); err != nil {
		return typist{}, err
	}
	w.Ends(cmd)
	buffer := make([]byte, 4096)
	return typist{
		write: func(b []byte) error { _, err := in.Write(b); return err },
		read: func() ([]byte, error) {
			n, err := out.Read(buffer)
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("ssh ended: %s", w.Logged())
			}
			return buffer[:n], err
		},
	}, nil
}
