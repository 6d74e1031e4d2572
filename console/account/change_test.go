package account

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

var (
	truth, lie = true, false
	yes, no    = &truth, &lie
	viewer     = model.RoleViewer
	admin      = model.RoleAdmin
)

func (h *house) change(t *testing.T, p model.Person, c Change) model.Person {
	t.Helper()
	c.Version = p.Version
	p, err := h.Change(t.Context(), system, p.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// audited counts the audit rows of an action.
func (h *house) audited(t *testing.T, action string) (n int) {
	t.Helper()
	err := h.store.View(t.Context(), system, func(tx *store.Tx) error {
		page, err := store.ReadAudit(tx, store.AuditFilter{Action: action}, store.Request{})
		n = len(page.Items)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Somebody always administers: the last one is neither disabled nor demoted, nor
// are the last two by each other at once.
func TestLastAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		elsewhere, err := h.NewOrganisation(t.Context(), "Elsewhere")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Add(t.Context(), system, elsewhere.ID, "of another house", admin, ""); err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]Change{"disabled": {Version: 1, Disabled: yes}, "demoted": {Version: 1, Role: &viewer}} {
			if _, err := h.Change(t.Context(), system, h.anna.ID, c); code(err) != model.CodeState {
				t.Errorf("the last administrator is %s: %v", what, err)
			}
		}
		ben, err := h.Add(t.Context(), system, h.ours.ID, "ben", admin, "")
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			var left atomic.Int32
			var group sync.WaitGroup
			for _, p := range []*model.Person{&h.anna, &ben} {
				group.Go(func() {
					after, err := h.Change(t.Context(), system, p.ID, Change{Version: p.Version, Disabled: yes})
					switch {
					case err == nil:
						*p = after
					case code(err) == model.CodeState:
						left.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if left.Load() != 1 {
				t.Fatalf("%d administrators are left", left.Load())
			}
			for _, p := range []*model.Person{&h.anna, &ben} {
				if p.Disabled {
					*p = h.change(t, *p, Change{Disabled: no})
				}
			}
		}
		if h.audited(t, "person.disable") != 10 || h.audited(t, "person.enable") != 10 {
			t.Error("not every change is in the audit")
		}
	})
}

func TestChangePerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ben, err := h.Add(t.Context(), system, h.ours.ID, "ben", viewer, "")
		if err != nil {
			t.Fatal(err)
		}
		after := h.change(t, ben, Change{Role: &admin})
		if after.Role != admin || after.Disabled || after.Version != 2 || h.audited(t, "person.change") != 1 {
			t.Errorf("%+v", after)
		}
		if now, err := h.Change(t.Context(), system, ben.ID, Change{Version: 1, Role: &viewer}); !errors.Is(err, store.ErrConflict) || now.Role != admin {
			t.Errorf("by somebody who saw an older version: %+v %v", now, err)
		}
		nonsense := model.Role("root")
		if _, err := h.Change(t.Context(), system, ben.ID, Change{Version: 2, Role: &nonsense}); code(err) != model.CodeInvalid {
			t.Errorf("a role that does not exist: %v", err)
		}
		// What was begun while it was being disabled does not work when it is enabled again.
		old, err := h.NewToken(t.Context(), system, after)
		if err != nil {
			t.Fatal(err)
		}
		after = h.change(t, after, Change{Disabled: yes})
		between, err := h.NewToken(t.Context(), system, after)
		if err != nil {
			t.Fatal(err)
		}
		after = h.change(t, after, Change{Disabled: no})
		for _, secret := range []string{old, between} {
			if _, err := h.Bearer(t.Context(), secret); code(err) != "sign_in" {
				t.Errorf("a token from before: %v", err)
			}
		}
		fresh, err := h.NewToken(t.Context(), system, after)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := h.Holder(t.Context(), fresh); err != nil || p.ID != ben.ID {
			t.Errorf("enabled again: %+v %v", p, err)
		}
	})
}

// Tokens are listed without their secrets, and ended one by one, by their person
// or by who manages people.
func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ben, err := h.Add(t.Context(), system, h.ours.ID, "ben", viewer, "")
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[model.ID]string{}
		for _, p := range []model.Person{h.anna, ben} {
			if secrets[p.ID], err = h.NewToken(t.Context(), system, p); err != nil {
				t.Fatal(err)
			}
		}
		list := func(person model.ID) (all []Token) {
			t.Helper()
			err := h.store.View(t.Context(), store.System("test").Within(h.ours.ID), func(tx *store.Tx) error {
				page, err := Tokens(tx, person, store.Request{})
				all = page.Items
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if all := list(model.ID{}); len(all) != 2 {
			t.Errorf("all: %+v", all)
		}
		bens := list(ben.ID)
		if len(bens) != 1 || bens[0].Person != ben.ID || bens[0].Name != "ben" || bens[0].ExpiresAt.Sub(bens[0].CreatedAt) != tokenLife {
			t.Fatalf("of ben: %+v", bens)
		}
		annas := list(h.anna.ID)[0].ID
		if err := h.Revoke(t.Context(), system, annas, ben.ID); code(err) != model.CodeNotFound {
			t.Errorf("somebody else's: %v", err)
		}
		if err := h.Revoke(t.Context(), system, bens[0].ID, ben.ID); err != nil {
			t.Error(err)
		}
		if err := h.Revoke(t.Context(), system, bens[0].ID, ben.ID); code(err) != model.CodeNotFound {
			t.Errorf("a second time: %v", err)
		}
		if _, err := h.Bearer(t.Context(), secrets[ben.ID]); code(err) != "sign_in" {
			t.Errorf("a revoked token: %v", err)
		}
		if _, err := h.Bearer(t.Context(), secrets[h.anna.ID]); err != nil {
			t.Errorf("another one: %v", err)
		}
		if err := h.Revoke(t.Context(), system, annas, model.ID{}); err != nil {
			t.Error(err)
		}
		if h.audited(t, "token.revoke") != 2 {
			t.Error("not every end of a token is in the audit")
		}
	})
}

// A sign-in that comes to its end by itself ends what was opened with it; one that
// was used meanwhile lives on.
func TestExpires(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, err := h.begin(t.Context(), h.anna, "here"); err != nil {
			t.Fatal(err)
		}
		later := func(end time.Duration) (next time.Time, told int) {
			err := h.store.Update(t.Context(), system, func(tx *store.Tx) error {
				var id model.ID
				err := tx.QueryRow("SELECT c.id FROM credential c JOIN due d ON d.id = c.id WHERE d.kind = $1", KindExpires).Scan(&id)
				if err == nil {
					_, err = tx.Exec("UPDATE credential SET expires_at = $1 WHERE id = $2", store.Micros(tx.Now().Add(end)), id)
				}
				if err == nil {
					next, err = h.Expires(t.Context(), tx, id)
				}
				return errors.Join(err, tx.QueryRow("SELECT count(*) FROM due WHERE kind = $1 AND id = $2", KindChanged, h.anna.ID).Scan(&told))
			})
			if err != nil {
				t.Fatal(err)
			}
			return next, told
		}
		if next, told := later(time.Hour); next.IsZero() || told != 0 {
			t.Errorf("one that lives: again at %v, told %d", next, told)
		}
		if next, told := later(-time.Second); !next.IsZero() || told != 1 {
			t.Errorf("one that has ended: again at %v, told %d", next, told)
		}
	})
}
