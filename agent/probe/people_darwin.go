package probe

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v3/host"

	"github.com/deskside/deskside/protocol/expression"
)

// readPeople reads who is signed in, from utmpx.
func (p *Prober) readPeople(ctx context.Context) (result, error) {
	if !p.options.Collect.People {
		return held("people")
	}
	users, err := host.UsersWithContext(ctx)
	if err != nil {
		return result{}, err
	}
	list := []expression.Person{}
	for _, u := range users {
		list = append(list, expression.Person{Name: clean(u.User), Terminal: clean(u.Terminal), Since: expression.TimeOf(time.Unix(int64(u.Started), 0))})
	}
	return result{apply: func(m *expression.Machine) { m.People = list }}, nil
}
