package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/agent/state"
	"github.com/deskside/deskside/protocol"
)

// journalWait is how long a running agent may take to read its whole book.
const journalWait = time.Minute

func journalCommand(v *viper.Viper) *cobra.Command {
	return &cobra.Command{Use: "journal", Short: "Show what this machine let in and turned away", RunE: func(cmd *cobra.Command, _ []string) error {
		text, err := journalOf(cmd.Context(), v.GetString("state"))
		if text != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "%6s  %-19s  %-12s %-8s %s\n", "", "UTC", "asked for", "was", "under, and why")
		}
		fmt.Fprint(cmd.OutOrStdout(), text) // also of a book that is broken further on
		return err
	}}
}

// journalOf asks the agent that runs on a state, which holds the file, and reads
// the file where none runs.
func journalOf(ctx context.Context, dir string) (string, error) {
	a, err := askLocal(ctx, dir, askJournal, journalWait)
	switch {
	case errors.Is(err, errNobody):
		s, err := openKept(dir)
		if err != nil {
			return "", err
		}
		defer s.Close()
		return readJournal(s)
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrUnreachable, err)
	case a.Error != "":
		return a.Text, errors.New(a.Error)
	}
	return a.Text, nil
}

// openKept opens a state that is there, and makes none.
func openKept(dir string) (*state.State, error) {
	if !state.Exists(dir) {
		return nil, fmt.Errorf("%w in %s; --state names another folder", state.ErrNotEnrolled, dir)
	}
	return state.Open(dir)
}

// readJournal is the whole book as text; with an error, as far as it holds.
func readJournal(s *state.State) (string, error) {
	var text strings.Builder
	err := s.View(func(tx *state.Tx) error {
		return tx.Entries(func(e protocol.JournalEntry) error {
			fmt.Fprintf(&text, "%6d  %s  %-12s %-8s %s\n", e.Number, time.UnixMicro(e.At).UTC().Format(time.DateTime),
				protocol.Clean(e.Kind), protocol.Clean(e.Act), rest(e))
			return nil
		})
	})
	return text.String(), err
}

// rest is what an entry says after its kind and act, in one line.
func rest(e protocol.JournalEntry) string {
	count := ""
	if e.Count > 1 {
		count = fmt.Sprintf(" × %d", e.Count)
	}
	return fmt.Sprintf("%s %s%s  %s", e.ID, protocol.Clean(e.Code), count, strings.ReplaceAll(protocol.Clean(e.Text), "\n", " "))
}

// mirror copies each line of the journal into the system's log, where it is out
// of reach of whoever can only write the agent's folder. It never holds up the
// agent: what a log that stands still does not take is counted and told.
type mirror struct {
	lines chan string
	write func(line string) error
	log   *slog.Logger
}

func newMirror(s *state.State, write func(string) error, log *slog.Logger) *mirror {
	m := &mirror{lines: make(chan string, 1024), write: write, log: log}
	s.Journalled(func(e protocol.JournalEntry) {
		select {
		case m.lines <- fmt.Sprintf("journal %d: %s %s %s", e.Number, e.Kind, e.Act, rest(e)):
		default:
			log.Error("a line of the journal is missing in the system's log, which does not keep up", "line", e.Number)
		}
	})
	return m
}

// start copies until the function that it returns is called, which waits until
// all is copied.
func (m *mirror) start() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case line := <-m.lines:
				m.put(line)
			case <-end:
				for range len(m.lines) {
					m.put(<-m.lines)
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

func (m *mirror) put(line string) {
	if err := m.write(line); err != nil {
		m.log.Error("a line of the journal is missing in the system's log", "line", line, "error", err)
	}
}

// systemLog is the log of this system: syslog, or the event log of Windows; nil
// where there is none.
func systemLog(v *viper.Viper, log *slog.Logger) func(string) error {
	s, err := serviceOf(v, nothing{})
	var to service.Logger
	if err == nil {
		to, err = s.SystemLogger(nil)
	}
	if err != nil {
		log.Warn("the journal is not copied into the system's log: there is none", "error", err)
		return nil
	}
	return func(line string) error { return to.Info(line) }
}
