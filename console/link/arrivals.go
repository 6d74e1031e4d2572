package link

import (
	"context"
	"errors"

	"github.com/deskside/deskside/console/model"
	"github.com/deskside/deskside/console/store"
	"github.com/deskside/deskside/protocol"
)

// arriveMost is how many machines are written down together.
const arriveMost = 200

// arrivals writes down which machines have come, those that come while some are
// written down together with the next: after a fault of the network all come at once.
// Nobody waits for company.
type arrivals struct {
	lines *Lines
	in    chan *arrival
	done  chan struct{}
}

// arrival is a machine that has proven who it is, and what becomes of it.
type arrival struct {
	line  *line
	hello model.Hello
	over  chan struct{} // closed when what follows is there

	model.Arrival
	marks   map[protocol.Class]uint64 // how far its logs are committed
	digests map[protocol.Class][]byte // of the entries at the marks, as far as they are known
	waiting bool                      // there may be something for it to do
}

func newArrivals(l *Lines) *arrivals {
	return &arrivals{lines: l, in: make(chan *arrival, arriveMost), done: make(chan struct{})}
}

// errGoingDown ends a hello that is not answered any more.
var errGoingDown = protocol.Refused{Code: protocol.CodeBusy, Text: "This console is going down.", RetryAfter: 5}

// begin makes c the line of its machine and has it written down, one line of a
// machine after the other: whichever is the newer one here is it in the database
// too.
func (l *Lines) begin(c *line, h model.Hello) (*arrival, error) {
	a := &arrival{line: c, hello: h, over: make(chan struct{})}
	turn := &l.turns[stripe(c.from.Machine)%turns]
	turn.Lock()
	l.replace(c)
	select {
	case l.arrivals.in <- a:
	case <-l.arrivals.done:
	}
	turn.Unlock()
	select {
	case <-a.over:
		return a, a.Err
	case <-l.arrivals.done:
		return a, errGoingDown
	}
}

func (a *arrivals) run(ctx context.Context) {
	defer close(a.done)
	var next *arrival
	for {
		if next == nil {
			select {
			case <-ctx.Done():
				return
			case next = <-a.in:
			}
		}
		var list []*arrival
		list, next = a.gather(next)
		a.write(context.WithoutCancel(ctx), list)
	}
}

// gather takes along who else has come by now. A machine that comes twice goes with
// the next.
func (a *arrivals) gather(first *arrival) (list []*arrival, next *arrival) {
	list = []*arrival{first}
	here := map[model.ID]bool{first.hello.Machine: true}
	for len(list) < arriveMost {
		select {
		case x := <-a.in:
			if here[x.hello.Machine] {
				return list, x
			}
			list, here[x.hello.Machine] = append(list, x), true
		default:
			return list, nil
		}
	}
	return list, nil
}

// write writes machines down, together if it can: what fails for one is tried for
// each alone.
func (a *arrivals) write(ctx context.Context, list []*arrival) {
	err := a.connected(ctx, list)
	if err != nil && len(list) > 1 && !errors.Is(err, store.ErrUnavailable) {
		for i := range list {
			a.write(ctx, list[i:i+1])
		}
		return
	}
	for _, x := range list {
		if err != nil {
			x.Err = err
		}
		close(x.over)
	}
}

func (a *arrivals) connected(ctx context.Context, list []*arrival) error {
	hellos := make([]model.Hello, len(list))
	for i, x := range list {
		hellos[i] = x.hello
	}
	came, err := a.lines.handlers.Connected(ctx, hellos)
	if err != nil {
		return err
	}
	for i, x := range list {
		x.Arrival = came[i]
	}
	return a.lines.store.View(ctx, store.System("link"), func(tx *store.Tx) error {
		machines := make([]model.ID, len(list))
		for i, x := range list {
			machines[i] = x.hello.Machine
		}
		waiting, err := a.lines.whoWaits(tx, machines)
		if err != nil {
			return err
		}
		marks, err := readMarks(tx, machines)
		if err != nil {
			return err
		}
		for _, x := range list {
			x.waiting = waiting[x.hello.Machine]
			x.marks, x.digests = map[protocol.Class]uint64{}, map[protocol.Class][]byte{}
			for class, m := range marks[source{x.hello.Machine, x.line.epoch}] {
				x.marks[class] = m.number
				if len(m.digest) > 0 {
					x.digests[class] = m.digest
				}
			}
		}
		return nil
	})
}
