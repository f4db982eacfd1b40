package tap

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// greetingTimeout is PostgreSQL's own for a whole login.
	greetingTimeout = time.Minute
	// maxGreeting is PostgreSQL's limit for the packet that opens a connection.
	maxGreeting = 10_000
	// pieceSize fits many frames of an ordinary statement, and keeps 500
	// connections in 32 MiB.
	pieceSize     = 32 << 10
	cancelTimeout = 10 * time.Second
	refuseTimeout = 5 * time.Second
	retryDelay    = 10 * time.Millisecond
)

// Codes in the place of a protocol version (PostgreSQL documentation, 55.7).
const (
	cancelCode = 80877102
	sslCode    = 80877103
	gssCode    = 80877104
)

var sslRequest = binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, sslCode)

var (
	tooMany     = pgproto3.ErrorResponse{Code: "53300", Message: "sessiongate passes on no more connections to the database than it has now"}
	unreachable = pgproto3.ErrorResponse{Code: "08001", Message: "sessiongate cannot reach the database behind it"}
)

// refuse tells a client why it is not served. It need not listen.
func refuse(client net.Conn, why pgproto3.ErrorResponse) {
	why.Severity, why.SeverityUnlocalized = "FATAL", "FATAL"
	message, err := why.Encode(nil)
	if err != nil {
		return // more than a gigabyte, which it is not
	}
	_ = client.SetWriteDeadline(time.Now().Add(refuseTimeout))
	_, _ = client.Write(message)
}

// pause keeps a listener that fails from spinning; false when it is over.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(retryDelay):
		return true
	case <-ctx.Done():
		return false
	}
}

// serve is the life of one client.
func (t *Tap) serve(client *net.TCPConn) {
	greeting, err := greet(client)
	if err != nil {
		return
	}
	plain, err := t.upstream.dial(t.ctx)
	if err != nil {
		refuse(client, unreachable)
		return
	}
	if !t.hold(plain) {
		return
	}
	defer t.drop(plain)
	server, err := t.upstream.secure(t.ctx, plain)
	if err != nil {
		refuse(client, unreachable)
		return
	}
	if code(greeting) == cancelCode {
		cancel(server, greeting)
		return
	}
	talk := newConversation(&t.record, t.record.login(user(greeting)))
	line := &line{client: client, server: server, plain: plain,
		up:   scanner{wants: wantsOfClient, handle: talk.sent},
		down: scanner{wants: wantsOfServer, handle: talk.received},
	}
	if err := line.open(greeting); err == nil {
		line.run()
	}
}

// greet reads how the client opens: encryption is refused, since this way never
// leaves the machine.
func greet(client net.Conn) ([]byte, error) {
	if err := client.SetDeadline(time.Now().Add(greetingTimeout)); err != nil {
		return nil, err
	}
	for range 4 { // TLS, GSS, and then once more each for clients that fall back
		packet, err := readGreeting(client)
		if err != nil {
			return nil, err
		}
		if code(packet) != sslCode && code(packet) != gssCode {
			return packet, client.SetDeadline(time.Time{})
		}
		if _, err := client.Write([]byte{'N'}); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("a client that only asks for encryption")
}

func readGreeting(client io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(client, length[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(length[:])
	if size < 8 || size > maxGreeting {
		return nil, errFrame
	}
	packet := make([]byte, size)
	copy(packet, length[:])
	_, err := io.ReadFull(client, packet[4:])
	return packet, err
}

func code(greeting []byte) uint32 { return binary.BigEndian.Uint32(greeting[4:]) }

// user is the name in a StartupMessage. Read here and not with pgproto3, which
// takes the protocol versions it knows only.
func user(greeting []byte) string {
	for rest := string(greeting[8:]); rest != ""; {
		var name, value string
		name, rest = zeroTerminated(rest)
		value, rest = zeroTerminated(rest)
		if name == "user" {
			return value
		}
	}
	return ""
}

// cancel hands a request to cancel on. The server hangs up instead of answering.
func cancel(server net.Conn, request []byte) {
	if err := server.SetDeadline(time.Now().Add(cancelTimeout)); err != nil {
		return
	}
	if _, err := server.Write(request); err != nil {
		return
	}
	_, _ = server.Read(make([]byte, 1))
}

// line is a client and its server.
type line struct {
	client   duplex
	server   duplex // plain, or TLS on it
	plain    duplex
	up, down scanner
}

// open hands the greeting on.
func (l *line) open(greeting []byte) error {
	if _, err := l.server.Write(greeting); err != nil {
		return err
	}
	if l.server == l.plain {
		return nil
	}
	return l.unbind()
}

// unbind takes channel binding out of what a server offers over TLS. The client
// has none, and would rightly suspect somebody in the middle. This is the one
// message that the tap changes.
func (l *line) unbind() error {
	for range 16 { // notices may stand before it
		message, err := readMessage(l.server)
		if err != nil {
			return err
		}
		message = withoutBinding(message)
		if err := l.down.feed(message); err != nil {
			return err
		}
		if _, err := l.client.Write(message); err != nil {
			return err
		}
		if message[0] != notice && message[0] != negotiateVersion {
			break
		}
	}
	return nil
}

func readMessage(server io.Reader) ([]byte, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(server, header); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(header[1:])
	if length < 4 || length > head {
		return nil, errFrame
	}
	message := append(header, make([]byte, length-4)...)
	_, err := io.ReadFull(server, message[headerSize:])
	return message, err
}

func withoutBinding(message []byte) []byte {
	var offer pgproto3.AuthenticationSASL
	if message[0] != authentication || offer.Decode(message[headerSize:]) != nil {
		return message
	}
	var plain []string
	for _, mechanism := range offer.AuthMechanisms {
		if !strings.HasSuffix(mechanism, "-PLUS") {
			plain = append(plain, mechanism)
		}
	}
	if len(plain) == 0 {
		return message // nothing else would be left to try
	}
	offer.AuthMechanisms = plain
	changed, err := offer.Encode(nil)
	if err != nil {
		return message
	}
	return changed
}

// run passes on in both directions until both are over.
func (l *line) run() {
	var both sync.WaitGroup
	both.Go(func() { l.pass(l.client, l.server, &l.down) })
	l.pass(l.server, l.client, &l.up)
	both.Wait()
}

// pass forwards one direction to its end. The other one goes on: after a half-
// close, and when the receiver is gone, whose last words (why the server hangs
// up) may still be on their way. Anything else ends both.
func (l *line) pass(to, from duplex, watch *scanner) {
	err := forward(to, from, watch)
	if errors.Is(err, errGone) || errors.Is(err, io.EOF) && to.CloseWrite() == nil {
		return
	}
	_ = l.client.Close()
	_ = l.plain.Close()
}

var errGone = errors.New("the receiver is gone")

func forward(to io.Writer, from io.Reader, watch *scanner) error {
	piece := make([]byte, pieceSize)
	for {
		n, err := from.Read(piece)
		// Seen before it is sent: an answer must not come before its question.
		if bad := watch.feed(piece[:n]); bad != nil {
			return bad
		}
		if n > 0 {
			if _, err := to.Write(piece[:n]); err != nil {
				return errGone
			}
		}
		if err != nil {
			return err
		}
	}
}
