package idquality

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Clock is the time found inside the ids of a sample.
type Clock struct {
	Format string // for a reader: "UUIDv1", "a count of seconds"
	// Rest is an upper bound of the bits that are left without the time: what
	// an attacker has to guess who knows when the id was made.
	Rest float64
	// Sortable formats put the time before a random part of 74 bits and more,
	// by a published layout.
	Sortable bool
}

// tolerance is how far the clock of the API may be from ours.
const tolerance = 5 * time.Second

// mostMisses is how many of a hundred ids may not show the time.
const mostMisses = 5

// FindClock looks for a part of the ids that tells when each was issued, within
// five seconds, in 95 of 100 of them: in the layouts of UUID, ULID, KSUID, xid
// and snowflake, and in every window of digits, hex digits and bytes, in
// seconds to nanoseconds. Of several the one that leaves the least is given.
//
// A window of 32 bits is right by chance with 11/2^32, so that 19 of 20 ids are
// with less than 2^-500; all windows of a long id together change little.
func FindClock(issues []Issue) (Clock, bool) {
	if len(issues) < 2 {
		return Clock{}, false
	}
	texts := reveal(IDs(issues))
	if clock, found := leastRest(layouts(texts), issues); found {
		return clock, true
	}
	return leastRest(views(texts), issues)
}

// leastRest is the clock among the windows that leaves the least.
func leastRest(views []view, issues []Issue) (Clock, bool) {
	best, found := Clock{Rest: math.Inf(1)}, false
	for _, view := range views {
		for _, window := range view.windows {
			if !window.tells(view.texts, issues) {
				continue
			}
			clock := Clock{Format: window.format, Rest: window.rest(view.texts), Sortable: window.sortable}
			if clock.Rest < best.Rest {
				best, found = clock, true
			}
		}
	}
	return best, found
}

// view is the sample in a form in which places can be cut out.
type view struct {
	texts   []string
	windows []window
}

// window is a part of a text that is a count of time.
type window struct {
	format   string
	sortable bool
	from, to int
	base     int
	swapped  bool // hex of little-endian bytes
	shift    uint // low bits that are no time: a sequence, a node
	epoch    int64
	unit     time.Duration
}

// The zero of a count, in seconds since 1970.
const (
	gregorian  = -12219292800 // 1582-10-15, RFC 9562 §5.1
	ksuidEpoch = 1400000000
	cockroach  = 1420070400 // 2015-01-01, CockroachDB's unique_rowid
	discord    = 1420070400
	sonyflake  = 1409529600 // 2014-09-01
)

// twitter is the zero of the first snowflakes, in milliseconds.
const twitter = 1288834974657

func (w window) tells(texts []string, issues []Issue) bool {
	missed := 0
	for i, text := range texts {
		when, ok := w.read(text)
		if ok && when > issues[i].From.Add(-tolerance).UnixNano() && when < issues[i].To.Add(tolerance).UnixNano() {
			continue
		}
		if missed++; missed*100 > mostMisses*len(texts) {
			return false
		}
	}
	return true
}

// read gives nanoseconds since 1970.
func (w window) read(text string) (int64, bool) {
	if w.to > len(text) {
		return 0, false
	}
	var count uint64
	for i := w.from; i < w.to; i++ {
		place := i
		if w.swapped { // pairs of hex digits from the last
			place = w.to - 2 - (i-w.from)/2*2 + (i-w.from)%2
		}
		digit := digitOf(text[place], w.base)
		if digit < 0 || count > math.MaxUint64/uint64(w.base)-uint64(w.base) {
			return 0, false
		}
		count = count*uint64(w.base) + uint64(digit)
	}
	count >>= w.shift
	if count > math.MaxInt64/uint64(w.unit) {
		// 100 ns since 1582 do not fit into nanoseconds; split them.
		perSecond := uint64(time.Second / w.unit)
		seconds := int64(count/perSecond) + w.epoch
		if seconds < 0 || seconds > math.MaxInt64/int64(time.Second)-1 {
			return 0, false
		}
		return seconds*int64(time.Second) + int64(count%perSecond)*int64(w.unit), true
	}
	return int64(count)*int64(w.unit) + w.epoch*int64(time.Second), true
}

