package repair

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol"
)

const (
	keepHead  = 96 << 10 // bytes of the beginning
	keepTail  = 96 << 10 // and of the end
	pieceMost = 64 << 10
	pieceWait = 250 * time.Millisecond
	maxStream = 4 << 20  // bytes that are shown while it runs
	maxFlood  = 64 << 20 // a script that writes more is stopped
	maxValues = 32
	maxLine   = 1 << 10
)

// output takes what a script writes: it shows it in pieces while it runs, keeps
// its beginning and its end, and reads the values in it.
type output struct {
	run  uuid.UUID
	send func(protocol.Kind, any) bool

	mu     sync.Mutex
	head   []byte
	tail   []byte
	total  int64
	piece  []byte
	at     int64 // offset of piece
	timer  *time.Timer
	line   []byte // the line that is being written
	found  map[string]string
	closed bool
}

func newOutput(run uuid.UUID, send func(protocol.Kind, any) bool) *output {
	return &output{run: run, send: send, found: map[string]string{}}
}

// Write implements io.Writer; it never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(p)
	o.read(p)
	for rest := p; len(rest) > 0 && o.at+int64(len(o.piece)) < maxStream; {
		n := min(len(rest), pieceMost-len(o.piece), int(maxStream-o.at)-len(o.piece))
		o.piece = append(o.piece, rest[:n]...)
		rest = rest[n:]
		if len(o.piece) == pieceMost {
			o.flush()
		}
	}
	if len(o.piece) > 0 && o.timer == nil && !o.closed {
		o.timer = time.AfterFunc(pieceWait, o.later)
	}
	return len(p), nil
}

func (o *output) keep(p []byte) {
	o.total += int64(len(p))
	if room := keepHead - len(o.head); room > 0 {
		n := min(room, len(p))
		o.head = append(o.head, p[:n]...)
		p = p[n:]
	}
	o.tail = append(o.tail, p...)
	if over := len(o.tail) - keepTail; over > keepTail { // not at every write
		o.tail = append(o.tail[:0], o.tail[over:]...)
	}
}

// read looks for lines "deskside: name=value".
func (o *output) read(p []byte) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		if len(o.line) < maxLine {
			o.line = append(o.line, part[:min(len(part), maxLine-len(o.line))]...)
		}
		if i < 0 {
			return
		}
		o.value(string(o.line))
		o.line = o.line[:0]
		p = p[i+1:]
	}
}

func (o *output) value(line string) {
	rest, ok := strings.CutPrefix(line, "deskside:")
	name, value, pair := strings.Cut(strings.TrimSpace(rest), "=")
	if !ok || !pair || name == "" || len(o.found) >= maxValues {
		return
	}
	o.found[protocol.Clean(name)] = protocol.Clean(value)
}

func (o *output) later() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

func (o *output) flush() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if len(o.piece) == 0 {
		return
	}
	o.send(protocol.KindOutput, protocol.Output{Run: o.run, Offset: o.at, Data: o.piece})
	o.at += int64(len(o.piece))
	o.piece = nil
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.flush()
}

func (o *output) flooded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total > maxFlood
}

// kept is the beginning, the end, how much there was, and whether something is
// missing between the two.
func (o *output) kept() (head, tail []byte, total int64, cut bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	tail = o.tail
	if over := len(tail) - keepTail; over > 0 {
		tail = tail[over:]
	}
	return o.head, tail, o.total, o.total > int64(len(o.head)+len(tail))
}

func (o *output) values() map[string]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.found
}
