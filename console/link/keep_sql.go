package link

import (
	"context"
	"fmt"
	"time"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// KindAge is the due row that deletes old refused messages; one for the console.
const KindAge = "link.age"

const (
	keepEpochs  = 4        // of a machine: those that were told something last
	keepRefused = 100      // messages of a machine
	keepBody    = 16 << 10 // bytes of one, which tell what it was
	keepProblem = 500      // bytes of why
	keepFor     = 30 * 24 * time.Hour
	ageEvery    = time.Hour
)

// forgetEpochs deletes the marks of epochs from which nothing will come any more.
func forgetEpochs(tx *store.Tx, machine model.ID) error {
	_, err := tx.Exec(`DELETE FROM mark WHERE machine_id = $1 AND epoch NOT IN
		(SELECT epoch FROM mark WHERE machine_id = $1 GROUP BY epoch ORDER BY max(at) DESC, epoch DESC LIMIT $2)`, machine, int64(keepEpochs))
	if err != nil {
		return fmt.Errorf("forget old epochs: %w", err)
	}
	return nil
}

// refuseEntry keeps a message that no handler could take.
func refuseEntry(tx *store.Tx, u unit, e entry) error {
	_, err := tx.Exec(`INSERT INTO refused_message (id, organisation_id, machine_id, class, number, at, problem, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		model.NewID(), u.line.from.Organisation, u.line.from.Machine, int64(e.Class), int64(e.Number),
		store.Micros(tx.Now()), shortly(e.wrong), []byte(e.Body[:min(len(e.Body), keepBody)]))
	return err
}

// shortly is an error in a few words: it may hold what the machine said.
func shortly(err error) string {
	return model.Cut(protocol.Clean(err.Error()), keepProblem)
}

// boundRefused keeps the newest refused messages of a machine: it may tell
// nonsense for ever.
func boundRefused(tx *store.Tx, machine model.ID) error {
	_, err := tx.Exec(`DELETE FROM refused_message WHERE machine_id = $1 AND id NOT IN
		(SELECT id FROM refused_message WHERE machine_id = $1 AND {wall} ORDER BY at DESC, id DESC LIMIT $2) AND {wall}`, machine, int64(keepRefused))
	if err != nil {
		return fmt.Errorf("delete the oldest refused messages: %w", err)
	}
	return nil
}

// Age is the handler of KindAge.
func (l *Lines) Age(_ context.Context, tx *store.Tx, _ model.ID) (time.Time, error) {
	_, err := tx.Exec("DELETE FROM refused_message WHERE at < $1 AND {wall}", store.Micros(tx.Now().Add(-keepFor)))
	if err != nil {
		return time.Time{}, fmt.Errorf("delete old refused messages: %w", err)
	}
	return tx.Now().Add(ageEvery), nil
}
