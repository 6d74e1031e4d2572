package probe

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	systemd "github.com/coreos/go-systemd/v22/dbus"

	"github.com/deskside/deskside/protocol/expression"
)

// manager is systemd, over D-Bus. The connection is kept.
type manager struct {
	path func(string) string
	mu   sync.Mutex
	conn *systemd.Conn
}

var errNoManager = errors.New("no service manager runs here that Deskside knows (systemd)")

func (m *manager) connect(ctx context.Context) (*systemd.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil && m.conn.Connected() {
		return m.conn, nil
	}
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
	// What sd_booted asks: another init may have systemd's files.
	if _, err := os.Stat(m.path("/run/systemd/system")); err != nil {
		return nil, errNoManager
	}
	// The context of a dial ends the connection with it, so this one is not
	// that of the round; systemd answers on a local socket or not at all.
	conn, err := systemd.NewWithContext(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	m.conn = conn
	return conn, nil
}

func (m *manager) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
}

// all lists the services that are loaded, and those that are only installed:
// systemd forgets a unit that is stopped and that nothing refers to.
func (m *manager) all(ctx context.Context) ([]expression.Service, error) {
	conn, err := m.connect(ctx)
	if err != nil {
		return nil, err
	}
	units, err := conn.ListUnitsByPatternsContext(ctx, nil, []string{"*.service"})
	if err != nil {
		return nil, err
	}
	files, err := conn.ListUnitFilesByPatternsContext(ctx, nil, []string{"*.service"})
	if err != nil {
		return nil, err
	}
	start := map[string]expression.Text{}
	for _, f := range files {
		name := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		start[name] = startOf(f.Type)
	}
	list := []expression.Service{}
	for _, u := range units {
		if u.LoadState == "not-found" || u.LoadState == "masked" {
			delete(start, u.Name)
			continue
		}
		list = append(list, expression.Service{
			Name: unitName(u.Name), DisplayName: clean(u.Description), State: stateOfUnit(u.ActiveState, u.SubState), Start: start[u.Name],
		})
		delete(start, u.Name)
	}
	for name, how := range start {
		if how != "" && !strings.Contains(name, "@.") { // a template is no service
			list = append(list, expression.Service{Name: unitName(name), State: "stopped", Start: how})
		}
	}
	return list, nil
}

// some asks for the state of a few, and of those that do not run how they are
// started. One that is not installed has none.
func (m *manager) some(ctx context.Context, names []string) ([]expression.Service, error) {
	conn, err := m.connect(ctx)
	if err != nil {
		return nil, err
	}
	units := make([]string, len(names))
	for i, n := range names {
		units[i] = strings.TrimSuffix(n, ".service") + ".service"
	}
	states, err := conn.ListUnitsByNamesContext(ctx, units)
	if err != nil {
		return nil, err
	}
	var list []expression.Service
	for _, u := range states {
		one := expression.Service{Name: unitName(u.Name), DisplayName: clean(u.Description)}
		if u.LoadState != "not-found" && u.LoadState != "masked" {
			one.State = stateOfUnit(u.ActiveState, u.SubState)
		}
		// Of one that does not run it matters whether it should: an administrator
		// who has just disabled and stopped it is believed at once.
		if one.State != "running" {
			if p, err := conn.GetUnitPropertyContext(ctx, u.Name, "UnitFileState"); err == nil {
				kind, _ := p.Value.Value().(string)
				one.Start = startOf(kind)
			}
		}
		list = append(list, one)
	}
	return list, nil
}

func unitName(unit string) expression.Text { return clean(strings.TrimSuffix(unit, ".service")) }

// stateOfUnit says systemd's two words as one of ours. A service that ended
// well and is meant to count as active is "exited".
func stateOfUnit(active, sub string) expression.Text {
	switch active {
	case "active", "reloading", "refreshing":
		if sub == "exited" {
			return "exited"
		}
		return "running"
	case "activating":
		// Between a crash and the next try it is not running, whatever it is
		// called.
		if sub == "auto-restart" || sub == "auto-restart-queued" {
			return "failed"
		}
		return "starting"
	case "deactivating":
		return "stopping"
	case "failed":
		return "failed"
	case "inactive", "maintenance":
		return "stopped"
	}
	return ""
}

// startOf says how a unit file is started; "" for what cannot be, and for
// another name of a unit.
func startOf(kind string) expression.Text {
	switch kind {
	case "enabled", "enabled-runtime":
		return "auto"
	case "static", "indirect", "generated", "transient":
		return "manual"
	case "disabled":
		return "disabled"
	}
	return ""
}
