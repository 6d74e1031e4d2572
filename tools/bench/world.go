package main

import (
	"context"

	"github.com/deskside/deskside/tools/internal/stage"
)

// A world is a console, and what is measured beside it.
type world struct{ *stage.World }

// newWorld has a PostgreSQL for a database; "" is the console's own. What else the
// console is told is serve.
func newWorld(ctx context.Context, database string, serve ...string) (*world, error) {
	w, err := stage.New(ctx, "bench", database, serve...)
	return &world{w}, err
}
