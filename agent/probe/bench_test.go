package probe

import (
	"context"
	"testing"

	"github.com/deskside/deskside/protocol/history"
)

// BenchmarkRound is a whole round, as it is every 15 s.
func BenchmarkRound(b *testing.B) {
	p := New(Options{Collect: Collect{People: true, Processes: true}})
	defer p.Close()
	m := p.Round(context.Background(), true)
	b.ReportAllocs()
	var set []history.Sample
	for b.Loop() {
		m = p.Round(context.Background(), false)
		set = Samples(set[:0], m)
	}
	n, _ := m.ProcessCount.Get()
	b.ReportMetric(n, "processes")
}

// BenchmarkSlowRound is the one every few minutes.
func BenchmarkSlowRound(b *testing.B) {
	p := New(Options{Collect: Collect{People: true, Processes: true}})
	defer p.Close()
	b.ReportAllocs()
	for b.Loop() {
		p.Round(context.Background(), true)
	}
}

func BenchmarkProbes(b *testing.B) {
	p := New(Options{Collect: Collect{People: true, Processes: true}})
	defer p.Close()
	for _, probe := range p.probes {
		b.Run(probe.section, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				probe.read(context.Background())
			}
		})
	}
}
