package app

import (
	"time"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/health"
	"github.com/deskside/deskside/console/link"
	"github.com/deskside/deskside/console/repair"
	"github.com/deskside/deskside/console/session"
	"github.com/deskside/deskside/console/store"
)

// later says what is called when a row of a kind becomes due.
func (c *Console) later() map[string]store.Handler {
	return map[string]store.Handler{
		store.NodeLapsed:      {Inside: c.nodeLapsed},
		fleet.KindLost:        {Inside: c.fleet.Lost},
		fleet.KindOrphan:      {Inside: c.fleet.Orphan},
		fleet.KindGone:        {Inside: c.health.Gone},
		fleet.KindBack:        {Inside: c.health.Back},
		fleet.KindRevoked:     {Outside: c.machineRevoked, Lease: time.Minute},
		fleet.KindQuestionEnd: {Inside: c.fleet.QuestionEnded},
		fleet.KindGroup:       {Outside: c.fleet.Judge, Lease: time.Minute},
		fleet.KindRegroup:     {Outside: c.fleet.Regroup, Lease: time.Minute},
		desk.KindIndex:        {Inside: c.desk.Index},
		health.KindSilent:     {Inside: c.health.Silent},
		health.KindAge:        {Inside: c.health.Age},
		health.KindCoarse:     {Inside: c.health.Coarsen},
		health.KindSettled:    {Inside: c.health.Settled},
		repair.KindExpire:     {Inside: c.repair.Expire},
		session.KindOpening:   {Inside: c.sessions.Expire},
		link.KindAge:          {Inside: c.lines.Age},
		account.KindAge:       {Inside: c.account.Age},
		account.KindExpires:   {Inside: c.account.Expires},
		account.KindChanged:   {Outside: c.personChanged, Lease: time.Minute},
	}
}
