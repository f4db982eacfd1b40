package tap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// playing is a server of our own; play is called for each connection.
func playing(t testing.TB, play func(net.Conn)) secret.Text {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer connection.Close()
				_ = connection.SetDeadline(time.Now().Add(30 * time.Second))
				play(connection)
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); all.Wait() })
	return secret.New("postgresql://u@" + listener.Addr().String() + "/d?sslmode=disable")
}

func dial(t testing.TB, tapped *Tap) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp", tapped.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return connection.(*net.TCPConn)
}

func startup(t testing.TB) []byte {
	t.Helper()
	packet, err := (&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters: map[string]string{"user": "u", "database": "d"}}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// babble is a stream of frames of every kind and many sizes.
func babble(seed uint64, frames int) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	var stream []byte
	for range frames {
		size := random.IntN(300)
		switch random.IntN(50) {
		case 0:
			size = random.IntN(200 << 10)
		case 1:
			size = whole + random.IntN(whole)
		}
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(random.IntN(4)) // zeros, small counts
		}
		stream = append(stream, message(byte(random.IntN(128)), string(body))...)
	}
	return stream
}

// say writes the stream in pieces of many sizes.
func say(to io.Writer, stream []byte, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 2))
	for len(stream) > 0 {
		n := min(1+random.IntN(1<<random.IntN(18)), len(stream))
		if _, err := to.Write(stream[:n]); err != nil {
			return err
		}
		stream = stream[n:]
	}
	return nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%d bytes %s", len(data), hex.EncodeToString(sum[:4]))
}

// Both directions arrive byte for byte, and each ends by itself: the client
// stops talking first, and hears the server out.
func TestByteForByte(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	dsn := playing(t, func(connection net.Conn) {
		var incoming bytes.Buffer
		read := make(chan error)
		go func() { _, err := io.Copy(&incoming, connection); read <- err }()
		first := babble(7, 200)
		if err := say(connection, first, 7); err != nil {
			t.Error(err)
		}
		if err := <-read; err != nil {
			t.Error(err)
		}
		heard <- digest(incoming.Bytes())
		// The client has closed its side by now.
		if err := say(connection, babble(8, 200), 8); err != nil {
			t.Error(err)
		}
	})
	tapped := listen(t, dsn)
	tapped.Watch(secret.New("\x00\x01\x02\x03\x00\x01"), secret.New("an id"))
	client := dial(t, tapped)
	stream := append(startup(t), babble(9, 400)...)
	said := make(chan error)
	go func() { said <- errors.Join(say(client, stream, 9), client.CloseWrite()) }()
	answers, err := io.ReadAll(client)
	if err := errors.Join(err, <-said); err != nil {
		t.Fatal(err)
	}
	if got, want := <-heard, digest(stream); got != want {
		t.Errorf("the server heard %s, the client said %s", got, want)
	}
	if got, want := digest(answers), digest(append(babble(7, 200), babble(8, 200)...)); got != want {
		t.Errorf("the client heard %s, the server said %s", got, want)
	}
}

func TestSlowReaderHoldsTheServerUp(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	stuck := make(chan int64, 1)
	dsn := playing(t, func(connection net.Conn) {
		_, _ = readGreeting(connection) // or the close would be a reset
		piece := message('D', strings.Repeat("x", 64<<10))
		sent := int64(0)
		for sent < size {
			_ = connection.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			n, err := connection.Write(piece[sent%int64(len(piece)):])
			sent += int64(n)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				select {
				case stuck <- sent:
				default:
				}
				_ = connection.SetWriteDeadline(time.Now().Add(20 * time.Second))
			} else if err != nil {
				return
			}
		}
	})
	client := dial(t, listen(t, dsn))
	if _, err := client.Write(startup(t)); err != nil {
		t.Fatal(err)
	}
	if sent := <-stuck; sent > size/2 { // what the kernel's buffers hold
		t.Errorf("the server could send %d MiB to a client that reads nothing", sent>>20)
	}
	if got, err := io.Copy(io.Discard, client); err != nil || got < size {
		t.Error(got, err)
	}
}

// obliging answers every query, however many ask.
func obliging(connection net.Conn) {
	backend := pgproto3.NewBackend(connection, connection)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for backend.Flush() == nil {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if asked, ok := message.(*pgproto3.Query); ok {
			if strings.Contains(asked.String, "fail") {
				backend.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "XX000", Message: asked.String})
			} else {
				backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")})
			}
			backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		}
	}
}

