package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
)

// Run ends the sessions of this node whose rows say that they are over, and all
// of them when ctx ends.
func (s *Sessions) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case id := <-s.looks:
			s.look(ctx, id)
		case <-tick.C:
			for _, id := range s.held() {
				s.look(ctx, id)
			}
		}
	}
	s.mu.Lock()
	s.ended = true
	close(s.over)
	for _, l := range s.live {
		l.end("the console is going down")
	}
	s.mu.Unlock()
	s.wait.Wait()
	return nil
}

func (s *Sessions) held() []model.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []model.ID
	for id := range s.live {
		ids = append(ids, id)
	}
	return ids
}

// Look hears that the row of a session has changed. It does not wait.
func (s *Sessions) Look(id model.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[id] != nil {
		s.wake(id)
	}
}

func (s *Sessions) wake(id model.ID) {
	select {
	case s.looks <- id:
	default: // the look at all of them finds it
	}
}

// look ends a session of this node whose row says that it is over.
func (s *Sessions) look(ctx context.Context, id model.ID) {
	var row model.Session
	err := s.store.View(ctx, store.System("session"), func(tx *store.Tx) error {
		var err error
		row, err = Get(tx, id)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("cannot read how a session stands", "session", id, "error", err)
		}
		return
	}
	if row.Over() {
		s.stop(id, row.EndedText)
	}
}

func (s *Sessions) stop(id model.ID, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.live[id]; l != nil {
		l.end(text)
	}
}

// End ends a session for a technician.
func (s *Sessions) End(ctx context.Context, scope store.Scope, id model.ID) (model.Session, error) {
	var row model.Session
	by := model.Actor{Kind: model.ByTechnician, Name: scope.Actor.Name}
	err := s.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		if row, err = Get(tx, id); err != nil || row.Over() {
			return err
		}
		return s.close(tx, &row, by, "ended by "+by.Name)
	})
	if err == nil {
		s.told(row)
	}
	return row, err
}

// EndAll ends the sessions of a person who may have them no longer, but for those
// that were opened with a sign-in or a token among still.
func (s *Sessions) EndAll(ctx context.Context, scope store.Scope, person model.ID, still []model.ID, why string) error {
	return s.endThose(ctx, scope, why, func(tx *store.Tx) ([]model.Session, error) {
		rows, err := query(tx, "s.by_id = $1 AND "+living, person)
		return slices.DeleteFunc(rows, func(row model.Session) bool { return slices.Contains(still, row.Credential) }), err
	})
}

// EndMachine ends the sessions of a machine that was expelled.
func (s *Sessions) EndMachine(ctx context.Context, scope store.Scope, machine model.ID, why string) error {
	return s.endThose(ctx, scope, why, func(tx *store.Tx) ([]model.Session, error) {
		return query(tx, "s.machine_id = $1 AND "+living, machine)
	})
}

func (s *Sessions) endThose(ctx context.Context, scope store.Scope, why string, which func(*store.Tx) ([]model.Session, error)) error {
	var rows []model.Session
	err := s.store.Update(ctx, scope, func(tx *store.Tx) error {
		var err error
		rows, err = which(tx)
		return errors.Join(err, s.closeAll(tx, rows, why))
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		s.told(row)
	}
	return nil
}

// NodeLapsed ends the sessions of a node that is gone.
func (s *Sessions) NodeLapsed(tx *store.Tx, node model.ID) error {
	rows, err := query(tx, "s.node = $1 AND "+living, node)
	return errors.Join(err, s.closeAll(tx, rows, "the console that held it is gone"))
}

const living = "s.state IN ('opening', 'waiting_consent', 'open')"

func (s *Sessions) closeAll(tx *store.Tx, rows []model.Session, why string) error {
	for i := range rows {
		if err := s.close(tx, &rows[i], model.System, why); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sessions) close(tx *store.Tx, row *model.Session, by model.Actor, text string) error {
	if err := row.Close(by, text, tx.Now()); err != nil {
		return err
	}
	return s.moved(tx, row)
}

// told ends a session that is closed where it is held: here at once, at another
// node when it hears of the row, and at the machine.
func (s *Sessions) told(row model.Session) {
	s.stop(row.ID, row.EndedText)
	if row.Closing {
		s.hint(row.Machine)
	}
}
