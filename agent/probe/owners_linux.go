package probe

import (
	"os/user"
	"time"

	"github.com/deskside/deskside/protocol/expression"
)

// owners remembers the names of accounts: asking the system for one may read
// a whole file or go over the network.
type owners struct {
	names map[string]ownerName
}

type ownerName struct {
	name expression.Text
	at   time.Time
}

// of returns the name of an account, or its id when nobody has a name for it.
func (o *owners) of(id string, now time.Time) expression.Text {
	if known, ok := o.names[id]; ok && now.Sub(known.at) < time.Hour {
		return known.name
	}
	name := clean(id)
	if u, err := user.LookupId(id); err == nil {
		name = clean(u.Username)
	}
	if o.names == nil || len(o.names) > 1000 {
		o.names = map[string]ownerName{}
	}
	o.names[id] = ownerName{name, now}
	return name
}
