package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol/trust"
)

// ChangedTrust is the kind of change that pages hear of when an organisation has signed
// something, and upon which its machines are told.
const ChangedTrust = "trust"

// Trust is what an organisation has signed by now.
type Trust struct {
	*trust.Trust                    // nil: nothing
	Withdrawn     *trust.Withdrawal // nil: nothing was taken back
	First, Newest []byte            // trust files as they came
	Signed        time.Time         // from when on the newest holds
}

// TrustOf reads what an organisation has signed, verifying the whole chain: rows that
// somebody changed are found here, and not by the machines alone.
func TrustOf(tx *store.Tx, organisation model.ID) (Trust, error) {
	var t Trust
	files, err := TrustAfter(tx, organisation, 0)
	if err != nil {
		return t, err
	}
	for _, file := range files {
		s, err := trust.Open(file)
		switch {
		case err != nil:
		case t.Trust == nil:
			t.Trust, err = trust.Begin(s, s.Digest())
		default:
			t.Trust, err = t.Next(s)
		}
		if err != nil {
			return Trust{}, fmt.Errorf("read the chain of trust: %w", err)
		}
		if t.First == nil {
			t.First = file
		}
		t.Newest, t.Signed = file, s.NotBefore
	}
	raw, err := Withdrawal(tx, organisation)
	if err != nil || raw == nil {
		return t, err
	}
	s, err := trust.Open(raw)
	if err != nil {
		return Trust{}, fmt.Errorf("read a withdrawal: %w", err)
	}
	w, ok := s.Body.(*trust.Withdrawal)
	if !ok {
		return Trust{}, errors.New("read a withdrawal: it is none")
	}
	t.Withdrawn = w
	return t, nil
}

// TrustHash names what an organisation has signed by now: the digests of its newest trust
// file and withdrawal, one after the other; nothing for nothing.
func TrustHash(tx *store.Tx, organisation model.ID) ([]byte, error) {
	hash := []byte{}
	for _, query := range []string{
		"SELECT digest FROM trust_file WHERE organisation_id = $1 AND {wall} ORDER BY version DESC LIMIT 1",
		"SELECT digest FROM withdrawal WHERE organisation_id = $1 AND {wall}",
	} {
		var digest []byte
		err := tx.QueryRow(query, organisation).Scan(&digest)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("read what an organisation has signed: %w", err)
		}
		hash = append(hash, digest...)
	}
	return hash, nil
}

// TrustAfter are the trust files that follow on a version, in order.
func TrustAfter(tx *store.Tx, organisation model.ID, version uint64) ([][]byte, error) {
	files, err := store.Collect(tx, func(r *store.Rows) (file []byte, err error) { return file, r.Scan(&file) },
		"SELECT bytes FROM trust_file WHERE organisation_id = $1 AND version > $2 AND {wall} ORDER BY version", organisation, int64(version))
	if err != nil {
		return nil, fmt.Errorf("read trust files: %w", err)
	}
	return files, nil
}

// Root is the digest of an organisation's first trust file; nil: it has none.
func Root(tx *store.Tx, organisation model.ID) (root []byte, err error) {
	err = tx.QueryRow("SELECT digest FROM trust_file WHERE organisation_id = $1 AND version = 1 AND {wall}", organisation).Scan(&root)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the root of an organisation: %w", err)
	}
	return root, nil
}

// Names tells whether a trust file names a console by the fingerprint of its identity, as
// one that names none does of any; and whether it is here at all.
func Names(tx *store.Tx, organisation model.ID, version uint64, console []byte) (named, there bool, err error) {
	var raw []byte
	err = tx.QueryRow("SELECT bytes FROM trust_file WHERE organisation_id = $1 AND version = $2 AND {wall}", organisation, int64(version)).Scan(&raw)
	if errors.Is(err, store.ErrNotFound) {
		return true, false, nil
	}
	var s *trust.Statement
	if err == nil {
		s, err = trust.Open(raw)
	}
	if err != nil {
		return false, false, fmt.Errorf("read trust file %d: %w", version, err)
	}
	f, ok := s.Body.(*trust.File)
	return ok && (len(f.Consoles) == 0 || f.Names(console)), true, nil
}

