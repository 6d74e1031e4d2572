package store

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Head is the signed end of an organisation's audit chain. Whoever keeps one
// outside of the database can tell later whether rows before it were changed
// or cut off.
type Head struct {
	Organisation uuid.UUID
	Number       int64
	Hash         []byte // SHA-256
	At           time.Time
	Key          ed25519.PublicKey
	Signature    []byte
}

const (
	sealEvery = time.Second
	signEvery = time.Minute
	mostSeal  = 500 // rows in one transaction
)

// RunSeal numbers and chains committed audit rows every second and signs the
// end of each chain that has grown every minute, until ctx ends. Every node
// may run it; they take turns on the row of the chain. Rows are chained after
// their commit because a chain inside the transactions would let only one of
// them run at a time.
func (s *Store) RunSeal(ctx context.Context, key ed25519.PrivateKey) error {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		if err := s.seal(ctx, key); err != nil && ctx.Err() == nil {
			s.log.Error("sealing the audit rows", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// seal chains everything there is now, and signs where it is time.
func (s *Store) seal(ctx context.Context, key ed25519.PrivateKey) error {
	for {
		var waiting []uuid.UUID // organisations
		err := s.View(ctx, System("seal"), func(tx *Tx) (err error) {
			rows, err := tx.query(`SELECT DISTINCT organisation_id FROM audit WHERE number = 0
				UNION SELECT organisation_id FROM audit_chain WHERE signed < number AND signed_at <= $1`, Micros(tx.now.Add(-signEvery)))
			if err != nil {
				return err
			}
			waiting, err = collect(rows, func(r *Rows) (id uuid.UUID, err error) { return id, r.Scan(&id) })
			return err
		})
		if err != nil {
			return err
		}
		more := false
		for _, organisation := range waiting {
			full, err := s.sealOne(ctx, organisation, key)
			if err != nil {
				return fmt.Errorf("organisation %s: %w", organisation, err)
			}
			more = more || full
		}
		if !more {
			return nil
		}
	}
}

// sealOne chains up to mostSeal rows of an organisation; full means that there
// may be more.
func (s *Store) sealOne(ctx context.Context, organisation uuid.UUID, key ed25519.PrivateKey) (full bool, err error) {
	err = s.Update(ctx, System("seal"), func(tx *Tx) error {
		// Whoever holds the row of the chain is the only one to extend it.
		if _, err := tx.exec(`INSERT INTO audit_chain (organisation_id, number, hash, signed, signed_at) VALUES ($1, 0, $2, 0, 0)
			ON CONFLICT (organisation_id) DO NOTHING`, organisation, make([]byte, sha256.Size)); err != nil {
			return err
		}
		var number, signed, signedAt int64
		var hash []byte
		if err := tx.queryRow("UPDATE audit_chain SET number = number WHERE organisation_id = $1 RETURNING number, hash, signed, signed_at",
			organisation).Scan(&number, &hash, &signed, &signedAt); err != nil {
			return err
		}
		records, err := auditRecords(tx, "organisation_id = $1 AND number = 0 ORDER BY id", organisation)
		if err != nil {
			return err
		}
		full = len(records) == mostSeal
		for i := range records {
			number++
			records[i].number = number
			hash = records[i].chain(hash)
			if _, err := tx.exec("UPDATE audit SET number = $2, hash = $3 WHERE id = $1", records[i].id, number, hash); err != nil {
				return err
			}
		}
		if signed < number && tx.now.Sub(time.UnixMicro(signedAt)) >= signEvery {
			h := Head{Organisation: organisation, Number: number, Hash: hash, At: tx.now, Key: key.Public().(ed25519.PublicKey)}
			h.Signature = ed25519.Sign(key, h.message())
			if _, err := tx.exec("INSERT INTO head (organisation_id, number, hash, at, key, signature) VALUES ($1, $2, $3, $4, $5, $6)",
				h.Organisation, h.Number, h.Hash, Micros(h.At), []byte(h.Key), h.Signature); err != nil {
				return err
			}
			signed, signedAt = number, Micros(tx.now)
		}
		_, err = tx.exec("UPDATE audit_chain SET number = $2, hash = $3, signed = $4, signed_at = $5 WHERE organisation_id = $1",
			organisation, number, hash, signed, signedAt)
		return err
	})
	return full, err
}

// LastHead returns the newest signed head of an organisation, or ErrNotFound.
func (tx *Tx) LastHead(organisation uuid.UUID) (Head, error) {
	heads, err := readHeads(tx, organisation, "ORDER BY number DESC LIMIT 1")
	if err != nil {
		return Head{}, err
	}
	if len(heads) == 0 {
		return Head{}, ErrNotFound
	}
	return heads[0], nil
}

func readHeads(tx *Tx, organisation uuid.UUID, rest string) ([]Head, error) {
	if !tx.scope.Reaches(organisation) {
		return nil, ErrNotFound
	}
	rows, err := tx.query("SELECT number, hash, at, key, signature FROM head WHERE organisation_id = $1 "+rest, organisation)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r *Rows) (Head, error) {
		h := Head{Organisation: organisation}
		var at int64
		err := r.Scan(&h.Number, &h.Hash, &at, &h.Key, &h.Signature)
		h.At = Time(at)
		return h, err
	})
}

// message is what is signed.
func (h Head) message() []byte {
	b := []byte("deskside/audit head/1\n")
	b = append(b, h.Organisation[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Number))
	b = binary.BigEndian.AppendUint64(b, uint64(Micros(h.At)))
	return append(b, h.Hash...)
}

// Verify reports whether the head was signed by its key.
func (h Head) Verify() bool {
	return len(h.Key) == ed25519.PublicKeySize && ed25519.Verify(h.Key, h.message(), h.Signature)
}

// An auditRecord is an audit row as it is hashed.
type auditRecord struct {
	id, organisation, actorID     uuid.UUID
	at, number                    int64
	actorKind, action, result     string
	detail, personal, digest, sum []byte
	subjects                      []Subject
}

func auditRecords(tx *Tx, where string, args ...any) ([]auditRecord, error) {
	rows, err := tx.query(fmt.Sprintf(`SELECT id, organisation_id, at, actor_kind, actor_id, action, result, detail, personal, digest, number, hash
		FROM audit WHERE %s LIMIT %d`, where, mostSeal), args...)
	if err != nil {
		return nil, err
	}
	records, err := collect(rows, func(rows *Rows) (r auditRecord, err error) {
		err = rows.Scan(&r.id, &r.organisation, &r.at, &r.actorKind, &r.actorID, &r.action, &r.result, &r.detail, &r.personal, &r.digest, &r.number, &r.sum)
		return r, err
	})
	if err != nil || len(records) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, len(records))
	for i, r := range records {
		ids[i] = r.id
	}
	subjects, err := auditSubjects(tx, ids)
	for i, r := range records {
		records[i].subjects = subjects[r.id]
	}
	return records, err
}

// chain is the hash of the record after the one before it. Every field has a
// fixed size or its length before it, so that no two records read the same.
func (r *auditRecord) chain(before []byte) []byte {
	b := []byte("deskside/audit row/1\n")
	text := func(p []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	text(before)
	b = binary.BigEndian.AppendUint64(b, uint64(r.number))
	b = append(b, r.id[:]...)
	b = append(b, r.organisation[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	text([]byte(r.actorKind))
	b = append(b, r.actorID[:]...)
	text([]byte(r.action))
	text([]byte(r.result))
	text(r.detail)
	text(r.digest)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.subjects)))
	for _, s := range r.subjects {
		text([]byte(s.Kind))
		b = append(b, s.ID[:]...)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}
