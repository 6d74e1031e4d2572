package app

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/account"
	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// pendingTrust is what an organisation has signed since a machine heard of it last.
func (c *Console) pendingTrust(tx *store.Tx, from model.From) ([]model.Act, error) {
	want, err := account.TrustHash(tx, from.Organisation)
	if err != nil {
		return nil, err
	}
	has, version, err := fleet.TrustOf(tx, from.Machine)
	if err != nil || len(want) == 0 || bytes.Equal(has, want) {
		return nil, err
	}
	t := &model.Trust{Hash: want}
	if t.Files, err = account.TrustAfter(tx, from.Organisation, version); err != nil {
		return nil, err
	}
	if t.Withdrawal, err = account.Withdrawal(tx, from.Organisation); err != nil {
		return nil, err
	}
	return []model.Act{{ID: model.NewID(), Machine: from, Expires: tx.Now().Add(time.Hour), Body: t}}, nil
}

// waitingForTrust are the machines that a node holds, or those among them, which were not
// told all that their organisation has signed.
func (c *Console) waitingForTrust(tx *store.Tx, node model.ID, among []model.ID) ([]model.ID, error) {
	return fleet.Behind(tx, node, among, fleet.TrustHash, func(organisation model.ID) ([]byte, error) {
		return account.TrustHash(tx, organisation)
	})
}

// trustSent writes down what a machine was told: one that cannot take it says so, and is
// told again when it is back.
func (c *Console) trustSent(ctx context.Context, a model.Act) {
	t, ok := a.Body.(*model.Trust)
	if !ok {
		return
	}
	err := c.store.Update(ctx, store.System("trust"), func(tx *store.Tx) error {
		return fleet.ToldTrust(tx, a.Machine.Machine, t.Hash)
	})
	if err != nil {
		c.options.Log.Error("cannot write down what a machine was told to trust", "machine", a.Machine.Machine, "error", err)
	}
}

// trust are the trust files of an organisation after a version.
func (c *Console) trust(ctx context.Context, organisation model.ID, after uint64) (files [][]byte, err error) {
	err = c.store.View(ctx, store.System("trust").Within(organisation), func(tx *store.Tx) error {
		files, err = account.TrustAfter(tx, organisation, after)
		return err
	})
	return files, err
}

// names tells whether a trust file of an organisation names this console, or is not here.
// A file never changes, so each is looked at once.
func (c *Console) names(ctx context.Context, organisation model.ID, version uint64) (bool, error) {
	key := fmt.Sprint(organisation, version)
	if named, known := c.named.Load(key); known {
		return named.(bool), nil
	}
	named := true
	var there bool
	err := c.store.View(ctx, store.System("trust").Within(organisation), func(tx *store.Tx) (err error) {
		named, there, err = account.Names(tx, organisation, version, c.keys.fingerprint())
		return err
	})
	if err == nil && there {
		c.named.Store(key, named)
	}
	return named, err
}

// root is the digest of the first trust file of an organisation; nil: it has none.
func (c *Console) root(ctx context.Context, organisation model.ID) (root []byte, err error) {
	err = c.store.View(ctx, store.System("trust").Within(organisation), func(tx *store.Tx) error {
		root, err = account.Root(tx, organisation)
		return err
	})
	return root, err
}
