package app

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain: what reads and writes pipes on Windows is one goroutine for the whole
// process, which its library starts once and never ends.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/Microsoft/go-winio.ioCompletionProcessor"))
}
