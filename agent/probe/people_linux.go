package probe

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/shirou/gopsutil/v3/host"

	"github.com/deskside/deskside/protocol/expression"
)

const maxPeople = 64

// readPeople reads who is signed in: from logind where it runs, else from
// utmp, which newer systems no longer write.
func (p *Prober) readPeople(ctx context.Context) (result, error) {
	if !p.options.Collect.People {
		return held("people")
	}
	if _, err := os.Stat(p.path("/run/systemd/system")); err == nil && p.options.Root == "" {
		if list, err := logind(ctx); err == nil {
			list, missing := keep(list, maxPeople, expression.SectionPeople)
			return result{func(m *expression.Machine) { m.People = list }, missing}, nil
		}
	}
	users, err := host.UsersWithContext(ctx)
	if errors.Is(err, os.ErrNotExist) {
		return result{}, errors.New("nothing here notes who signs in (neither logind nor utmp)")
	}
	if err != nil {
		return result{}, err
	}
	list := []expression.Person{}
	for _, u := range users {
		list = append(list, expression.Person{Name: clean(u.User), Terminal: clean(u.Terminal), Since: expression.TimeOf(time.Unix(int64(u.Started), 0))})
	}
	list, missing := keep(list, maxPeople, expression.SectionPeople)
	return result{func(m *expression.Machine) { m.People = list }, missing}, nil
}

// logind asks for the sessions of people; services and greeters have some, too.
func logind(ctx context.Context) ([]expression.Person, error) {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	var sessions []struct {
		ID   string
		UID  uint32
		User string
		Seat string
		Path dbus.ObjectPath
	}
	const name = "org.freedesktop.login1"
	err = bus.Object(name, "/org/freedesktop/login1").CallWithContext(ctx, name+".Manager.ListSessions", 0).Store(&sessions)
	if err != nil {
		return nil, err
	}
	list := []expression.Person{}
	for _, s := range sessions {
		var v map[string]dbus.Variant
		err := bus.Object(name, s.Path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, name+".Session").Store(&v)
		if err != nil {
			continue // signed out since
		}
		if class, _ := v["Class"].Value().(string); class != "user" {
			continue
		}
		one := expression.Person{Name: clean(s.User)}
		if at, ok := v["Timestamp"].Value().(uint64); ok {
			one.Since = expression.Time(at)
		}
		for _, where := range []string{"TTY", "Display"} {
			if t, _ := v[where].Value().(string); t != "" && one.Terminal == "" {
				one.Terminal = clean(t)
			}
		}
		list = append(list, one)
	}
	return list, nil
}
