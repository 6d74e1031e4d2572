package health

import (
	"context"
	"errors"
	"time"

	"github.com/deskside/deskside/console/fleet"
	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// checkOffline is judged here: a machine cannot tell that it is silent.
const checkOffline = "machine.offline"

// Gone is the handler of fleet.KindGone: nobody can tell any more how the
// machine is, so what fired there is unknown now. Whether its silence is itself
// an alert is decided when it has lasted.
func (h *Health) Gone(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	m, err := fleet.Get(tx, machine)
	if errors.Is(err, store.ErrNotFound) || (err == nil && m.Online) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if m.Revoked {
		return h.expel(tx, m)
	}
	list, err := query(tx, "a.machine_id = $1 AND a.state = 'firing' AND a.check_id <> $2", machine, checkOffline)
	if err != nil {
		return time.Time{}, err
	}
	for _, a := range list {
		a.Silence(tx.Now())
		if err := write(tx, &a); err != nil {
			return time.Time{}, err
		}
	}
	if err := refresh(tx, machine); err != nil {
		return time.Time{}, err
	}
	return time.Time{}, h.planSilent(tx, m)
}

// atOnce is how many alerts of an expelled machine end in one transaction: each
// takes its ticket along, and others wait.
const atOnce = 100

// expel resolves the alerts of a machine that was expelled: nobody will tell of
// them any more. The time is when there are more of them to end.
func (h *Health) expel(tx *store.Tx, m model.Machine) (time.Time, error) {
	list, err := query(tx, "a.machine_id = $1 AND a.state <> 'resolved'", m.ID)
	if err != nil {
		return time.Time{}, err
	}
	var next time.Time
	if len(list) > atOnce {
		list, next = list[:atOnce], tx.Now()
	}
	for _, a := range list {
		if err := h.resolve(tx, a, model.Transition{}); err != nil {
			return time.Time{}, err
		}
	}
	return next, errors.Join(tx.NotDue(KindSilent, m.ID), refresh(tx, m.ID))
}

// planSilent makes a lost line or a crash a due row for the check
// machine.offline; a machine that said goodbye is where its person put it.
func (h *Health) planSilent(tx *store.Tx, m model.Machine) error {
	check, err := Resolved(tx, m.Organisation, checkOffline)
	if err != nil || !check.Enabled || !silent(m) {
		return err
	}
	return tx.Due(KindSilent, m.ID, m.Since.Add(time.Duration(check.For)))
}

// silent tells whether a machine that is offline went without a word.
func silent(m model.Machine) bool {
	return m.Reason == model.OfflineLinkLost || m.Reason == model.OfflineCrashed
}

// Silent is the handler of KindSilent. A machine that came and said goodbye since
// its row was written is not silent.
func (h *Health) Silent(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	m, err := fleet.Get(tx, machine)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (m.Online || m.Revoked || !silent(m))) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	_, here := tx.Now().Local().Zone() // where the machine stands it cannot say now
	return time.Time{}, h.takeAll(tx, []model.Transition{{
		Zone:    here,
		From:    model.From{Organisation: m.Organisation, Machine: m.ID, At: tx.Now()},
		Episode: model.NewID(), Check: checkOffline, State: model.AlertFiring, Severity: model.SeverityWarning,
		Values:    map[string]float64{"silent_seconds": tx.Now().Sub(m.Since).Seconds()},
		Texts:     map[string]string{"reason": string(m.Reason)},
		StartedAt: m.Since, ChangedAt: tx.Now(),
	}})
}

// Back is the handler of fleet.KindBack: what was unknown for silence alone fires
// again, until the machine says otherwise; the silence itself is over.
func (h *Health) Back(_ context.Context, tx *store.Tx, machine model.ID) (time.Time, error) {
	m, err := fleet.Get(tx, machine)
	if errors.Is(err, store.ErrNotFound) || (err == nil && !m.Online) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if err := tx.NotDue(KindSilent, machine); err != nil {
		return time.Time{}, err
	}
	list, err := query(tx, "a.machine_id = $1 AND a.state = 'unknown'", machine)
	if err != nil {
		return time.Time{}, err
	}
	for _, a := range list {
		if !a.Return(tx.Now()) {
			continue
		}
		if err := write(tx, &a); err != nil {
			return time.Time{}, err
		}
	}
	err = h.takeAll(tx, []model.Transition{{
		From:  model.From{Organisation: m.Organisation, Machine: m.ID, At: tx.Now()},
		Check: checkOffline, State: model.AlertResolved, StartedAt: m.Since, ChangedAt: tx.Now(), Reason: "cleared",
	}})
	return time.Time{}, err
}
