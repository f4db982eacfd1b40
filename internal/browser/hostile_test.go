package browser_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The bounds of the package as a user meets them.
const (
	readBytes  = 1 << 20
	keptBytes  = 64 << 10
	keptLines  = 100
	headerSize = 256 << 10
)

// ways are the two ways a request goes out: through net/http, and raw where
// net/http would not send a cookie with such a byte. What a target can do to
// one it can do to the other.
var ways = map[string]string{"net/http": "plain", "raw": "with a \x01 byte"}

// ask performs a visit whose cookie decides the way.
func ask(t *testing.T, base, id string, timeout time.Duration) (trace.Exchange, error) {
	t.Helper()
	stage := visit(t, base, "steps: {visit: {request: GET /, capture: {all: {regex: \"(?s)^.\"}}}}", within(timeout))
	actor := stage.Actor("actor")
	actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New(id)}})
	err := actor.Do(t.Context(), "visit")
	if n := len(stage.Exchanges()); n != 1 {
		t.Fatalf("%d exchanges were recorded", n)
	}
	return stage.Exchanges()[0], err
}

const ok = "HTTP/1.1 200 OK\r\n"

// Each of these answers is none, for the reason given.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	const (
		closed = "the connection was closed without an answer, or before its end"
		noHTTP = "the answer is not HTTP that can be read, or its headers are too long"
	)
	cases := []struct{ name, answer, problem string }{
		{"nothing", "", closed},
		{"garbage", "\x00\x01canary\xff\xfe\r\n\r\n", noHTTP},
		{"another protocol", "SSH-2.0-canary\r\n", noHTTP},
		{"HTTP/0.9", "<html>canary</html>", noHTTP},
		{"HTTP/0.9 with lines", "<html>\n<body>canary</body>\n</html>\n", noHTTP},
		{"half a status line", "HTTP/1.1 20", noHTTP},
		{"half a header", ok + "X-Canary: can", closed},
		{"no status", "HTTP/1.1 canary OK\r\n\r\n", noHTTP},
		{"status 000", "HTTP/1.1 000 canary\r\nContent-Length: 0\r\n\r\n", noHTTP},
		{"status 42", "HTTP/1.1 042 canary\r\nContent-Length: 0\r\n\r\n", noHTTP},
		{"a header without a colon", ok + "canary\r\n\r\n", noHTTP},
		{"Content-Length too long", ok + "Content-Length: 1000\r\n\r\ncanary", closed},
		{"Content-Length negative", ok + "Content-Length: -1\r\n\r\ncanary", noHTTP},
		{"Content-Length twice", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\ncanary", noHTTP},
		{"Content-Length huge", ok + "Content-Length: 99999999999999999999\r\n\r\ncanary", noHTTP},
		{"chunks that are none", ok + "Transfer-Encoding: chunked\r\n\r\ncanary\r\n", noHTTP},
		{"chunks that break off", ok + "Transfer-Encoding: chunked\r\n\r\n40\r\ncanary", closed},
		{"only informational answers", "HTTP/1.1 103 Early Hints\r\nLink: canary\r\n\r\n", closed},
	}
	for _, c := range cases {
		for way, id := range ways {
			t.Run(c.name+" "+way, func(t *testing.T) {
				t.Parallel()
				exchange, err := ask(t, says(t, c.answer).base(), id, 5*time.Second)
				wantError(t, err, "step visit: GET /: "+exchange.Problem)
				if exchange.Problem != c.problem || exchange.Response.Status != 0 {
					t.Errorf("recorded %q with status %d, want %q", exchange.Problem, exchange.Response.Status, c.problem)
				}
			})
		}
	}
}

func TestOddAnswersThatAreAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, answer, body string }{
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nbody until the end", "body until the end"},
		{"line feeds only", "HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", "body"},
		{"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nbody", "body"},
		{"Content-Length too short", ok + "Content-Length: 4\r\n\r\nbody and more", "body"},
		{"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "body"},
		{"informational answers before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nSet-Cookie: early=1\r\n\r\n" + ok + "Content-Length: 4\r\n\r\nbody", "body"},
		{"compressed without being asked", ok + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "\x1f\x8b\x08\x00"},
		{"bytes that are no UTF-8", ok + "X-Bytes: \xff\xfe\r\nContent-Length: 2\r\n\r\n\xff\xfe", "\xff\xfe"},
	}
	for _, c := range cases {
		for way, id := range ways {
			t.Run(c.name+" "+way, func(t *testing.T) {
				t.Parallel()
				exchange, _ := ask(t, says(t, c.answer).base(), id, 5*time.Second)
				if got := exchange.Response; got.Status != 200 || got.Body.Reveal() != c.body || exchange.Problem != "" {
					t.Errorf("recorded %d with %q, problem %q", got.Status, got.Body.Reveal(), exchange.Problem)
				}
				if n := len(exchange.Response.SetCookie); n != 0 {
					t.Errorf("%d cookies came from an informational answer", n)
				}
			})
		}
	}
}

