package app

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// TestTurns: a handshake waits for its turn while others have all of them, and whoever
// is waited for, answered or gone has none.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoorway(nil)
		d.turns = make(chan struct{}, 1)
		type guest struct {
			v     *visitor
			other net.Conn
			read  chan int
		}
		come := func() guest {
			other, ours := net.Pipe()
			g := guest{&visitor{Conn: ours, doorway: d}, other, make(chan int)}
			t.Cleanup(func() { other.Close(); ours.Close() })
			return g
		}
		reads := func(g guest) {
			go func() {
				n, _ := g.v.Read(make([]byte, 10))
				g.read <- n
			}()
		}
		says := func(g guest) {
			go g.other.Write([]byte("hello"))
		}
		expect := func(what string, g guest, want bool) {
			t.Helper()
			synctest.Wait()
			select {
			case <-g.read:
				if !want {
					t.Errorf("%s: it has a turn", what)
				}
			default:
				if want {
					t.Errorf("%s: it has no turn", what)
				}
			}
		}
		one, two := come(), come()
		for _, g := range []guest{one, two} {
			reads(g)
		}
		says(one)
		expect("the first", one, true)
		says(two)
		expect("the second", two, false)
		go io.ReadAll(one.other)
		if _, err := one.v.Write([]byte("welcome")); err != nil {
			t.Fatal(err)
		}
		expect("after the first was answered", two, true)

		three := come()
		reads(three)
		says(three)
		expect("the third", three, false)
		reads(two) // it has said half of it
		expect("while the second is waited for", three, true)
		four := come()
		reads(four)
		says(four)
		expect("the fourth", four, false)
		three.v.Close()
		expect("after the third has gone", four, true)
		four.v.Close()

		reads(one)
		go func() { one.other.Write([]byte("more")) }()
		expect("who was answered takes no turn", one, true)
		if len(d.turns) != 0 {
			t.Errorf("%d turns are taken", len(d.turns))
		}
		two.v.Close()
		two.other.Close()
		expect("the end", two, true)
	})
}
