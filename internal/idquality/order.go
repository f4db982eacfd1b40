package idquality

import (
	"encoding/hex"
	"math"
	"math/big"
	"regexp"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Predicted looks for ids that were known before they were issued: where the
// two ids before have the same step between them and after it. For each id of
// the series from the third on, it computes the next one and compares. It
// returns how many came out exactly and how many could have. An id that differs
// from the prediction in a single bit is not counted.
//
// An id of b random bits comes out by chance with 2^-b, and each of the dozen
// ways to read one is another chance: two of 40 ids of 64 bits with less than
// 12 * C(40,2) * 2^-128 < 2^-114.
func Predicted(ids []secret.Text) (hits, tries int) {
	texts := reveal(ids)
	for _, read := range readings {
		hit, tried := predictedBy(read, texts)
		if hit > hits || hit == hits && tried > tries {
			hits, tries = hit, tried
		}
	}
	return hits, tries
}

func predictedBy(read reading, texts []string) (hits, tries int) {
	var window []number
	for _, text := range texts {
		next, ok := read(text)
		if !ok {
			window = nil
			continue
		}
		window = append(window, next)
		if len(window) < 4 {
			continue
		}
		a, b, c, d := window[len(window)-4], window[len(window)-3], window[len(window)-2], window[len(window)-1]
		tries++
		if step := c.minus(b); step != nil && same(step, b.minus(a)) && same(step, d.minus(c)) {
			hits++
		}
	}
	return hits, tries
}

// number is an id as whole numbers with text between them. Equal numbers of
// equal shape are equal ids.
type number struct {
	shape string
	parts []*big.Int
}

// minus is the step from another number; nil where there is none.
func (n number) minus(other number) []*big.Int {
	if n.shape != other.shape || len(n.parts) != len(other.parts) {
		return nil
	}
	var step []*big.Int
	moves := false
	for i := range n.parts {
		step = append(step, new(big.Int).Sub(n.parts[i], other.parts[i]))
		moves = moves || step[i].Sign() != 0
	}
	if !moves {
		return nil
	}
	return step
}

func same(a, b []*big.Int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Cmp(b[i]) != 0 {
			return false
		}
	}
	return true
}

// reading is one way to read an id as numbers.
type reading func(text string) (number, bool)

var readings = []reading{
	decimalRuns, hexFields,
	inAlphabet("0123456789abcdefghijklmnopqrstuvwxyz"),
	inAlphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
	inAlphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
	inAlphabet("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
	inAlphabet("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
	asBytes(false), asBytes(true),
}

var decimalRun = regexp.MustCompile(`[0-9]+`)

// decimalRuns reads user-0042-x as 42. A run with leading zeros tells its width.
func decimalRuns(text string) (number, bool) {
	var n number
	n.shape = decimalRun.ReplaceAllStringFunc(text, func(run string) string {
		value, _ := new(big.Int).SetString(run, 10)
		n.parts = append(n.parts, value)
		return "\x00"
	})
	return n, len(n.parts) > 0 && len(n.parts) <= 8
}

var fieldEnd = regexp.MustCompile(`[-_.:|~]`)

// hexFields reads each field between delimiters as a hex number, if it is one.
func hexFields(text string) (number, bool) {
	var n number
	if len(text) > 1024 {
		return n, false
	}
	for _, field := range fieldEnd.Split(text, -1) {
		value, ok := new(big.Int).SetString(field, 16)
		if !ok || strings.ContainsAny(field, "+_") {
			n.shape += field + "\x01"
			continue
		}
		n.parts = append(n.parts, value)
		n.shape += "\x00"
	}
	return n, len(n.parts) > 0
}

func inAlphabet(digits string) reading {
	base := big.NewInt(int64(len(digits)))
	return func(text string) (number, bool) {
		value := new(big.Int)
		if len(text) > 128 {
			return number{}, false
		}
		for i := range len(text) {
			digit := strings.IndexByte(digits, text[i])
			if digit < 0 {
				return number{}, false
			}
			value.Add(value.Mul(value, base), big.NewInt(int64(digit)))
		}
		return number{parts: []*big.Int{value}}, text != ""
	}
}

// asBytes reads the decoded id as one number. A counter in a window of it moves
// the whole by a constant step, whichever the window is.
func asBytes(littleEndian bool) reading {
	return func(text string) (number, bool) {
		raw, ok := decode(text)
		if !ok || len(raw) > 256 {
			return number{}, false
		}
		if littleEndian {
			raw = reversed(raw)
		}
		return number{shape: hex.EncodeToString([]byte{byte(len(raw))}), parts: []*big.Int{new(big.Int).SetBytes(raw)}}, true
	}
}

func reversed(raw []byte) []byte {
	turned := make([]byte, len(raw))
	for i, octet := range raw {
		turned[len(raw)-1-i] = octet
	}
	return turned
}

// Ascents is how far the number of ids that are larger than the one before is
// from what chance gives, in standard deviations: (a-(n-1)/2)/sqrt((n+1)/12).
// Beyond eight the ids are ordered (p < 1e-15). Ordered ids need not be
// predictable: UUIDv7 and ULID are not.
func Ascents(ids []secret.Text) float64 {
	texts := reveal(ids)
	if len(texts) < 3 {
		return 0
	}
	raw, decodes := decodeAll(texts)
	if decodes {
		texts = hexes(raw)
	}
	ascents := 0
	for i := 1; i < len(texts); i++ {
		if len(texts[i]) > len(texts[i-1]) || len(texts[i]) == len(texts[i-1]) && texts[i] > texts[i-1] {
			ascents++
		}
	}
	n := float64(len(texts))
	return (float64(ascents) - (n-1)/2) / math.Sqrt((n+1)/12)
}