func digitOf(char byte, base int) int {
	digit := -1
	switch {
	case char >= '0' && char <= '9':
		digit = int(char - '0')
	case char >= 'a' && char <= 'z':
		digit = int(char-'a') + 10
	case base <= 36 && char >= 'A' && char <= 'Z':
		digit = int(char-'A') + 10
	}
	if digit >= base {
		return -1
	}
	return digit
}

// rest is what the ids hold outside the window.
func (w window) rest(texts []string) float64 {
	left := make([]string, len(texts))
	for i, text := range texts {
		if w.to <= len(text) {
			left[i] = text[:w.from] + text[w.to:]
			if w.shift > 0 { // the low bits stay
				left[i] += lowBits(text[w.from:w.to], w.base, w.shift)
			}
		}
	}
	return room(left)
}

// room is an upper bound of what texts hold: for each place that changes the
// alphabet in use, and where it shows few values only, as the number of a
// worker process would, those. A random hex digit shows five values or fewer in
// 40 ids with less than 1e-16, so that the bound stays an upper one.
func room(texts []string) float64 {
	places, alphabet := varying(texts)
	width, total := math.Log2(float64(alphabet)), 0.0
	for _, symbols := range places {
		if symbols <= len(texts)/8 {
			total += min(width, math.Log2(float64(symbols)))
			continue
		}
		total += width
	}
	return total
}

func lowBits(text string, base int, shift uint) string {
	value, ok := new(big.Int).SetString(text, base)
	if !ok {
		return ""
	}
	return value.And(value, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), shift), big.NewInt(1))).Text(2)
}

// views are the forms in which the sample can hold a time.
func views(texts []string) []view {
	var made []view
	shortest := len(texts[0])
	for _, text := range texts {
		shortest = min(shortest, len(text))
	}
	made = append(made, view{texts, slide(shortest, 1, decimalWindows, 10)})
	if all(texts, wordText.MatchString) {
		made = append(made, view{texts, slide(shortest, 1, base36Windows, 36)})
	}
	plain := texts
	if all(texts, uuid.MatchString) {
		plain = without(texts, "-")
	}
	if all(plain, hexText.MatchString) {
		made = append(made, view{plain, append(slide(len(plain[0]), 1, hexWindows, 16), swappedWindows(len(plain[0]))...)})
		return made
	}
	if raw, decodes := decodeAll(texts); decodes {
		coded := hexes(raw)
		made = append(made, view{coded, append(slide(len(coded[0]), 2, hexWindows, 16), swappedWindows(len(coded[0]))...)})
	}
	return made
}

// count is a width of digits and the unit whose count has it these decades. The
// widest come first: of windows that leave nothing the first is reported.
type count struct {
	digits int
	unit   time.Duration
	noun   string
}

var (
	decimalWindows = []count{{19, 1, "nanoseconds"}, {16, time.Microsecond, "microseconds"}, {13, time.Millisecond, "milliseconds"}, {10, time.Second, "seconds"}}
	hexWindows     = []count{{16, 1, "nanoseconds"}, {16, time.Microsecond, "microseconds"}, {14, time.Microsecond, "microseconds"}, {13, time.Microsecond, "microseconds"},
		{12, time.Millisecond, "milliseconds"}, {11, time.Millisecond, "milliseconds"}, {8, time.Second, "seconds"}}
	base36Windows = []count{{8, time.Millisecond, "milliseconds"}}
)

// widest bounds the places looked at: ids are not longer, and the target chooses.
const widest = 512

func slide(length, step int, counts []count, base int) []window {
	var windows []window
	for _, c := range counts {
		for from := 0; from+c.digits <= min(length, widest); from += step {
			windows = append(windows, window{format: "a count of " + c.noun, from: from, to: from + c.digits, base: base, unit: c.unit})
		}
	}
	return windows
}

func swappedWindows(length int) []window {
	var windows []window
	for _, c := range hexWindows {
		for from := 0; c.digits%2 == 0 && from+c.digits <= min(length, widest); from += 2 {
			windows = append(windows, window{format: "a count of " + c.noun + ", lowest byte first", from: from, to: from + c.digits, base: 16, swapped: true, unit: c.unit})
		}
	}
	return windows
}