// counted is a listener's answer that tells how much the client took.
func counted(t *testing.T, answer func(io.Writer)) (*socket, func() int64) {
	t.Helper()
	taken := make(chan int64, 1)
	target := listen(t, func(connection net.Conn) {
		count := &counter{Writer: connection}
		answer(count)
		taken <- count.n
	})
	return target, func() int64 { return <-taken }
}

type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

func forever(w io.Writer, text string) {
	for {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// slack is what the kernel may hold between the two ends.
const slack = 16 << 20

func TestEndlessBodyIsCut(t *testing.T) {
	t.Parallel()
	for _, head := range []string{ok + "\r\n", ok + "Content-Length: 9000000000\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n"} {
		for way, id := range ways {
			t.Run(way, func(t *testing.T) {
				t.Parallel()
				target, taken := counted(t, func(w io.Writer) {
					_, _ = io.WriteString(w, head)
					text := strings.Repeat("x", 4096)
					if strings.Contains(head, "chunked") {
						text = "1000\r\n" + text + "\r\n"
					}
					forever(w, text)
				})
				exchange, err := ask(t, target.base(), id, 30*time.Second)
				if err != nil || exchange.Response.Status != 200 {
					t.Fatalf("recorded %d, problem %q, error %v", exchange.Response.Status, exchange.Problem, err)
				}
				if got := exchange.Response; got.Body.Len() != keptBytes || !got.Truncated {
					t.Errorf("%d bytes are kept, truncated: %v", got.Body.Len(), got.Truncated)
				}
				if n := taken(); n > 3*readBytes+slack {
					t.Errorf("it took %d bytes", n)
				}
			})
		}
	}
}

func TestTruncatedTellsTheTruth(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]bool{keptBytes: false, keptBytes + 1: true} {
		site := serve(t, answers(strings.Repeat("x", size)))
		exchange, err := ask(t, site.URL, "plain", 5*time.Second)
		if err != nil || exchange.Response.Truncated != want || exchange.Response.Body.Len() != keptBytes {
			t.Errorf("%d bytes: %d kept, truncated: %v, %v", size, exchange.Response.Body.Len(), exchange.Response.Truncated, err)
		}
	}
}

func TestEndlessHeadersAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"lines":              "X-Canary: " + strings.Repeat("c", 80) + "\r\n",
		"one line":           strings.Repeat("c", 4096),
		"status line":        "",
		"informational ones": "HTTP/1.1 100 Continue\r\n\r\n",
	} {
		for way, id := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				target, taken := counted(t, func(w io.Writer) {
					switch name {
					case "status line":
						_, _ = io.WriteString(w, "HTTP/1.1 200 ")
						text = "canary"
					case "one line":
						_, _ = io.WriteString(w, ok+"X-Canary: ")
					case "lines":
						_, _ = io.WriteString(w, ok)
					}
					forever(w, strings.Repeat(text, 10))
				})
				exchange, err := ask(t, target.base(), id, 30*time.Second)
				wantError(t, err, "the answer is not HTTP that can be read, or its headers are too long")
				if exchange.Response.Status != 0 || strings.Contains(err.Error(), "anary") {
					t.Errorf("recorded %d, error %q", exchange.Response.Status, err)
				}
				if n := taken(); n > headerSize+slack {
					t.Errorf("it took %d bytes", n)
				}
			})
		}
	}
}

// Past such an answer net/http hands out the bare connection, without the
// request's deadline.
func TestSwitchingProtocolsIsNoAnswer(t *testing.T) {
	t.Parallel()
	for way, id := range ways {
		target := listen(t, func(connection net.Conn) {
			forever(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: canary\r\nConnection: Upgrade\r\n\r\n")
		})
		_, err := ask(t, target.base(), id, 30*time.Second)
		wantError(t, err, "step visit: GET /: the answer is not HTTP that can be read")
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error %q quotes the answer", way, err)
		}
	}
}

