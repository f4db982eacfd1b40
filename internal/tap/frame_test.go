package tap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func message(kind byte, body string) []byte {
	made := binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body)))
	return append(made, body...)
}

type plainFrame struct {
	Kind byte
	Size int
	Body string
}

// scan feeds the stream in pieces of that size.
func scan(stream []byte, piece int) (frames []plainFrame, err error) {
	s := scanner{wants: wantsOfClient, handle: func(f frame) {
		frames = append(frames, plainFrame{f.kind, f.size, string(f.body)})
	}}
	for len(stream) > 0 {
		n := min(piece, len(stream))
		if err := s.feed(stream[:n]); err != nil {
			return frames, err
		}
		stream = stream[n:]
	}
	return frames, nil
}

func TestScannerAcrossPieces(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", whole+1)
	var stream []byte
	for _, part := range [][]byte{message(query, "SELECT 1\x00"), message('d', "rows"), message(syncMessage, ""),
		message(query, large), message(execute, strings.Repeat("e", 3000)), message(query, large[:whole]), message('X', "")} {
		stream = append(stream, part...)
	}
	want := []plainFrame{{'Q', 9, "SELECT 1\x00"}, {'d', 4, ""}, {'S', 0, ""}, {'Q', whole + 1, large[:head]},
		{'E', 3000, strings.Repeat("e", namesSize)}, {'Q', whole, large[:whole]}, {'X', 0, ""}}
	for _, piece := range []int{1, 2, 5, 7, 4096, pieceSize, len(stream)} {
		got, err := scan(stream, piece)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(want, got) {
			t.Errorf("in pieces of %d: %d frames", piece, len(got))
		}
	}
}

func TestScannerImpossibleLengths(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Q\x00\x00\x00\x03", "Q\x80\x00\x00\x00", "Q\xff\xff\xff\xff", "\x00\x00\x00\x00\x00"} {
		if got, err := scan([]byte(header), 1); !errors.Is(err, errFrame) || got != nil {
			t.Errorf("%q: %v, %v", header, got, err)
		}
	}
}

// The scanner lets go of the room that a large body took.
func TestScannerKeepsNoLargeBody(t *testing.T) {
	t.Parallel()
	s := scanner{wants: wantsOfClient, handle: func(frame) {}}
	stream := message(query, strings.Repeat("x", whole))
	for len(stream) > 0 {
		n := min(pieceSize, len(stream))
		if err := s.feed(stream[:n]); err != nil {
			t.Fatal(err)
		}
		stream = stream[n:]
	}
	if cap(s.body) > head {
		t.Error(cap(s.body))
	}
}

func FuzzScanner(f *testing.F) {
	f.Add(append(message(query, "SELECT 1\x00"), message(syncMessage, "")...), uint16(3))
	f.Add([]byte("Q\x00\x00\x00\x03"), uint16(1))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint16) {
		inOne, oneErr := scan(stream, max(len(stream), 1))
		inPieces, piecesErr := scan(stream, int(piece)+1)
		if !errors.Is(oneErr, piecesErr) || !cmp.Equal(inOne, inPieces) {
			t.Errorf("%v, %v; in pieces %v, %v", inOne, oneErr, inPieces, piecesErr)
		}
	})
}

// Both sides of a connection are hostile: whatever they say, in whatever order,
// the tap neither panics nor grows.
func FuzzConversation(f *testing.F) {
	for _, script := range []string{"PBDES12tTCZ", "PBES12", "QEZ", "PEBE", "PBESGdcSCZ", "CCSZZZ", "12nTCIsGWEZ", "FVZ"} {
		f.Add([]byte(script), []byte("\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02id"))
	}
	f.Fuzz(func(t *testing.T, script, body []byte) {
		var r record
		c := newConversation(&r, 1)
		for i, kind := range script {
			// Half of it is said by either side.
			if part := body[min(i%4, len(body)):]; i%2 == 0 {
				c.sent(frame{kind, len(part), part})
			} else {
				c.received(frame{kind, len(part), part})
			}
		}
		for _, kind := range script {
			c.sent(frame{kind, len(body), body})
			c.received(frame{kind, len(body), body})
		}
		if len(c.queue.waiting)-c.queue.first > maxPending || r.held > recentBytes || c.prepared.used > preparedBytes {
			t.Error("a limit does not hold")
		}
	})
}