var (
	hexText   = regexp.MustCompile(`^[0-9a-fA-F]+$`)
	ulidText  = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$`)
	ksuidText = regexp.MustCompile(`^[0-9A-Za-z]{27}$`)
	xidText   = regexp.MustCompile(`^[0-9a-v]{20}$`)
	objectID  = regexp.MustCompile(`^[0-9a-f]{24}$`)
	wordText  = regexp.MustCompile(`^[0-9A-Za-z_.:|-]+$`)
	rowID     = regexp.MustCompile(`^[0-9]{15,20}$`)
)

// layouts are the published formats that all ids have, rewritten so that the
// time stands in hex before the rest.
func layouts(texts []string) []view {
	var made []view
	add := func(shape func(string) bool, rewrite func(string) string, windows ...window) {
		if all(texts, shape) {
			rewritten := make([]string, len(texts))
			for i, text := range texts {
				rewritten[i] = rewrite(text)
			}
			made = append(made, view{rewritten, windows})
		}
	}
	// RFC 9562 §5.1, §5.6, §5.7. The version is a digit that never changes.
	add(uuidText("1"), func(u string) string { return u[15:18] + u[9:13] + u[:8] + u[19:23] + u[24:] },
		window{format: "UUIDv1", to: 15, base: 16, epoch: gregorian, unit: 100})
	add(uuidText("6"), func(u string) string { return u[:8] + u[9:13] + u[15:18] + u[19:23] + u[24:] },
		window{format: "UUIDv6", to: 15, base: 16, epoch: gregorian, unit: 100})
	add(uuidText("7"), func(u string) string { return strings.ReplaceAll(u, "-", "") },
		window{format: "UUIDv7", sortable: true, to: 12, base: 16, unit: time.Millisecond})
	add(ulidText.MatchString, func(u string) string { return inHex(strings.ToUpper(u), crockford, 26, 32) }, // 130 bits, two of them zero
		window{format: "ULID", sortable: true, to: 12, base: 16, unit: time.Millisecond})
	add(ksuidText.MatchString, func(u string) string { return inHex(u, base62, 27, 40) },
		window{format: "KSUID", sortable: true, to: 8, base: 16, epoch: ksuidEpoch, unit: time.Second})
	add(xidText.MatchString, func(u string) string { return inHex(u, base32hex, 20, 25)[:24] },
		window{format: "xid", to: 8, base: 16, unit: time.Second})
	add(objectID.MatchString, func(u string) string { return u },
		window{format: "ObjectId", to: 8, base: 16, unit: time.Second})
	padded := func(text string) string { return strings.Repeat("0", 20-len(text)) + text }
	flake := func(format string, shift uint, epochMilli int64, unit time.Duration) {
		add(rowID.MatchString, padded, window{format: format, to: 20, base: 10, shift: shift, epoch: epochMilli / 1000, unit: unit})
	}
	flake("snowflake", 22, twitter, time.Millisecond) // the zero is rounded to its second
	flake("snowflake", 22, discord*1000, time.Millisecond)
	flake("snowflake", 22, 0, time.Millisecond)
	flake("sonyflake", 24, sonyflake*1000, 10*time.Millisecond)
	flake("unique_rowid of CockroachDB", 15, cockroach*1000, 10*time.Microsecond)
	return made
}

const (
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base32hex = "0123456789abcdefghijklmnopqrstuv"
)

// inHex rewrites a number of so many digits as so many hex digits.
func inHex(text, digits string, length, width int) string {
	value, base := new(big.Int), big.NewInt(int64(len(digits)))
	for i := range length {
		value.Add(value.Mul(value, base), big.NewInt(int64(max(0, strings.IndexByte(digits, text[i])))))
	}
	coded := value.Text(16)
	if len(coded) > width {
		return coded[len(coded)-width:]
	}
	return strings.Repeat("0", width-len(coded)) + coded
}

// uuidText is a UUID of that version.
func uuidText(version string) func(string) bool {
	return func(text string) bool { return uuid.MatchString(text) && text[14:15] == version }
}

func all(texts []string, shape func(string) bool) bool {
	for _, text := range texts {
		if !shape(text) {
			return false
		}
	}
	return len(texts) > 0
}

func without(texts []string, part string) []string {
	left := make([]string, len(texts))
	for i, text := range texts {
		left[i] = strings.ReplaceAll(text, part, "")
	}
	return left
}