func TestHeadersHaveABound(t *testing.T) {
	t.Parallel()
	for size, status := range map[int]int{headerSize - 1024: 200, headerSize + 8192: 0} {
		target := says(t, ok+"X-Large: "+strings.Repeat("x", size)+"\r\nContent-Length: 1\r\n\r\nx")
		for way, id := range ways {
			exchange, err := ask(t, target.base(), id, 5*time.Second)
			if exchange.Response.Status != status {
				t.Errorf("%s: %d bytes of headers: recorded %d, %v", way, size, exchange.Response.Status, err)
			}
		}
	}
}

// Whatever drips, a request ends on time.
func TestSlowAnswersEndOnTime(t *testing.T) {
	t.Parallel()
	const timeout = 150 * time.Millisecond
	drip := func(connection net.Conn, head, text string) {
		_, _ = io.WriteString(connection, head)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(connection, text); err != nil {
				return
			}
		}
	}
	cases := map[string]func(net.Conn){
		"silence":           func(connection net.Conn) { _, _ = io.Copy(io.Discard, connection) },
		"drops of a header": func(connection net.Conn) { drip(connection, ok+"X-Slow: ", "x") },
		"drops of headers":  func(connection net.Conn) { drip(connection, ok, "X-Slow: x\r\n") },
		"drops of a body":   func(connection net.Conn) { drip(connection, ok+"\r\n", "x") },
		"drops of chunks":   func(connection net.Conn) { drip(connection, ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n") },
		"a body never sent": func(connection net.Conn) {
			_, _ = io.WriteString(connection, ok+"Content-Length: 10\r\n\r\n")
			_, _ = io.Copy(io.Discard, connection)
		},
		"only informationals": func(connection net.Conn) { drip(connection, "", "HTTP/1.1 102 Processing\r\n\r\n") },
	}
	for name, answer := range cases {
		for way, id := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				target := listen(t, answer)
				exchange, err := ask(t, target.base(), id, timeout)
				wantError(t, err, "step visit: GET /: no answer in time")
				if exchange.Response.Status != 0 || exchange.Problem != "no answer in time" {
					t.Errorf("recorded %d, problem %q", exchange.Response.Status, exchange.Problem)
				}
				if exchange.Took < timeout/2 || exchange.Took > 20*timeout {
					t.Errorf("it took %s of %s", exchange.Took, timeout)
				}
			})
		}
	}
}

func TestConnectionsThatAreRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	reset := listen(t, func(connection net.Conn) { _ = connection.(*net.TCPConn).SetLinger(0) })
	for way, id := range ways {
		if exchange, err := ask(t, base, id, 5*time.Second); exchange.Problem != "the connection was refused" {
			t.Errorf("%s: recorded %q, %v", way, exchange.Problem, err)
		}
		if exchange, err := ask(t, reset.base(), id, 5*time.Second); exchange.Problem != "the connection was closed without an answer, or before its end" {
			t.Errorf("%s: recorded %q, %v", way, exchange.Problem, err)
		}
		if exchange, err := ask(t, "http://canary.invalid", id, 5*time.Second); exchange.Problem != "the host name does not resolve" && exchange.Problem != "no answer in time" {
			t.Errorf("%s: recorded %q, %v", way, exchange.Problem, err)
		}
	}
}

func TestTenThousandCookiesAreBounded(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&lines, "Set-Cookie: c%d=v\r\n", i)
	}
	target := says(t, ok+lines.String()+"Content-Length: 1\r\n\r\nx")
	for _, id := range ways {
		exchange, err := ask(t, target.base(), id, 5*time.Second)
		if err != nil || len(exchange.Response.SetCookie) != keptLines {
			t.Errorf("%d lines are recorded, %v", len(exchange.Response.SetCookie), err)
		}
	}
}

// A jar does not grow with every answer either.
func TestJarIsBoundedOverManyAnswers(t *testing.T) {
	t.Parallel()
	n := 0
	target := listen(t, func(connection net.Conn) {
		n++
		var lines strings.Builder
		for i := range keptLines {
			fmt.Fprintf(&lines, "Set-Cookie: c%d-%d=v; Path=/\r\n", n, i)
		}
		_, _ = io.WriteString(connection, ok+lines.String()+"Connection: close\r\nContent-Length: 0\r\n\r\n")
	})
	actor := visit(t, target.base(), "steps: {visit: GET /}", func(o *browser.Options) { o.Timeout = 5 * time.Second }).Actor("actor")
	for range 5 {
		do(t, actor, "visit")
	}
	if held := len(actor.Everything()); held > 200 {
		t.Errorf("it holds %d cookies", held)
	}
}
