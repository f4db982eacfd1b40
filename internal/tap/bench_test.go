package tap

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// The benchmarks ask the database directly and through the tap in turns, batch
// by batch, so that what else the machine does falls on both. Who asks is a
// process of its own, as an API is. On few cores it, the tap and the server
// share them: "lookups" shows the tap's whole price in processor time,
// "requests" what an API notices of it. Most of the price is the machine's, for
// waking one more process on the way: a relay that only copies pays it too, and
// "own" is what the tap costs beyond that one.

const batch = 200

// crowded is a tap as it is late in a run: 200 ids watched, about 7,000 forms.
func crowded(b *testing.B) *Tap {
	tapped := listen(b, shared.DSN)
	for i := range 200 {
		tapped.Watch(secret.New(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)}))))
	}
	return tapped
}

func sessions(b *testing.B) {
	admin := connect(b, shared.DSN)
	do(b, admin, "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_id TEXT, data JSONB, seen TIMESTAMPTZ)")
	do(b, admin, "INSERT INTO sessions SELECT md5(i::TEXT), 'user ' || i, '{\"cart\": [1, 2, 3]}', now() FROM generate_series(1, 10000) AS i ON CONFLICT DO NOTHING")
	do(b, admin, "ANALYZE sessions")
}

const sessionID = "c4ca4238a0b923820dcc509a6f75849b" // md5 of "1"

func lookUp(connection *pgx.Conn) error {
	var user string
	return connection.QueryRow(context.Background(), "SELECT user_id FROM sessions WHERE id = $1", sessionID).Scan(&user)
}

// request is a handler's: about a millisecond of processor time of its own
// (FastAPI takes longer), in which it asks for the session twice.
func request(connection *pgx.Conn) error {
	for range 2 {
		work()
		if err := lookUp(connection); err != nil {
			return err
		}
	}
	return nil
}

var page = make([]byte, 4096)

// rounds make half a millisecond of work on this machine.
var rounds = sync.OnceValue(func() int {
	const tries = 2000
	began := time.Now()
	for range tries {
		_ = sha256.Sum256(page)
	}
	return int(tries * 500 * time.Microsecond / time.Since(began))
})

func work() {
	for range rounds() {
		_ = sha256.Sum256(page)
	}
}

