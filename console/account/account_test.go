package account

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/console/store/storetest"
)

const password = "correct horse battery"

var system = store.System("test")

// house is an organisation with one person.
type house struct {
	*Accounts
	store *store.Store
	ours  model.Organisation
	anna  model.Person
}

func each(t *testing.T, fn func(*testing.T, *house)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := &house{Accounts: New(s, slog.New(slog.DiscardHandler)), store: s}
		var err error
		if h.ours, err = h.Default(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.anna, err = h.Add(t.Context(), system, h.ours.ID, "Anna", model.RoleAdmin, password); err != nil {
			t.Fatal(err)
		}
		fn(t, h)
	})
}

// code is the code of the problem in err.
func code(err error) string {
	var p *model.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, name := range []string{"Anna", "anna", "ANNA"} {
			p, cookie, err := h.SignIn(t.Context(), name, password, "192.0.2.1")
			if err != nil || p.ID != h.anna.ID {
				t.Fatalf("%s: %+v %v", name, p, err)
			}
			if who, err := h.SignedIn(t.Context(), cookie); err != nil || who.ID != h.anna.ID {
				t.Errorf("by the cookie: %+v %v", who, err)
			}
			if _, err := h.Bearer(t.Context(), cookie); code(err) != "sign_in" {
				t.Errorf("a cookie as a token: %v", err)
			}
			scope := store.Scope{Actor: store.Actor{Kind: "person", ID: h.anna.ID}, Organisations: []model.ID{h.ours.ID}}
			if err := h.SignOut(t.Context(), scope, cookie); err != nil {
				t.Fatal(err)
			}
			if _, err := h.SignedIn(t.Context(), cookie); code(err) != "sign_in" {
				t.Errorf("after signing out: %v", err)
			}
		}
		for name, text := range map[string]string{"Anna": "wrong password", "nobody": password, "": "", "Anna ": "", "anna\x00": "x"} {
			if _, _, err := h.SignIn(t.Context(), name, text, "192.0.2.9"); code(err) != "sign_in_failed" {
				t.Errorf("%q: %v", name, err)
			}
		}
		for _, short := range []string{"short", "123456789"} {
			if _, err := h.Add(t.Context(), system, h.ours.ID, "ben", model.RoleViewer, short); code(err) != model.CodeInvalid {
				t.Errorf("the password %q: %v", short, err)
			}
		}
		if _, err := h.Add(t.Context(), system, h.ours.ID, "ANNA", model.RoleViewer, password); code(err) != model.CodeConflict {
			t.Errorf("a second Anna: %v", err)
		}
	})
}

// Of many who follow one link at once, one is signed in.
func TestLinkOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		link, err := h.NewLink(t.Context(), system, h.anna)
		if err != nil {
			t.Fatal(err)
		}
		guest := Guest{Organisation: h.ours.ID, Machine: model.NewID(), MachineName: "pc", Name: "ewa"}
		help, err := h.NewHelpLink(t.Context(), guest)
		if err != nil {
			t.Fatal(err)
		}
		for what, follow := range map[string]func() error{
			"link":      func() error { _, _, err := h.FollowLink(t.Context(), link, "192.0.2.1"); return err },
			"help link": func() error { _, _, err := h.FollowHelpLink(t.Context(), help, "pl"); return err },
		} {
			var won, lost atomic.Int32
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					switch err := follow(); {
					case err == nil:
						won.Add(1)
					case code(err) == "link_invalid":
						lost.Add(1)
					default:
						t.Errorf("%s: %v", what, err)
					}
				})
			}
			group.Wait()
			if won.Load() != 1 || lost.Load() != 19 {
				t.Errorf("%s: %d won, %d lost", what, won.Load(), lost.Load())
			}
		}
		// A link of one kind is none of another, and a help sign-in is no sign-in.
		if link, err = h.NewLink(t.Context(), system, h.anna); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.FollowHelpLink(t.Context(), link, "en"); code(err) != "link_invalid" {
			t.Errorf("a link as a help link: %v", err)
		}
		if help, err = h.NewHelpLink(t.Context(), guest); err != nil {
			t.Fatal(err)
		}
		guest.Language = "pl"
		g, cookie, err := h.FollowHelpLink(t.Context(), help, "pl")
		if err != nil || g != guest {
			t.Fatalf("%+v %v", g, err)
		}
		if _, err := h.SignedIn(t.Context(), cookie); code(err) != "sign_in" {
			t.Errorf("a help sign-in as a sign-in: %v", err)
		}
		if who, err := h.Guest(t.Context(), cookie); err != nil || who != guest {
			t.Errorf("%+v %v", who, err)
		}
	})
}

// Two accounts of a machine whose people go by one name are two, one whose person
// goes by another name now is one; an older agent tells names alone.
func TestGuests(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		machine := model.NewID()
		id := func(account, name string) model.ID {
			t.Helper()
			help, err := h.NewHelpLink(t.Context(), Guest{Organisation: h.ours.ID, Machine: machine, MachineName: "pc", Account: account, Name: name})
			if err != nil {
				t.Fatal(err)
			}
			_, cookie, err := h.FollowHelpLink(t.Context(), help, "pl")
			if err != nil {
				t.Fatal(err)
			}
			g, err := h.Guest(t.Context(), cookie)
			if a := g.Actor(); err != nil || a.Name != name || a.Kind != model.ByPerson {
				t.Errorf("%+v %v", a, err)
			}
			return g.Actor().ID
		}
		ewa := id("1000", "Ewa Nowak")
		for account, name := range map[string]string{"1001": "Ewa Nowak", "": "Ewa Nowak", "1002": "1000"} {
			if id(account, name) == ewa {
				t.Errorf("account %q, who goes by %q, is taken for another", account, name)
			}
		}
		if id("1000", "Ewa Kowalska") != ewa {
			t.Error("who goes by another name is another person")
		}
		if id("", "1000") == ewa || id("", "Ewa Nowak") != model.DerivedID(machine, "Ewa Nowak") {
			t.Error("of an older agent the name is not what counts")
		}
	})
}

