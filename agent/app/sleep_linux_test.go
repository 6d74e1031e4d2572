package app

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/deskside/deskside/protocol"
)

// bus is a D-Bus of the test's own, with a logind that sleeps when it is told.
type bus struct {
	*testing.T
	conn *dbus.Conn
	held chan held
}

// held is one inhibitor: who took it, and both ends of its pipe.
type held struct {
	words []string
	by    dbus.Sender
	ends  [2]int
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
	<listen>unix:path=%s/bus</listen>
	<policy context="default"><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy>
</busconfig>`

func newBus(t *testing.T) *bus {
	t.Helper()
	dir := short(t)
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address")
	daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also of a test that dies
	told, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait()
	})
	address, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	b := &bus{T: t, held: make(chan held, 8)}
	b.conn = b.connect()
	if err := b.conn.Export(b, login1Path, login1Manager); err != nil {
		t.Fatal(err)
	}
	if got, err := b.conn.RequestName(login1, dbus.NameFlagDoNotQueue); err != nil || got != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(got, err)
	}
	return b
}

func (b *bus) connect() *dbus.Conn {
	b.Helper()
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}

// Inhibit is logind's: whoever calls holds the sleep up until it closes the file.
func (b *bus) Inhibit(what, who, why, mode string, by dbus.Sender) (dbus.UnixFD, *dbus.Error) {
	h := held{words: []string{what, who, why, mode}, by: by}
	if err := unix.Pipe2(h.ends[:], unix.O_CLOEXEC); err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	b.held <- h
	return dbus.UnixFD(h.ends[1]), nil
}

// hold is the next inhibitor that is taken.
func (b *bus) hold() held {
	b.Helper()
	select {
	case h := <-b.held:
		b.Cleanup(func() { unix.Close(h.ends[0]) })
		return h
	case <-time.After(20 * time.Second):
		b.Fatal("nobody asks to be told of the sleep")
		panic("not reached")
	}
}

// says sends a signal about the sleep; to is empty for all who listen.
func (b *bus) says(conn *dbus.Conn, asleep bool, to string) {
	b.Helper()
	m := &dbus.Message{Type: dbus.TypeSignal, Body: []any{asleep}, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(login1Path), dbus.FieldInterface: dbus.MakeVariant(login1Manager),
		dbus.FieldMember: dbus.MakeVariant("PrepareForSleep"), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(asleep))}}
	if to != "" {
		m.Headers[dbus.FieldDestination] = dbus.MakeVariant(to)
	}
	if call := conn.Send(m, nil); call != nil && call.Err != nil {
		b.Fatal(call.Err)
	}
}

// letGo tells whether the inhibitor is closed, at the latest after so long; the
// test's own copy has to be closed before.
func (h held) letGo(t *testing.T, wait time.Duration) bool {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(h.ends[0]), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(wait.Milliseconds()))
	for err == unix.EINTR {
		n, err = unix.Poll(fds, int(wait.Milliseconds()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return n == 1 && fds[0].Revents&unix.POLLHUP != 0
}

// TestSleep: the goodbye is with the console before the computer may sleep, and
// the line is back when it has woken. Nobody but logind can say so.
func TestSleep(t *testing.T) {
	b := newBus(t)
	d := newDesk(t)
	d.run(d.machine())
	line := d.line()
	first := b.hold()
	if want := []string{"sleep", "Deskside", "tells the console that this computer sleeps", "delay"}; !slices.Equal(first.words, want) {
		t.Errorf("held with %q", first.words)
	}
	// Somebody else says it to the agent alone; then logind, that it woke. Both
	// come in this order, and the second is answered.
	other := b.connect()
	b.says(other, true, string(first.by))
	if err := other.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil { // the bus has it
		t.Fatal(err)
	}
	b.says(b.conn, false, "")
	again := b.hold()
	unix.Close(first.ends[1])
	if !first.letGo(t, 10*time.Second) {
		t.Error("the first inhibitor is kept beside the second")
	}
	if said := line.ask(d); said != protocol.KindAnswer {
		t.Errorf("somebody put the machine to sleep who is not logind: %s", said)
	}

	b.says(b.conn, true, "")
	if said := line.goodbye(); said != protocol.GoodbyeAsleep {
		t.Fatalf("goodbye: %s", said)
	}
	unix.Close(again.ends[1])
	if again.letGo(t, 0) {
		t.Error("the computer may sleep before the console has hung up")
	}
	line.Close()
	if !again.letGo(t, 10*time.Second) {
		t.Error("the sleep is still held up")
	}
	select {
	case <-d.lines:
		t.Error("the machine comes while it sleeps")
	default:
	}
	b.says(b.conn, false, "")
	line = d.line()
	b.hold()

	if said := line.ask(d); said != protocol.KindAnswer {
		t.Errorf("awake again: %s", said)
	}
}

// ask asks the machine a question, and returns what it says first: an answer, or a
// goodbye.
func (f *far) ask(d *desk) protocol.Kind {
	d.Helper()
	body, err := protocol.Marshal(protocol.Ask{Expression: "os.name"})
	if err != nil {
		d.Fatal(err)
	}
	order := protocol.Order{ID: uuid.New(), Machine: f.hello.Machine, Organisation: f.hello.Organisation, Kind: protocol.KindAsk,
		Issued: time.Now().UnixMicro(), Expires: time.Now().Add(time.Minute).UnixMicro(), Body: body}
	stamped, err := protocol.Stamp(d.identity, order)
	if err = errors.Join(err, f.put(protocol.KindStamped, stamped)); err != nil {
		d.Fatal(err)
	}
	for {
		m, err := f.next()
		if err != nil {
			d.Fatal(err)
		}
		if m.Kind == protocol.KindAnswer || m.Kind == protocol.KindGoodbye {
			return m.Kind
		}
	}
}
