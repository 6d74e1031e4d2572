package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Guest is the person at a machine, as their machine names them. The id is
// derived from machine and account, so that it stays the same and is that of
// nobody else who goes by the same name; of an older agent, which does not tell
// the account, from machine and name.
type Guest struct {
	Organisation model.ID
	Machine      model.ID
	MachineName  string
	Account      string // as the machine counts it, such as "1000"; empty where it did not tell
	Name         string // for people to read; whose it is may change it
	Language     string // en or pl; empty until a link was followed
}

// Actor is the guest in timelines and audit rows.
func (g Guest) Actor() model.Actor {
	who := g.Name
	if g.Account != "" {
		who = "\x00" + g.Account // which no name can be
	}
	return model.Actor{Kind: model.ByPerson, ID: model.DerivedID(g.Machine, who), Name: g.Name}
}

// A machine asks for links on its own word: each leaves a row and an audit row, and
// so many are enough for all who sit at it. None lives longer than the hour for
// which they are counted, so there are never more of them than that.
const (
	mostHelp  = 30 // links of a machine, followed or not
	helpEvery = time.Hour
)

var errHelpOften = model.Problemf("too_many", "", "This computer has asked for the help page too often. Please wait a few minutes and try again.")

// NewHelpLink makes a link by which whoever sits at a machine gets to the help
// page, once, within ten minutes. A machine that asked too often is a problem with
// the code too_many.
func (a *Accounts) NewHelpLink(ctx context.Context, g Guest) (string, error) {
	secret := newSecret()
	scope := store.Scope{Actor: store.Actor{Kind: "machine", ID: g.Machine, Name: g.MachineName}, Organisations: []model.ID{g.Organisation}}
	err := a.store.Update(ctx, scope, func(tx *store.Tx) error {
		// One that was followed became a sign-in, and counts as that.
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM credential WHERE machine_id = $1 AND created_at > $2 AND kind IN ($3, $4) AND {wall}",
			g.Machine, store.Micros(tx.Now().Add(-helpEvery)), help, helpIn).Scan(&n); err != nil {
			return fmt.Errorf("count the help links of a machine: %w", err)
		}
		if n >= mostHelp {
			return errHelpOften
		}
		c := credential{organisation: g.Organisation, machine: g.Machine, machineName: g.MachineName, account: g.Account, personName: g.Name,
			expires: tx.Now().Add(linkLife)}
		if err := insertCredential(tx, help, secret, c); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: g.Organisation, Action: "help.link", Result: "done",
			Subjects: []store.Subject{{Kind: "machine", ID: g.Machine}}})
	})
	return secret, err
}

// FollowHelpLink begins a help sign-in, in the language that the browser of the
// person speaks, and returns the secret of its cookie.
func (a *Accounts) FollowHelpLink(ctx context.Context, secret, language string) (Guest, string, error) {
	var g Guest
	if err := model.CheckLanguage(language); err != nil {
		return g, "", err
	}
	cookie := newSecret()
	err := a.store.Update(ctx, store.System("help"), func(tx *store.Tx) error {
		c, err := spend(tx, help, secret)
		if err != nil {
			return err
		}
		c.language = language
		g = guestOf(c)
		c.expires = tx.Now().Add(helpInLife)
		if err := insertCredential(tx, helpIn, cookie, c); err != nil {
			return err
		}
		return tx.Audit(store.Entry{Organisation: g.Organisation, Action: "help.sign_in", Result: "done",
			Subjects: []store.Subject{{Kind: "machine", ID: g.Machine}}})
	})
	if errors.Is(err, store.ErrNotFound) {
		return g, "", errLink
	}
	return g, cookie, err
}

// Guest is the person of a help sign-in's cookie.
func (a *Accounts) Guest(ctx context.Context, secret string) (Guest, error) {
	var g Guest
	err := a.store.View(ctx, store.System("help"), func(tx *store.Tx) error {
		c, err := find(tx, helpIn, secret)
		g = guestOf(c)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return g, errNobody
	}
	return g, err
}

func guestOf(c credential) Guest {
	return Guest{Organisation: c.organisation, Machine: c.machine, MachineName: c.machineName, Account: c.account, Name: c.personName, Language: c.language}
}