func TestManyConnections(t *testing.T) {
	t.Parallel()
	tapped := listen(t, playing(t, obliging))
	tapped.Watch(secret.New("common-id"))
	const connections, queries = 200, 10
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			connection, err := pgx.Connect(t.Context(), tapped.DSN().Reveal())
			if err != nil {
				t.Error(err)
				return
			}
			defer connection.Close(context.Background())
			for j := range queries {
				sql := fmt.Sprintf("SELECT 'common-id', 'from %d, %d'", i, j)
				if j == 5 {
					sql += " -- fail"
				}
				if _, err := connection.PgConn().Exec(t.Context(), sql).ReadAll(); (err != nil) != (j == 5) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	statements := tapped.Statements()
	if counts := tapped.Counts(); counts.Connections != connections || counts.Statements != connections*queries || counts.Errors != connections ||
		len(statements) != connections*queries {
		t.Errorf("%+v, kept %d", counts, len(statements))
	}
	numbers := map[int]int{}
	for _, statement := range statements {
		numbers[statement.Connection]++
		if failed := strings.Contains(statement.Text.Reveal(), "fail"); failed != (statement.SQLState == "XX000") || failed != (statement.Error == statement.Text.Reveal()) {
			t.Fatalf("%s: %s %s", statement.Text.Reveal(), statement.SQLState, statement.Error)
		}
	}
	if len(numbers) != connections || numbers[1] != queries || numbers[connections] != queries {
		t.Errorf("connections: %v", numbers)
	}
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	tapped := listen(t, playing(t, obliging))
	for range maxConnections {
		dial(t, tapped) // and says nothing
	}
	eventually(t, "all are taken in", func() bool {
		tapped.mu.Lock()
		defer tapped.mu.Unlock()
		return tapped.clients == maxConnections
	})
	_, err := pgx.Connect(t.Context(), tapped.DSN().Reveal())
	if sqlstate(err) != "53300" {
		t.Error(err)
	}
}

func TestHostileClientEndsItsConnectionOnly(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	good := connect(t, tapped.DSN())
	for _, bad := range []string{
		"GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00", // a TLS client that asks nobody
		"\x00\x00\x00\x04",
		"\xff\xff\xff\xff\x00\x03\x00\x00",
		strings.Repeat(string(sslRequest), 10),
		string(startup(t)) + "Q\x00\x00\x00\x00",
		string(startup(t)) + "Q\xff\xff\xff\xff",
	} {
		client := dial(t, tapped)
		if _, err := client.Write([]byte(bad)); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, client); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: the connection stays open", bad)
		}
	}
	do(t, good, "SELECT 1")
}

func TestHostileServerEndsItsConnectionOnly(t *testing.T) {
	t.Parallel()
	var answers = [][]byte{[]byte("E\x00\x00\x00\x00"), []byte("no PostgreSQL"), message(errorResponse, strings.Repeat("C", 100_000)), message(readyForQuery, "")}
	turn := make(chan []byte, len(answers))
	for _, answer := range answers {
		turn <- answer
	}
	tapped := listen(t, playing(t, func(connection net.Conn) {
		_, _ = readGreeting(connection)
		select {
		case answer := <-turn:
			_, _ = connection.Write(answer)
		default:
		}
	}))
	for range answers {
		client := dial(t, tapped)
		if _, err := client.Write(startup(t)); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, client); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection stays open")
		}
	}
	if counts := tapped.Counts(); counts.Errors != 1 || counts.Connections != int64(len(answers)) {
		t.Errorf("%+v", counts)
	}
}

// The server's last words reach the client, though the way there is cut.
func TestLastWords(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	victim := raw(t, tapped.DSN())
	do(t, connect(t, shared.DSN), fmt.Sprintf("SELECT pg_terminate_backend(%d)", victim.PID))
	// A query may cross them on the way.
	_, _ = victim.Conn.Write(message(query, "SELECT 1\x00"))
	words, err := io.ReadAll(victim.Conn)
	if err != nil || !bytes.Contains(words, []byte("57P01")) {
		t.Errorf("%q, %v", words, err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	tapped := listen(t, secret.New("postgresql://u:s3cr3t@"+address+"/d"))
	_, err = pgx.Connect(t.Context(), tapped.DSN().Reveal())
	if sqlstate(err) != "08001" {
		t.Error(err)
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "tap-") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	listener, err := net.Listen("unix", folder+"/.s.PGSQL.5433")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		if connection, err := listener.Accept(); err == nil {
			obliging(connection)
			_ = connection.Close()
		}
	}()
	connection := connect(t, listen(t, secret.New("postgresql://u@/d?port=5433&host="+folder)).DSN())
	if _, err := connection.PgConn().Exec(t.Context(), "SELECT 1").ReadAll(); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Tap, context.CancelFunc){
		"close":   func(tapped *Tap, _ context.CancelFunc) { _ = tapped.Close() },
		"context": func(_ *Tap, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tapped, err := Listen(ctx, shared.DSN)
			if err != nil {
				t.Fatal(err)
			}
			silent, busy, flooded := dial(t, tapped), raw(t, tapped.DSN()), raw(t, tapped.DSN())
			if _, err := busy.Conn.Write(message(query, "SELECT pg_sleep(60)\x00")); err != nil {
				t.Fatal(err)
			}
			if _, err := flooded.Conn.Write(message(query, "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)\x00")); err != nil {
				t.Fatal(err)
			}
			eventually(t, "both run", func() bool { return tapped.Counts().Statements == 2 })
			end(tapped, cancel)
			if err := tapped.Close(); err != nil {
				t.Error(err)
			}
			for _, client := range []net.Conn{silent, busy.Conn, flooded.Conn} {
				if _, err := io.Copy(io.Discard, client); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("a connection stays open")
				}
			}
			if _, err := net.Dial("tcp", tapped.listener.Addr().String()); err == nil {
				t.Error("the listener stays open")
			}
			if len(tapped.open) != 0 || tapped.clients != 0 {
				t.Errorf("%d connections, %d clients", len(tapped.open), tapped.clients)
			}
			tapped.Watch(secret.New("generate_series"))
			if got := reveal(tapped.Statements()); len(got) != 1 {
				t.Errorf("what was recorded is gone: %+v", got)
			}
		})
	}
}
