package tap

import (
	"encoding/binary"
	"errors"
	"math"
)

const (
	headerSize = 5
	// whole is the largest body that is looked at in full; of larger ones it
	// is the first head bytes.
	whole = 1 << 20
	head  = 64 << 10
)

var errFrame = errors.New("a frame with an impossible length")

// frame is one message of the protocol, as much of it as was asked for.
type frame struct {
	kind byte
	size int    // of the body
	body []byte // valid until the handler returns; shorter than size when cut
}

// scanner finds the frames in a stream that passes in pieces of any size. It
// copies nothing but bodies that were asked for and span pieces.
type scanner struct {
	wants  func(kind byte) int // how much of a body of that kind, at most, to hand over
	handle func(frame)

	header [headerSize]byte
	have   int // bytes of the header
	within bool
	left   int // bytes of the body still to pass
	want   int // bytes of the body to collect
	body   []byte
	now    frame
}

// feed takes the next piece of the stream. After an error the stream is lost.
func (s *scanner) feed(piece []byte) error {
	for len(piece) > 0 {
		if !s.within {
			n := copy(s.header[s.have:], piece)
			s.have, piece = s.have+n, piece[n:]
			if s.have < headerSize {
				return nil
			}
			if err := s.open(); err != nil {
				return err
			}
		}
		n := min(s.left, len(piece))
		s.take(piece[:n])
		piece = piece[n:]
	}
	return nil
}

func (s *scanner) open() error {
	length := binary.BigEndian.Uint32(s.header[1:]) // counts itself
	if length < 4 || length > math.MaxInt32 {
		return errFrame
	}
	s.have, s.within, s.left = 0, true, int(length)-4
	s.now = frame{kind: s.header[0], size: s.left}
	s.want = min(s.left, s.wants(s.now.kind))
	if s.left > whole {
		s.want = min(s.want, head)
	}
	return nil
}

// take is given the next part of the body, the last one included.
func (s *scanner) take(part []byte) {
	complete := len(part) == s.left
	wanted := part[:min(len(part), s.want-len(s.body))]
	s.left -= len(part)
	if complete && len(s.body) == 0 {
		s.now.body = wanted // in one piece, as most are
	} else {
		s.body = append(s.body, wanted...)
		s.now.body = s.body
	}
	if !complete {
		return
	}
	s.handle(s.now)
	s.within, s.now, s.body = false, frame{}, s.body[:0]
	if cap(s.body) > head {
		s.body = nil
	}
}
