package state

import (
	"bytes"
	"errors"
	"fmt"
)

// The chain of trust: what this machine's organisation has signed, as it came. Whether it
// holds is the gate's to say, each time it is read.

const keyWithdrawal = "withdrawal"

// TrustFiles are the trust files that are here, from the first to the newest.
func (tx *Tx) TrustFiles() [][]byte {
	var files [][]byte
	c := tx.bucket(bucketTrust).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		files = append(files, bytes.Clone(v))
	}
	return files
}

// TrustFile is the trust file of a version, nil when it is not here.
func (tx *Tx) TrustFile(version uint64) []byte {
	return bytes.Clone(tx.bucket(bucketTrust).Get(number(version)))
}

// KeepTrustFile adds the next trust file. None is ever changed.
func (tx *Tx) KeepTrustFile(version uint64, file []byte) error {
	b := tx.bucket(bucketTrust)
	if b.Get(number(version)) != nil {
		return fmt.Errorf("keep trust file %d: it is here already", version)
	}
	if last, _ := b.Cursor().Last(); version != 1 && !bytes.Equal(last, number(version-1)) {
		return fmt.Errorf("keep trust file %d: the one before it is not here", version)
	}
	if err := b.Put(number(version), file); err != nil {
		return fmt.Errorf("keep trust file %d: %w", version, err)
	}
	return nil
}

// Withdrawal is the newest withdrawal, nil when nothing was taken back.
func (tx *Tx) Withdrawal() []byte {
	return bytes.Clone(tx.bucket(bucketMeta).Get([]byte(keyWithdrawal)))
}

// KeepWithdrawal puts a withdrawal in the place of the one before, all of which it has.
func (tx *Tx) KeepWithdrawal(withdrawal []byte) error {
	if err := tx.bucket(bucketMeta).Put([]byte(keyWithdrawal), withdrawal); err != nil {
		return fmt.Errorf("keep a withdrawal: %w", err)
	}
	return nil
}

// SetRoot tells a machine that has none which root it follows: the digest of the first
// trust file, from this machine's administrator.
func (tx *Tx) SetRoot(root []byte) error {
	id, err := tx.Identity()
	if err != nil {
		return fmt.Errorf("set the root: %w", err)
	}
	if len(id.Root) > 0 {
		return errors.New("set the root: this machine has one; another takes enrolling it anew, with --replace")
	}
	id.Root = root
	return tx.putIdentity(id)
}

// forgetTrust ends what another organisation, or another root, has said.
func (tx *Tx) forgetTrust() error {
	if err := tx.b.DeleteBucket([]byte(bucketTrust)); err != nil {
		return fmt.Errorf("forget the chain of trust: %w", err)
	}
	if _, err := tx.b.CreateBucket([]byte(bucketTrust)); err != nil {
		return fmt.Errorf("forget the chain of trust: %w", err)
	}
	if err := tx.bucket(bucketMeta).Delete([]byte(keyWithdrawal)); err != nil {
		return fmt.Errorf("forget the chain of trust: %w", err)
	}
	return nil
}