// together has every connection do the same thing so often at once.
func together(connections []*pgx.Conn, times int, do func(*pgx.Conn) error) (time.Duration, error) {
	var all sync.WaitGroup
	failed := make(chan error, len(connections))
	began := time.Now()
	for _, connection := range connections {
		all.Go(func() {
			for range times {
				if err := do(connection); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return time.Since(began), <-failed
}

func several(dsn string, number int) ([]*pgx.Conn, error) {
	var made []*pgx.Conn
	for range number {
		connection, err := pgx.Connect(context.Background(), dsn)
		if err != nil {
			return nil, err
		}
		made = append(made, connection)
		if err := lookUp(connection); err != nil { // prepares it
			return nil, err
		}
	}
	return made, nil
}

// ask is the process that asks: "ask WHAT CONNECTIONS TIMES BATCHES DSN…". It
// prints the nanoseconds for each DSN.
func ask(arguments []string) error {
	what, number, times, batches := lookUp, 0, 0, 0
	if arguments[0] == "requests" {
		what = request
	}
	if _, err := fmt.Sscan(strings.Join(arguments[1:4], " "), &number, &times, &batches); err != nil {
		return err
	}
	var ways [][]*pgx.Conn
	for _, dsn := range arguments[4:] {
		connections, err := several(dsn, number)
		if err != nil {
			return err
		}
		ways = append(ways, connections)
	}
	took := make([]time.Duration, len(ways))
	for range batches {
		for i, connections := range ways {
			once, err := together(connections, times, what)
			if err != nil {
				return err
			}
			took[i] += once
		}
	}
	for _, all := range took {
		fmt.Println(all.Nanoseconds())
	}
	return nil
}

// asked runs that process, and returns the seconds for each DSN.
func asked(b *testing.B, what string, number, times, batches int, ways ...secret.Text) []float64 {
	b.Helper()
	arguments := []string{"ask", what, fmt.Sprint(number), fmt.Sprint(times), fmt.Sprint(batches)}
	for _, way := range ways {
		arguments = append(arguments, way.Reveal())
	}
	output, err := exec.Command(os.Args[0], arguments...).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	var seconds []float64
	for line := range strings.Lines(string(output)) {
		nanoseconds, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			b.Fatal(err)
		}
		seconds = append(seconds, nanoseconds/1e9)
	}
	return seconds
}

// relay is the least that can stand between two programs: it copies.
func relay(b *testing.B, database secret.Text) secret.Text {
	b.Helper()
	d, err := parseDSN(database.Reveal())
	if err != nil {
		b.Fatal(err)
	}
	network, address, err := d.address()
	if err != nil {
		b.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	type plain struct{ io.Writer } // hides ReadFrom: splice would not pass a tap's scanner
	copying := func(to, from net.Conn) {
		_, _ = io.CopyBuffer(plain{to}, struct{ io.Reader }{from}, make([]byte, pieceSize))
		_ = to.Close()
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go copying(server, client)
			go copying(client, server)
		}
	}()
	return d.at(listener.Addr().String())
}

// benchmark returns the microseconds of one operation by each way.
func benchmark(b *testing.B, what string, number, times int) (direct, relayed, tapped float64) {
	b.Helper()
	sessions(b)
	took := asked(b, what, number, times, b.N, shared.DSN, relay(b, shared.DSN), crowded(b).DSN())
	each := 1e6 / float64(b.N*times*number)
	direct, relayed, tapped = took[0]*each, took[1]*each, took[2]*each
	b.ReportMetric(direct, "direct-µs/op")
	b.ReportMetric(relayed, "relayed-µs/op")
	b.ReportMetric(tapped, "tapped-µs/op")
	b.ReportMetric(0, "ns/op")
	return direct, relayed, tapped
}

func BenchmarkTapRoundTrip(b *testing.B) {
	direct, relayed, tapped := benchmark(b, "lookups", 1, batch)
	b.ReportMetric(tapped-direct, "added-µs/op")
	b.ReportMetric(tapped-relayed, "own-µs/op")
}

func BenchmarkTapThroughput(b *testing.B) {
	for _, what := range []string{"lookups", "requests"} {
		b.Run(what+"-on-8-connections", func(b *testing.B) {
			direct, relayed, tapped := benchmark(b, what, 8, batch/8)
			b.ReportMetric(100*(tapped/direct-1), "%added")
			b.ReportMetric(100*(tapped/relayed-1), "%own")
		})
	}
}

func BenchmarkTapBulk(b *testing.B) {
	const megabytes = 16
	tapped := crowded(b)
	plain, through := connect(b, shared.DSN), connect(b, tapped.DSN())
	fetch := func(connection *pgx.Conn) time.Duration {
		began := time.Now()
		var sum counter
		if _, err := connection.PgConn().CopyTo(context.Background(), &sum,
			fmt.Sprintf("COPY (SELECT repeat('x', 1023) FROM generate_series(1, %d)) TO STDOUT", megabytes<<10)); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	var direct, tap time.Duration
	for b.Loop() {
		direct += fetch(plain)
		tap += fetch(through)
	}
	b.ReportMetric(float64(megabytes*b.N)/direct.Seconds(), "direct-MB/s")
	b.ReportMetric(float64(megabytes*b.N)/tap.Seconds(), "tapped-MB/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkTapMemory sends 100,000 statements and compares what is in use after
// the first 10,000 and after the last.
func BenchmarkTapMemory(b *testing.B) {
	sessions(b)
	const statements = 100_000
	var before, after uint64
	for b.Loop() {
		tapped := crowded(b)
		asked(b, "lookups", 2, statements/20, 1, tapped.DSN())
		before = inUse()
		asked(b, "lookups", 2, statements*9/20, 1, tapped.DSN())
		after = inUse()
		if counts := tapped.Counts(); counts.Statements < statements {
			b.Errorf("%+v", counts)
		}
	}
	b.ReportMetric(float64(before)/(1<<20), "MB-after-10k")
	b.ReportMetric(float64(after)/(1<<20), "MB-after-100k")
	if after > before+(4<<20) {
		b.Errorf("it grows: %d bytes, then %d", before, after)
	}
}

func inUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