// A token, a link and a sign-in die with their person.
// A machine gets so many help links an hour, followed or not, and no more; another
// machine gets its own.
func TestHelpOften(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		pc := Guest{Organisation: h.ours.ID, Machine: model.NewID(), MachineName: "pc", Name: "Ewa"}
		for i := range mostHelp {
			secret, err := h.NewHelpLink(t.Context(), pc)
			if err == nil && i%2 == 0 {
				_, _, err = h.FollowHelpLink(t.Context(), secret, "pl")
			}
			if err != nil {
				t.Fatalf("link %d: %v", i+1, err)
			}
		}
		if _, err := h.NewHelpLink(t.Context(), pc); code(err) != "too_many" {
			t.Errorf("one more: %v", err)
		}
		other := pc
		other.Machine = model.NewID()
		if _, err := h.NewHelpLink(t.Context(), other); err != nil {
			t.Errorf("another machine: %v", err)
		}
		err := h.store.Update(t.Context(), system, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE credential SET created_at = created_at - $1 WHERE {wall}", helpEvery.Microseconds())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.NewHelpLink(t.Context(), pc); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestDisabled(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token, err1 := h.NewToken(t.Context(), system, h.anna)
		link, err2 := h.NewLink(t.Context(), system, h.anna)
		_, cookie, err3 := h.SignIn(t.Context(), "anna", password, "192.0.2.1")
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		if p, err := h.Bearer(t.Context(), token); err != nil || p.ID != h.anna.ID {
			t.Fatalf("%+v %v", p, err)
		}
		if _, err := h.Add(t.Context(), system, h.ours.ID, "second", model.RoleAdmin, ""); err != nil {
			t.Fatal(err)
		}
		h.anna = h.change(t, h.anna, Change{Disabled: yes})
		_, byToken := h.Bearer(t.Context(), token)
		_, byCookie := h.SignedIn(t.Context(), cookie)
		_, _, byLink := h.FollowLink(t.Context(), link, "192.0.2.1")
		_, _, byPassword := h.SignIn(t.Context(), "anna", password, "192.0.2.1")
		if code(byToken) != "sign_in" || code(byCookie) != "sign_in" || code(byLink) != "link_invalid" || code(byPassword) != "sign_in_failed" {
			t.Errorf("%v, %v, %v, %v", byToken, byCookie, byLink, byPassword)
		}
	})
}

// Whoever guesses is slowed down, many at once too, and nobody else is: neither
// the same person elsewhere nor another one here.
func TestThrottle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, err := h.Add(t.Context(), system, h.ours.ID, "ben", model.RoleTechnician, password); err != nil {
			t.Fatal(err)
		}
		var tried, slowed atomic.Int32
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() {
				switch _, _, err := h.SignIn(t.Context(), "anna", "a wrong guess", "192.0.2.66"); code(err) {
				case "sign_in_failed":
					tried.Add(1)
				case "too_many":
					slowed.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if tried.Load() != freeTries || slowed.Load() != 40-freeTries {
			t.Errorf("%d guesses were tried and %d slowed down", tried.Load(), slowed.Load())
		}
		if _, _, err := h.SignIn(t.Context(), "Anna", password, "192.0.2.66"); code(err) != "too_many" {
			t.Errorf("the right password among the guesses: %v", err)
		}
		// Another address of the same network is no other place to guess from.
		for i := range freeTries {
			if _, _, err := h.SignIn(t.Context(), "anna", "a wrong guess", fmt.Sprintf("2001:db8::%d", i)); code(err) != "sign_in_failed" {
				t.Fatal(err)
			}
		}
		if _, _, err := h.SignIn(t.Context(), "anna", "a wrong guess", "2001:db8::66"); code(err) != "too_many" {
			t.Errorf("from one more address of a network: %v", err)
		}
		for name, address := range map[string]string{"anna": "192.0.2.1", "ben": "192.0.2.66"} {
			if _, _, err := h.SignIn(t.Context(), name, password, address); err != nil {
				t.Errorf("%s from %s is locked out: %v", name, address, err)
			}
		}
	})
}

// What has expired opens nothing, and is forgotten a day later.
func TestExpired(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		link, err := h.NewLink(t.Context(), system, h.anna)
		if err != nil {
			t.Fatal(err)
		}
		age := func(by time.Duration) {
			t.Helper()
			err := h.store.Update(t.Context(), system, func(tx *store.Tx) error {
				if _, err := tx.Exec("UPDATE credential SET expires_at = expires_at - $1 WHERE {wall}", by.Microseconds()); err != nil {
					return err
				}
				_, err := h.Age(t.Context(), tx, model.ID{})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		left := func() (n int) {
			t.Helper()
			err := h.store.View(t.Context(), system, func(tx *store.Tx) error {
				return tx.QueryRow("SELECT count(*) FROM credential WHERE {wall}").Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		age(linkLife)
		if _, _, err := h.FollowLink(t.Context(), link, "192.0.2.1"); code(err) != "link_invalid" {
			t.Errorf("an old link: %v", err)
		}
		if left() != 1 {
			t.Error("forgotten too early")
		}
		if age(25 * time.Hour); left() != 0 {
			t.Error("not forgotten")
		}
	})
}
