package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/deskside/deskside/protocol"
	"github.com/deskside/deskside/protocol/history"
)

const (
	recordWord = "record"
	recordFile = "protocol/history/testdata/day.cborseq" // its README says what is in it
	recordSpan = 24 * time.Hour
)

// record writes the newest day of the one machine of a console's SQLite database into
// the file of the recorded day: its fine rows, as the agent packed them. The console
// may go on meanwhile.
func record(ctx context.Context, words []string) error {
	flags := flag.NewFlagSet(recordWord, flag.ContinueOnError)
	file := flags.String("database", "", "deskside.db of a console with one machine")
	if err := flags.Parse(words); err != nil {
		return err
	}
	if *file == "" {
		return errors.New("say which database: record --database FILE")
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: *file}).EscapedPath()+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	var machines int
	if err := db.QueryRowContext(ctx, "SELECT count(DISTINCT machine_id) FROM history").Scan(&machines); err != nil {
		return fmt.Errorf("read %s: %w", *file, err)
	}
	if machines != 1 {
		return fmt.Errorf("%s has the history of %d machines, not of one", *file, machines)
	}
	found, err := db.QueryContext(ctx, `SELECT start, revision, payload FROM history WHERE resolution = $1
		AND start > (SELECT max(start) FROM history WHERE resolution = $1) - $2 ORDER BY start`, history.Fine, recordSpan.Microseconds())
	if err != nil {
		return fmt.Errorf("read %s: %w", *file, err)
	}
	defer found.Close()
	var raw []byte
	rows := 0
	for found.Next() {
		r := history.Row{Resolution: history.Fine}
		if err := found.Scan(&r.Start, &r.Revision, &r.Payload); err != nil {
			return err
		}
		one, err := protocol.Marshal(r)
		if err != nil {
			return err
		}
		raw, rows = append(raw, one...), rows+1
	}
	if err := found.Err(); err != nil {
		return err
	}
	fmt.Printf("%d rows, %d bytes in %s\n", rows, len(raw), recordFile)
	return os.WriteFile(recordFile, raw, 0o644)
}