func TestConversationIsBounded(t *testing.T) {
	t.Parallel()
	var r record
	c := newConversation(&r, 1)
	parseBody := "\x00" + strings.Repeat("x", 300<<10) + "\x00\x00\x00"
	for i := range 3 * maxPending {
		name := strings.Repeat("n", i%300)
		c.sent(frame{kind: parse, body: []byte(name + parseBody[:1+i%len(parseBody)])})
		c.sent(frame{kind: bindMessage, body: []byte(name + "\x00" + name + "\x00\x00\x00\x00\x01\x00\x00\x00\x04abcd\x00\x00")})
		c.sent(frame{kind: execute, body: []byte(name + "\x00\x00\x00\x00\x00")})
	}
	if len(c.queue.waiting) > maxPending || len(c.prepared.order) > preparedCount || c.prepared.used > preparedBytes ||
		len(c.portals.order) > portalCount || len(r.recent) > recentCount || r.held > recentBytes {
		t.Errorf("%d waiting, %d prepared of %d bytes, %d portals, %d recent of %d bytes", len(c.queue.waiting),
			len(c.prepared.order), c.prepared.used, len(c.portals.order), len(r.recent), r.held)
	}
	// Order was lost, and comes back with the answers.
	if !c.queue.lost {
		t.Fatal("nothing was lost")
	}
	c.sent(frame{kind: syncMessage})
	c.received(frame{kind: readyForQuery})
	c.sent(frame{kind: query, body: []byte("SELECT 1\x00")})
	c.received(frame{kind: errorResponse, body: []byte("C42601\x00Mbroken\x00\x00")})
	if last := r.recent[len(r.recent)-1]; last.SQLState != "42601" || last.Error != "broken" {
		t.Errorf("%+v", last)
	}
}

// A statement in the extended protocol may copy rows in; the Sync sent along
// with it is lost among them.
func TestCopyInTheExtendedProtocol(t *testing.T) {
	t.Parallel()
	var r record
	c := newConversation(&r, 1)
	client := func(kinds string) {
		for _, kind := range kinds {
			c.sent(frame{kind: byte(kind), body: []byte("\x00COPY\x00\x00\x00\x00\x00")})
		}
	}
	server := func(kinds string) {
		for _, kind := range kinds {
			c.received(frame{kind: byte(kind), body: []byte("C00000\x00\x00")})
		}
	}
	client("PBES")
	server("12G")
	client("ddSddcS") // the first Sync comes too early, too
	server("CZ")
	client("PBES")
	server("12E")
	want := []string{"", "00000"}
	if got := []string{r.recent[0].SQLState, r.recent[1].SQLState}; !cmp.Equal(want, got) {
		t.Error(got)
	}
	server("Z")
	if _, waits := c.queue.front(); waits {
		t.Error("something still waits")
	}
}

func FuzzBind(f *testing.F) {
	for _, seed := range []pgproto3.Bind{{}, {DestinationPortal: "p", PreparedStatement: "s", ParameterFormatCodes: []int16{1},
		Parameters: [][]byte{[]byte("id"), nil, {}}, ResultFormatCodes: []int16{0, 1}}} {
		encoded, err := seed.Encode(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded[headerSize:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := decodeBind(string(body))
		var want pgproto3.Bind
		if want.Decode(body) != nil {
			return
		}
		if got.portal != want.DestinationPortal || got.statement != want.PreparedStatement || len(got.parameters) != len(want.Parameters) {
			t.Fatalf("%+v, want %+v", got, want)
		}
		for i, parameter := range got.parameters {
			if !bytes.Equal([]byte(parameter.Reveal()), want.Parameters[i]) {
				t.Errorf("parameter %d: %q, want %q", i+1, parameter.Reveal(), want.Parameters[i])
			}
		}
	})
}

func FuzzGreeting(f *testing.F) {
	startup, err := (&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u"}}).Encode(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(startup)
	f.Fuzz(func(t *testing.T, stream []byte) {
		packet, err := readGreeting(bytes.NewReader(stream))
		if err != nil {
			return
		}
		got := user(packet)
		var want pgproto3.StartupMessage
		if want.Decode(packet[4:]) == nil && want.Parameters["user"] != got && strings.Count(string(packet), "user\x00") == 1 {
			t.Errorf("%q, want %q", got, want.Parameters["user"])
		}
	})
}

func secrets(ids ...string) []secret.Text {
	var made []secret.Text
	for _, id := range ids {
		made = append(made, secret.New(id))
	}
	return made
}

func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	var r record
	id := strings.Repeat("watched!", 4)
	add := func(text string) { r.add(newEntry(1, trace.Simple, text, nil)) }
	for range 2 * recentCount {
		add("SELECT 1")
	}
	if len(r.recent) != recentCount {
		t.Error(len(r.recent))
	}
	for range 5 {
		add(strings.Repeat("x", whole-overhead))
	}
	if len(r.recent) != 2 || r.held > recentBytes {
		t.Error(len(r.recent), r.held)
	}
	r.watch(secrets(id))
	for range keptCount + 10 {
		add(id)
	}
	if r.counts.Dropped != 10 || len(r.statements()) != keptCount {
		t.Errorf("%+v", r.counts)
	}
	var heavy record
	heavy.watch(secrets(id))
	for range 20 {
		heavy.add(newEntry(1, trace.Simple, id+strings.Repeat("x", whole-200), nil))
	}
	if kept := len(heavy.statements()); kept > 8 || heavy.counts.Dropped != int64(20-kept) || heavy.weight > keptBytes {
		t.Error(kept, heavy.counts)
	}
	for i := range 300 {
		r.login(strings.Repeat("u", i))
	}
	if len(r.users) != maxUsers {
		t.Error(len(r.users))
	}
}
