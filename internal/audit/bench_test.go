package audit_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/trace"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// BenchmarkRun audits the demo API with the latency of a small real one, and
// reports wall time beside the critical path. A ratio near one says that
// nothing of ours is in the way.
func BenchmarkRun(b *testing.B) {
	for name, flaws := range map[string][]string{"hardened": nil, "vulnerable": demoapi.Demo()} {
		b.Run(name, func(b *testing.B) {
			var wall, ratio []float64
			var last audit.Options
			var peak uint64
			for b.Loop() {
				last = options(b, catalog.All(), 5*time.Millisecond, flaws...)
				began := time.Now()
				result, err := audit.Run(b.Context(), last)
				took := time.Since(began)
				if err != nil || result.Problem.Code != "" {
					b.Fatal(err, result.Problem)
				}
				wall = append(wall, float64(took.Microseconds())/1000)
				ratio = append(ratio, float64(took)/float64(criticalPath(result)))
				var memory runtime.MemStats
				runtime.ReadMemStats(&memory)
				peak = max(peak, memory.HeapSys)
			}
			b.ReportMetric(median(wall), "wall-ms")
			b.ReportMetric(median(ratio), "wall/critical")
			b.ReportMetric(float64(last.World.Requests()), "requests")
			b.ReportMetric(float64(last.World.Logins()), "logins")
			b.ReportMetric(float64(peak)/(1<<20), "heap-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// criticalPath is the longest chain of requests that had to wait for each
// other, times the median latency: calibration, then the longest of the flows
// side by side, then each that runs alone; and once more for those repeated.
func criticalPath(result audit.Result) time.Duration {
	alone := map[string]bool{}
	for _, p := range catalog.All() {
		if p.Flow != nil && p.Flow.Alone {
			alone[p.Flow.Name] = true
		}
	}
	var latencies []time.Duration
	runs := map[string][]trace.Exchange{} // of a flow's first run, and of its second
	for _, exchange := range result.Seen {
		latencies = append(latencies, exchange.Took)
		runs[exchange.Flow] = append(runs[exchange.Flow], exchange)
	}
	slices.Sort(latencies)
	beside, behind := 0, 0
	for flow, exchanges := range runs {
		steps := chain(exchanges)
		if flow == "calibration" || alone[flow] {
			behind += steps
		} else {
			beside = max(beside, steps)
		}
	}
	return time.Duration(beside+behind) * latencies[len(latencies)/2]
}

// chain is the number of a flow's requests that waited for each other: all of
// a round, and of rounds that overlap in time the longest.
func chain(exchanges []trace.Exchange) int {
	type span struct {
		from, to time.Time
		steps    int
	}
	rounds := map[string]*span{}
	for _, exchange := range exchanges {
		end := exchange.Began.Add(exchange.Took)
		round := rounds[exchange.Round]
		if round == nil {
			round = &span{from: exchange.Began, to: end}
			rounds[exchange.Round] = round
		}
		round.steps++
		if end.After(round.to) {
			round.to = end
		}
	}
	var spans []span
	for _, round := range rounds {
		spans = append(spans, *round)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	total, longest := 0, 0
	var until time.Time
	for _, s := range spans {
		if s.from.After(until) {
			total, longest = total+longest, 0
		}
		longest = max(longest, s.steps)
		if s.to.After(until) {
			until = s.to
		}
	}
	return total + longest
}
