package tap

import (
	"encoding/binary"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// The decoders here read as far as there is something to read, where those of
// pgproto3 want whole messages: of a large one only its head is at hand.

// zeroTerminated cuts one of the protocol's strings off.
func zeroTerminated(body string) (value, rest string) {
	value, rest, _ = strings.Cut(body, "\x00")
	return value, rest
}

// bind is the message that gives parameters to a prepared statement.
type bind struct {
	portal, statement string
	parameters        []secret.Text
}

func decodeBind(body string) bind {
	var b bind
	b.portal, body = zeroTerminated(body)
	b.statement, body = zeroTerminated(body)
	formats, body := count(body)
	body = body[min(2*formats, len(body)):]
	parameters, body := count(body)
	for range parameters {
		if len(body) < 4 {
			break
		}
		size := int(int32(binary.BigEndian.Uint32([]byte(body[:4]))))
		body = body[4:]
		value := body[:min(max(size, 0), len(body))] // -1 is NULL
		b.parameters = append(b.parameters, secret.New(value))
		body = body[len(value):]
	}
	return b
}

func count(body string) (number int, rest string) {
	if len(body) < 2 {
		return 0, ""
	}
	return int(body[0])<<8 | int(body[1]), body[2:]
}
