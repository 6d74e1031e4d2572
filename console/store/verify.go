package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// An AuditReport is what VerifyAudit found out about a chain.
type AuditReport struct {
	Rows     int64 // chained
	Erased   int64 // rows of them without their personal part
	Unsealed int64 // rows not chained yet
	Heads    int   // signed ends that fit
	Problems []AuditProblem
}

// An AuditProblem is a place where the chain does not hold.
type AuditProblem struct {
	Number int64 // of the row or head
	What   string
}

func (p AuditProblem) String() string { return fmt.Sprintf("row %d: %s", p.Number, p.What) }

const mostProblems = 100

// VerifyAudit walks the audit chain of an organisation from its first row:
// numbers without a gap, hashes, digests of the personal parts, and the signed
// heads, of the database and those kept elsewhere, each signed by one of the
// keys. It finds rows that were edited, cut out, added or put in another
// order, and a history other than the one a witness has seen.
func (s *Store) VerifyAudit(ctx context.Context, scope Scope, organisation uuid.UUID, keys []ed25519.PublicKey, witnesses ...Head) (AuditReport, error) {
	var r AuditReport
	problem := func(number int64, format string, args ...any) {
		if len(r.Problems) < mostProblems {
			r.Problems = append(r.Problems, AuditProblem{number, fmt.Sprintf(format, args...)})
		}
	}
	// A long chain takes long.
	err := s.viewFor(ctx, 0, scope, func(tx *Tx) error {
		heads, err := readHeads(tx, organisation, "ORDER BY number")
		if err != nil {
			return err
		}
		heads = append(heads, witnesses...)
		slices.SortStableFunc(heads, func(a, b Head) int { return int(a.Number - b.Number) })

		hash := make([]byte, sha256.Size)
		var last int64
		for {
			records, err := auditRecords(tx, "organisation_id = $1 AND number > $2 ORDER BY number, id", organisation, last)
			if err != nil {
				return err
			}
			for _, a := range records {
				if a.number != last+1 {
					problem(a.number, "the row before it has number %d", last)
				}
				hash = a.chain(hash)
				if !bytes.Equal(hash, a.sum) {
					problem(a.number, "the row or one before it was changed")
					hash = a.sum // go on, to find what else is wrong
				}
				if len(a.personal) == 0 {
					r.Erased++
				} else if digest := sha256.Sum256(a.personal); !bytes.Equal(digest[:], a.digest) {
					problem(a.number, "the personal part was changed")
				}
				last = a.number
				r.Rows++
				for len(heads) > 0 && heads[0].Number <= last {
					h := heads[0]
					heads = heads[1:]
					if what := h.wrong(organisation, hash, keys); h.Number == last && what == "" {
						r.Heads++
					} else if h.Number != last {
						problem(h.Number, "a signed head stands where no row is")
					} else {
						problem(h.Number, "%s", what)
					}
				}
			}
			if len(records) < mostSeal {
				break
			}
		}
		for _, h := range heads {
			problem(h.Number, "a signed head knows a row that is missing at the end")
		}
		var number int64
		var end []byte
		rows, err := tx.query("SELECT number, hash FROM audit_chain WHERE organisation_id = $1", organisation)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := rows.Scan(&number, &end); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if number != last || number > 0 && !bytes.Equal(end, hash) {
			problem(number, "the chain should end here")
		}
		return tx.queryRow("SELECT count(*) FROM audit WHERE organisation_id = $1 AND number = 0", organisation).Scan(&r.Unsealed)
	})
	return r, err
}

// wrong says what speaks against a head at the end of this hash.
func (h Head) wrong(organisation uuid.UUID, hash []byte, keys []ed25519.PublicKey) string {
	switch {
	case h.Organisation != organisation:
		return "a signed head belongs to another organisation"
	case !slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return k.Equal(h.Key) }):
		return "a head was signed by a key that is not ours"
	case !h.Verify():
		return "the signature of a head is wrong"
	case !bytes.Equal(h.Hash, hash):
		return "a signed head has another hash: another history"
	}
	return ""
}
