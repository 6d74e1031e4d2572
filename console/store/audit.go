package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Subject is a thing that an audit row is about.
type Subject struct {
	Kind string // machine, ticket, person, ...
	ID   uuid.UUID
}

// An Entry says what was done; who did it is in the transaction's scope.
type Entry struct {
	Organisation uuid.UUID
	Action       string // "ticket.resolve", "person.sign_in"
	Subjects     []Subject
	Result       string         // "done", "refused", ...
	Detail       map[string]any // nothing that names a person: it can never be erased
	Personal     map[string]any // what names a person, and can be erased
}

// personal is the part of an audit row that can be erased. The salt keeps a
// name from being guessed from the digest that stays.
type personal struct {
	Salt    []byte         `json:"salt"`
	Name    string         `json:"name,omitempty"`
	Address string         `json:"address,omitempty"`
	More    map[string]any `json:"more,omitempty"`
}

// Audit writes who did what, as part of the transaction. The row is chained
// and signed after the commit (see RunSeal).
func (tx *Tx) Audit(e Entry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return tx.fail(err)
	}
	if !tx.scope.Reaches(e.Organisation) {
		return tx.fail(fmt.Errorf("store: the audit row %s belongs to no organisation of the scope", e.Action))
	}
	detail := []byte("{}")
	if len(e.Detail) > 0 {
		if detail, err = json.Marshal(e.Detail); err != nil {
			return tx.fail(fmt.Errorf("the detail of %s: %w", e.Action, err))
		}
	}
	actor := tx.scope.Actor
	p := personal{Salt: make([]byte, 16), Name: actor.Name, Address: actor.Address, More: e.Personal}
	rand.Read(p.Salt)
	kept, err := json.Marshal(p)
	if err != nil {
		return tx.fail(fmt.Errorf("the personal part of %s: %w", e.Action, err))
	}
	digest := sha256.Sum256(kept)
	if _, err := tx.exec(`INSERT INTO audit (id, organisation_id, at, actor_kind, actor_id, action, result, detail, personal, digest, number, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)`,
		id, e.Organisation, Micros(tx.now), actor.Kind, actor.ID, e.Action, e.Result, detail, kept, digest[:], []byte{}); err != nil {
		return err
	}
	for _, s := range e.Subjects {
		if s.ID == uuid.Nil {
			continue
		}
		if _, err := tx.exec(`INSERT INTO audit_subject (audit_id, organisation_id, kind, id) VALUES ($1, $2, $3, $4)
			ON CONFLICT (audit_id, kind, id) DO NOTHING`, id, e.Organisation, s.Kind, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// EraseActor removes the personal part of everything an actor did in an
// organisation and returns how many rows had one. That they were done, and by
// which id, stays; the chain still verifies.
func (tx *Tx) EraseActor(organisation, actor uuid.UUID) (int64, error) {
	if !tx.scope.Reaches(organisation) {
		return 0, ErrNotFound
	}
	return tx.exec("UPDATE audit SET personal = $3 WHERE organisation_id = $1 AND actor_id = $2 AND length(personal) > 0", organisation, actor, []byte{})
}

// An AuditRow is what was written.
type AuditRow struct {
	ID           uuid.UUID
	Organisation uuid.UUID
	At           time.Time
	Actor        Actor // without name and address if they were erased
	Action       string
	Subjects     []Subject
	Result       string
	Detail       json.RawMessage // a JSON object
	Personal     json.RawMessage // the Personal of the entry, or null
	Number       int64           // place in the chain; 0 until sealed
}

// An AuditFilter chooses audit rows; a zero field chooses all.
type AuditFilter struct {
	Subject Subject
	Actor   uuid.UUID
	Action  string
}

// ReadAudit reads a page of the audit rows, newest first.
func ReadAudit(tx *Tx, f AuditFilter, r Request) (Page[AuditRow], error) {
	l := List{
		Columns: "a.id, a.organisation_id, a.at, a.actor_kind, a.actor_id, a.action, a.result, a.detail, a.personal, a.number",
		From:    "audit a", Key: "a.id", Wall: "a",
		Sorts: map[string][]Order{"at": {{Column: "a.at", Kind: Int}}},
		Sort:  "-at",
	}
	if f.Subject != (Subject{}) {
		l.Where("a.id IN (SELECT audit_id FROM audit_subject WHERE kind = ? AND id = ?)", f.Subject.Kind, f.Subject.ID)
	}
	if f.Actor != uuid.Nil {
		l.Where("a.actor_id = ?", f.Actor)
	}
	if f.Action != "" {
		l.Where("a.action = ?", f.Action)
	}
	page, err := ReadPage(tx, &l, r, scanAudit)
	if err != nil || len(page.Items) == 0 {
		return page, err
	}
	ids := make([]uuid.UUID, len(page.Items))
	for i := range page.Items {
		ids[i] = page.Items[i].ID
	}
	subjects, err := auditSubjects(tx, ids)
	for i := range page.Items {
		page.Items[i].Subjects = subjects[page.Items[i].ID]
	}
	return page, err
}

func scanAudit(rows *Rows) (a AuditRow, err error) {
	var at int64
	var detail, kept []byte
	if err := rows.Scan(&a.ID, &a.Organisation, &at, &a.Actor.Kind, &a.Actor.ID, &a.Action, &a.Result, &detail, &kept, &a.Number); err != nil {
		return a, err
	}
	a.At, a.Detail = Time(at), detail
	if len(kept) == 0 {
		return a, nil
	}
	var p struct {
		Name    string          `json:"name"`
		Address string          `json:"address"`
		More    json.RawMessage `json:"more"`
	}
	if err := json.Unmarshal(kept, &p); err != nil {
		return a, fmt.Errorf("the personal part of audit row %s: %w", a.ID, err)
	}
	a.Actor.Name, a.Actor.Address, a.Personal = p.Name, p.Address, p.More
	return a, nil
}

// auditSubjects reads the subjects of some rows, in a fixed order.
func auditSubjects(tx *Tx, ids []uuid.UUID) (map[uuid.UUID][]Subject, error) {
	rows, err := tx.query("SELECT audit_id, kind, id FROM audit_subject WHERE audit_id IN ("+marks(1, len(ids))+") ORDER BY audit_id, kind, id", anys(ids)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[uuid.UUID][]Subject{}
	for rows.Next() {
		var row uuid.UUID
		var s Subject
		if err := rows.Scan(&row, &s.Kind, &s.ID); err != nil {
			return nil, err
		}
		all[row] = append(all[row], s)
	}
	return all, rows.Err()
}