// Withdrawal is the newest withdrawal as it came; nil: nothing was taken back.
func Withdrawal(tx *store.Tx, organisation model.ID) (raw []byte, err error) {
	err = tx.QueryRow("SELECT bytes FROM withdrawal WHERE organisation_id = $1 AND {wall}", organisation).Scan(&raw)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a withdrawal: %w", err)
	}
	return raw, nil
}

// A Brought is a signed statement that somebody brings to a console.
type Brought struct {
	Statement []byte
	Console   []byte // the fingerprint of this console's identity
	Look      bool   // only tell what would be: whoever follows a link reads first what came with it
}

var errLook = errors.New("only looked")

// Bring takes what an organisation has signed: its first trust file, the one that follows,
// or a withdrawal. Machines leave a console that their trust file does not name, so such a
// file is not carried here. It returns what holds then.
func (a *Accounts) Bring(ctx context.Context, scope store.Scope, organisation model.ID, b Brought) (Trust, error) {
	raw := b.Statement
	s, err := trust.Open(raw)
	if err != nil {
		return Trust{}, model.Problemf(model.CodeInvalid, "statement", "This is not a signed statement: %v.", err)
	}
	if model.ID(s.Organisation) != organisation {
		return Trust{}, model.Problemf(model.CodeInvalid, "statement", "This was signed for another organisation.")
	}
	var t Trust
	err = a.store.Update(ctx, scope, func(tx *store.Tx) error {
		if _, err := tx.Bump("organisation", organisation); err != nil { // two at once are told apart
			return fmt.Errorf("take hold of an organisation: %w", err)
		}
		if t, err = TrustOf(tx, organisation); err != nil {
			return err
		}
		switch body := s.Body.(type) {
		case *trust.File:
			err = t.file(tx, organisation, s, body, b)
		case *trust.Withdrawal:
			err = t.withdrawal(tx, organisation, s, body, raw)
		default:
			err = model.Problemf(model.CodeInvalid, "statement", "A trust file or a withdrawal is brought here, not a statement of the kind %q.", s.Kind())
		}
		var refused *trust.Refusal
		if errors.As(err, &refused) {
			err = model.Problemf(model.CodeInvalid, "statement", "It does not hold: %v.", refused)
		}
		if err == nil && b.Look {
			err = errLook
		}
		if err != nil {
			return err
		}
		tx.Changed(organisation, ChangedTrust, organisation)
		digest := s.Digest()
		return tx.Audit(store.Entry{Organisation: organisation, Action: "trust." + string(s.Kind()), Result: "done",
			Detail: map[string]any{"statement": s.ID.String(), "digest": fmt.Sprintf("%x", digest)}})
	})
	if errors.Is(err, errLook) {
		err = nil
	}
	return t, err
}

func (t *Trust) file(tx *store.Tx, organisation model.ID, s *trust.Statement, f *trust.File, b Brought) error {
	var holds *trust.Trust
	var err error
	if t.Trust == nil {
		holds, err = trust.Begin(s, s.Digest())
	} else {
		holds, err = t.Next(s)
	}
	if err != nil {
		return err
	}
	if len(f.Consoles) > 0 && !f.Names(b.Console) {
		return model.Problemf(model.CodeInvalid, "statement", "This trust file does not name this console: all computers would leave it. A file for another console is brought there.")
	}
	digest := s.Digest()
	_, err = tx.Exec("INSERT INTO trust_file (organisation_id, version, digest, bytes, at) VALUES ($1, $2, $3, $4, $5)",
		organisation, int64(f.Version), digest[:], b.Statement, store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("keep a trust file: %w", err)
	}
	if t.First == nil {
		t.First = b.Statement
	}
	t.Trust, t.Newest, t.Signed = holds, b.Statement, s.NotBefore
	return nil
}

func (t *Trust) withdrawal(tx *store.Tx, organisation model.ID, s *trust.Statement, w *trust.Withdrawal, raw []byte) error {
	if t.Trust == nil {
		return model.Problemf(model.CodeState, "statement", "There is no trust file yet, so nobody's signature counts.")
	}
	if _, err := t.Heard(s, t.Withdrawn, tx.Now()); err != nil {
		return err
	}
	digest := s.Digest()
	_, err := tx.Exec(`INSERT INTO withdrawal (organisation_id, digest, bytes, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organisation_id) DO UPDATE SET digest = excluded.digest, bytes = excluded.bytes, at = excluded.at`,
		organisation, digest[:], raw, store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("keep a withdrawal: %w", err)
	}
	t.Withdrawn = w
	return nil
}
