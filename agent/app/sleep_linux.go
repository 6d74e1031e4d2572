package app

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

// logind, as it calls itself.
const (
	login1        = "org.freedesktop.login1"
	login1Path    = dbus.ObjectPath("/org/freedesktop/login1")
	login1Manager = login1 + ".Manager"
)

const (
	// sleepTime is how long the goodbye may hold up the sleep; logind waits five
	// seconds for everybody.
	sleepTime = 4 * time.Second
	// busAgain is when a bus that is not there, or went away, is looked for again.
	busAgain = time.Minute
)

// watchSleep says goodbye when this computer goes to sleep, and comes back at once
// when it wakes, as logind tells. Where there is none, sleep is a line that is lost.
func (a *Agent) watchSleep(ctx context.Context) {
	for {
		err := a.followLogind(ctx)
		if ctx.Err() != nil {
			return
		}
		a.options.Log.Debug("cannot hear of this computer's sleep", "error", err, "again_in", busAgain)
		select {
		case <-ctx.Done():
			return
		case <-time.After(busAgain):
		}
	}
}

// followLogind does what logind says until the bus or ctx ends.
func (a *Agent) followLogind(ctx context.Context) error {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return err
	}
	defer bus.Close()
	signals := make(chan *dbus.Signal, 16)
	bus.Signal(signals)
	err = bus.AddMatchSignalContext(ctx, dbus.WithMatchSender(login1), dbus.WithMatchObjectPath(login1Path),
		dbus.WithMatchInterface(login1Manager), dbus.WithMatchMember("PrepareForSleep"))
	if err != nil {
		return err
	}
	hold, err := holdSleep(ctx, bus)
	if err != nil {
		return err
	}
	defer func() { hold.Close() }()
	defer a.line.Awake() // nobody would say so any more
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, open := <-signals:
			if !open {
				return errors.New("the system's bus went away")
			}
			asleep, ours := sleepOf(ctx, bus, s)
			switch {
			case !ours:
			case asleep:
				limit, cancel := context.WithTimeout(ctx, sleepTime)
				a.line.Sleep(limit)
				cancel()
				hold.Close()
			default:
				a.line.Awake()
				hold.Close()
				if hold, err = holdSleep(ctx, bus); err != nil {
					return err
				}
			}
		}
	}
}

// holdSleep asks logind to wait with the sleep until the file is closed.
func holdSleep(ctx context.Context, bus *dbus.Conn) (*os.File, error) {
	var fd dbus.UnixFD
	err := bus.Object(login1, login1Path).CallWithContext(ctx, login1Manager+".Inhibit", 0,
		"sleep", "Deskside", "tells the console that this computer sleeps", "delay").Store(&fd)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "sleep"), nil
}

// sleepOf reads a signal: whether the computer goes to sleep or has woken. Anybody
// may send one to this connection by its name, so its sender is asked for.
func sleepOf(ctx context.Context, bus *dbus.Conn, s *dbus.Signal) (asleep, ours bool) {
	if s.Name != login1Manager+".PrepareForSleep" || len(s.Body) != 1 {
		return false, false
	}
	var owner string
	err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, login1).Store(&owner)
	if err != nil || owner != s.Sender {
		return false, false
	}
	asleep, ours = s.Body[0].(bool)
	return asleep, ours
}
