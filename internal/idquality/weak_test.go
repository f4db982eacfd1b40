package idquality_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	oldrand "math/rand"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// source makes samples that are the same in every run.
type source struct{ *rand.Rand }

func seeded(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 7))} }

func (s source) bytes(n int) []byte {
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(s.Uint32())
	}
	return raw
}

func (s source) pick(alphabet string, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = alphabet[s.IntN(len(alphabet))]
	}
	return string(text)
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// strong are generators of ids that no test may complain about. Those of 64
// bits are as short as ids may be.
var strong = map[string]func(source) string{
	"128 bits of hex":       func(s source) string { return hex.EncodeToString(s.bytes(16)) },
	"64 bits of hex":        func(s source) string { return hex.EncodeToString(s.bytes(8)) },
	"256 bits of base64url": func(s source) string { return base64.RawURLEncoding.EncodeToString(s.bytes(32)) },
	"64 bits of base64url":  func(s source) string { return base64.RawURLEncoding.EncodeToString(s.bytes(8)) },
	"base64 with padding":   func(s source) string { return base64.StdEncoding.EncodeToString(s.bytes(20)) },
	"11 characters of 62":   func(s source) string { return s.pick(base62, 11) },
	"22 characters of 62":   func(s source) string { return s.pick(base62, 22) },
	"20 digits":             func(s source) string { return s.pick("0123456789", 20) },
	"UUIDv4":                func(s source) string { return uuidOf(s.bytes(16), 4) },
	"signed by Express":     func(s source) string { return "s:" + s.pick(base62, 32) + "." + s.pick(base62, 43) },
	"a prefix and 128 bits": func(s source) string { return "sess_live_" + hex.EncodeToString(s.bytes(16)) },
}

func uuidOf(raw []byte, version byte) string {
	raw[6], raw[8] = raw[6]&0x0f|version<<4, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:16])
}

var start = time.Date(2026, 3, 14, 9, 26, 53, 589_793_000, time.UTC)

// sample is n ids, issued 7 ms after each other within half a millisecond each.
func sample(n int, made func(i int, at time.Time) string) []idquality.Issue {
	issues := make([]idquality.Issue, n)
	for i := range issues {
		from := start.Add(time.Duration(i) * 7 * time.Millisecond)
		issues[i] = idquality.Issue{ID: secret.New(made(i, from.Add(200*time.Microsecond))), From: from, To: from.Add(500 * time.Microsecond),
			Known: []secret.Text{secret.New("alice"), secret.New("alice@example.test")}}
	}
	return issues
}

// Thousands of samples of strong ids raise no alarm, in either profile's size.
func TestStrongIDsRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	for name, draw := range strong {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []struct {
				n, runs int
				least   float64 // of the entropy that the catalogue asks of so many ids
			}{{10, 200, 40}, {40, 80, 44}, {200, 4, 64}} {
				for run := range size.runs {
					random := seeded(uint64(run))
					issues := sample(size.n, func(int, time.Time) string { return draw(random) })
					ids := idquality.IDs(issues)
					if bits := idquality.Entropy(ids); bits < size.least {
						t.Fatalf("run %d of %d ids: %.1f bits", run, size.n, bits)
					}
					if hits, _ := idquality.Predicted(ids); hits > 0 {
						t.Fatalf("run %d of %d ids: %d predicted", run, size.n, hits)
					}
					if clock, found := idquality.FindClock(issues); found {
						t.Fatalf("run %d of %d ids: %+v", run, size.n, clock)
					}
					if z := idquality.Ascents(ids); z > 8 || z < -8 {
						t.Fatalf("run %d of %d ids: ascents %.1f", run, size.n, z)
					}
				}
			}
		})
	}
}

func TestStrongIDsAreNotGuessed(t *testing.T) {
	t.Parallel()
	for name, draw := range strong {
		for run := range 3 {
			random := seeded(uint64(run))
			issues := sample(40, func(int, time.Time) string { return draw(random) })
			if guess, found := idquality.FindGuess(issues, idquality.Quick); found {
				t.Errorf("%s, run %d: %+v", name, run, guess)
			}
			if hits := idquality.TwisterSeeded(issues) + idquality.GoSeeded(issues); hits > 0 {
				t.Errorf("%s, run %d: %d of a seeded generator", name, run, hits)
			}
			for i := range issues {
				issues[i].Before = secret.New(draw(random))
			}
			if way, hits, _ := idquality.Derived(issues); hits > 0 {
				t.Errorf("%s, run %d: %d derived: %s", name, run, hits, way)
			}
		}
		random := seeded(99)
		issues := sample(2000, func(int, time.Time) string { return draw(random) })
		if hits := idquality.TwisterPredicts(idquality.IDs(issues)); hits > 0 {
			t.Errorf("%s: %d predicted of the twister", name, hits)
		}
	}
}

func TestCountersArePredicted(t *testing.T) {
	t.Parallel()
	random := seeded(1)
	prefix, tail := hex.EncodeToString(random.bytes(8)), random.bytes(8)
	for name, made := range map[string]func(i int) string{
		"decimal":               func(i int) string { return strconv.Itoa(995 + i) },
		"decimal with zeros":    func(i int) string { return fmt.Sprintf("user-%08d-x", 95+i) },
		"every seventh":         func(i int) string { return strconv.Itoa(1_000_000 - 7*i) },
		"hex":                   func(i int) string { return fmt.Sprintf("%032x", 0xfffffff0+i) },
		"a field of hex":        func(i int) string { return fmt.Sprintf("%s:%x:eu", prefix, 250+i) },
		"little-endian base64":  func(i int) string { return littleEndian(uint64(250+i), tail) },
		"base 36":               func(i int) string { return strconv.FormatInt(int64(1_000_000+i), 36) },
		"base 62":               func(i int) string { return inBase62(int64(1_000_000 + i)) },
		"a UUID that counts up": func(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", 250+i) },
	} {
		for _, n := range []int{6, 40} {
			hits, tries := idquality.Predicted(idquality.IDs(sample(n, func(i int, _ time.Time) string { return made(i) })))
			if hits < n-5 || tries != n-3 {
				t.Errorf("%s: %d of %d ids predicted, of %d that could be", name, hits, n, tries)
			}
		}
	}
}

func littleEndian(value uint64, tail []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(binary.LittleEndian.AppendUint64(nil, value), tail...))
}

func inBase62(value int64) string {
	text := ""
	for ; value > 0; value /= 62 {
		text = string(base62[value%62]) + text
	}
	return text
}

// A jump costs the predictions beside it alone; the same id again is none.
func TestPredictionsNeedASteadyStep(t *testing.T) {
	t.Parallel()
	values := []int{1, 2, 3, 4, 5, 9, 10, 11, 12, 13}
	hits, tries := idquality.Predicted(idquality.IDs(sample(len(values), func(i int, _ time.Time) string { return strconv.Itoa(values[i]) })))
	if hits != 4 || tries != 7 {
		t.Errorf("%d of %d", hits, tries)
	}
	if hits, _ := idquality.Predicted(idquality.IDs(sample(20, func(int, time.Time) string { return "42" }))); hits != 0 {
		t.Errorf("%d predictions of an id that stays", hits)
	}
}

func TestEntropySeesWhatCapacityDoesNot(t *testing.T) {
	t.Parallel()
	random := seeded(3)
	made := func(int, time.Time) string {
		raw := make([]byte, 48)
		for i := range raw {
			raw[i] = 'A' + byte(random.IntN(2))
		}
		return string(raw)
	}
	for _, n := range []int{16, 40, 200} {
		ids := idquality.IDs(sample(n, made))
		if bits := idquality.Entropy(ids); bits < 45 || bits > 52 {
			t.Errorf("%d ids of 48 bits: at most %.1f", n, bits)
		}
	}
	if bits := idquality.Entropy(idquality.IDs(sample(1, made))); bits != 0 {
		t.Errorf("one id: %.1f bits", bits)
	}
}

func TestAscents(t *testing.T) {
	t.Parallel()
	if z := idquality.Ascents(idquality.IDs(sample(200, func(i int, _ time.Time) string { return strconv.Itoa(i * i) }))); z < 24.2 || z > 24.4 {
		t.Errorf("200 ids that ascend: %.2f, want 24.3", z) // probes.md §3
	}
}

func TestClocksAreFound(t *testing.T) {
	t.Parallel()
	random := seeded(5)
	node := random.bytes(8)
	ticks := func(at time.Time) uint64 { return uint64(at.UnixNano()/100) + 122192928000000000 }
	for name, test := range map[string]struct {
		made     func(i int, at time.Time) string
		format   string
		least    float64
		most     float64
		sortable bool
	}{
		"UUIDv1": {func(_ int, at time.Time) string {
			c := ticks(at)
			return fmt.Sprintf("%08x-%04x-1%03x-%x-%x", uint32(c), uint16(c>>32), c>>48&0xfff, []byte{0x9a, 0x01}, node[:6])
		}, "UUIDv1", 0, 0, false},
		"UUIDv6": {func(_ int, at time.Time) string {
			c := ticks(at)
			return fmt.Sprintf("%08x-%04x-6%03x-%x-%x", uint32(c>>28), uint16(c>>12), c&0xfff, []byte{0x9a, 0x01}, node[:6])
		}, "UUIDv6", 0, 0, false},
		"UUIDv7": {func(_ int, at time.Time) string {
			raw := append(milli48(at), random.bytes(10)...)
			return uuidOf(raw, 7)
		}, "UUIDv7", 70, 80, true},
		"ULID": {func(_ int, at time.Time) string {
			value := new(big.Int).SetBytes(append(milli48(at), random.bytes(10)...))
			text := make([]byte, 26)
			for i := 25; i >= 0; i-- {
				text[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[new(big.Int).And(value, big.NewInt(31)).Int64()]
				value.Rsh(value, 5)
			}
			return string(text)
		}, "ULID", 76, 86, true},
		"KSUID": {func(_ int, at time.Time) string {
			raw := binary.BigEndian.AppendUint32(nil, uint32(at.Unix()-1400000000))
			value := new(big.Int).SetBytes(append(raw, random.bytes(16)...))
			return pad(value.Text(62), 27)
		}, "KSUID", 120, 135, true},
		"ObjectId": {func(i int, at time.Time) string { return fmt.Sprintf("%08x%x%06x", at.Unix(), node[:5], 0xa0b0c0+i) }, "ObjectId", 0, 24, false},
		"xid": {func(i int, at time.Time) string {
			raw := append(binary.BigEndian.AppendUint32(nil, uint32(at.Unix())), node[:5]...)
			return base32hex(append(raw, 0xa0, 0xb0, byte(i)))
		}, "xid", 0, 24, false},
		"snowflake": {func(i int, at time.Time) string {
			return strconv.FormatInt((at.UnixMilli()-1288834974657)<<22|5<<12|int64(i), 10)
		}, "snowflake", 0, 24, false},
		"unique_rowid": {func(_ int, at time.Time) string {
			return strconv.FormatInt((at.UnixNano()-1420070400e9)/10_000<<15|1, 10)
		}, "unique_rowid of CockroachDB", 0, 16, false},
		"nanoseconds":   {func(_ int, at time.Time) string { return strconv.FormatInt(at.UnixNano(), 10) }, "a count of nanoseconds", 0, 0, false},
		"hex, reversed": {func(_ int, at time.Time) string { return fmt.Sprintf("%016x", swap(uint64(at.UnixNano()))) }, "a count of nanoseconds, lowest byte first", 0, 0, false},
		"PHP's uniqid": {func(i int, at time.Time) string {
			return fmt.Sprintf("%08x%05x", at.Unix(), at.UnixMicro()%1e6+int64(i))
		}, "a count of seconds", 0, 24, false},
		"base 36 in text": {func(_ int, at time.Time) string {
			return "s-" + strconv.FormatInt(at.UnixMilli(), 36) + "-" + random.pick("abcdef", 6)
		}, "a count of milliseconds", 10, 40, false},
		"base64 of bytes": {func(_ int, at time.Time) string {
			return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint32(node[:2:2], uint32(at.Unix())), random.bytes(4)...))
		}, "a count of seconds", 30, 34, false},
		"beside 128 bits": {func(_ int, at time.Time) string { return fmt.Sprintf("%d.%x", at.Unix(), random.bytes(16)) }, "a count of seconds", 120, 135, false},
	} {
		for _, n := range []int{20, 200} {
			clock, found := idquality.FindClock(sample(n, test.made))
			if !found || clock.Format != test.format || clock.Rest < test.least || clock.Rest > test.most+5 || clock.Sortable != test.sortable {
				t.Errorf("%s, %d ids: %t %+v", name, n, found, clock)
			}
		}
	}
}

func swap(value uint64) uint64 {
	return binary.BigEndian.Uint64(binary.LittleEndian.AppendUint64(nil, value))
}

func milli48(at time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))[2:]
}

func pad(text string, width int) string {
	// math/big writes lower case before upper case, KSUID the other way round.
	turned := make([]byte, 0, width)
	for range width - len(text) {
		turned = append(turned, '0')
	}
	for _, char := range []byte(text) {
		if char >= 'a' && char <= 'z' {
			char -= 32
		} else if char >= 'A' && char <= 'Z' {
			char += 32
		}
		turned = append(turned, char)
	}
	return string(turned)
}

func base32hex(raw []byte) string {
	value := new(big.Int).Lsh(new(big.Int).SetBytes(raw), 4) // 96 bits in 20 digits of five
	text := value.Text(32)
	for len(text) < 20 {
		text = "0" + text
	}
	return text
}

// A clock that is wrong by more than the tolerance is not the time of issue.
func TestAClockMustTellTheTimeOfIssue(t *testing.T) {
	t.Parallel()
	old := func(_ int, at time.Time) string { return strconv.FormatInt(at.Add(-time.Hour).UnixNano(), 10) }
	if clock, found := idquality.FindClock(sample(40, old)); found {
		t.Errorf("%+v", clock)
	}
}

func TestGuessesAreFound(t *testing.T) {
	t.Parallel()
	digest := func(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
	for name, test := range map[string]struct {
		made   func(i int, at time.Time) string
		recipe string
	}{
		"a counter":        {func(i int, _ time.Time) string { return digest(strconv.Itoa(1234 + i)) }, "md5 of a number"},
		"seconds":          {func(_ int, at time.Time) string { return digest(strconv.FormatInt(at.Unix(), 10)) }, "md5 of the time in seconds"},
		"name and seconds": {func(_ int, at time.Time) string { return digest("alice" + strconv.FormatInt(at.Unix(), 10)) }, "md5 of the user's name or address and the time in seconds"},
		"address, bar, millis": {func(_ int, at time.Time) string {
			return digest("alice@example.test|" + strconv.FormatInt(at.UnixMilli(), 10))
		}, "md5 of the user's name or address and the time in milliseconds"},
		"the name": {func(int, time.Time) string { return digest("alice") }, "md5 of a word the attacker knows, the user's name or address"},
		"Python's time.time()": {func(_ int, at time.Time) string {
			return digest(strconv.FormatFloat(float64(at.UnixNano())/1e9, 'f', -1, 64))
		}, "md5 of the time in seconds with a fraction"},
		"sha256 in base64url": {func(i int, _ time.Time) string {
			sum := sha256.Sum256([]byte(strconv.Itoa(i)))
			return base64.RawURLEncoding.EncodeToString(sum[:])
		}, "sha256 of a number"},
		"sha256, cut to 128 bits": {func(i int, _ time.Time) string {
			sum := sha256.Sum256([]byte(strconv.Itoa(i)))
			return hex.EncodeToString(sum[:16])
		}, "sha256 of a number"},
	} {
		guess, found := idquality.FindGuess(sample(40, test.made), idquality.Quick)
		if !found || guess.Recipe != test.recipe || guess.Hits < 3 {
			t.Errorf("%s: %t %+v", name, found, guess)
		}
	}
}

// The outputs are those of CPython 3: random.seed(n), then
// '%032x' % random.getrandbits(128) or random.randbytes(16).hex().
func TestSeedsOfPython(t *testing.T) {
	t.Parallel()
	for at, id := range map[time.Time]string{
		time.Unix(1764139000, 0):            "4ab8dd10c60f608603fa98597211ae35",
		time.UnixMilli(1764139000123).UTC(): "7e52dfb79a929a74b8cca4303874f7a7",
	} {
		issue := idquality.Issue{ID: secret.New(id), From: at, To: at.Add(time.Millisecond)}
		if hits := idquality.TwisterSeeded([]idquality.Issue{issue}); hits != 1 {
			t.Errorf("%s: %d hits", at, hits)
		}
		issue.From, issue.To = issue.From.Add(time.Hour), issue.To.Add(time.Hour)
		if hits := idquality.TwisterSeeded([]idquality.Issue{issue}); hits != 0 {
			t.Errorf("an hour after %s: %d hits", at, hits)
		}
	}
}

func TestSeedsOfGo(t *testing.T) {
	t.Parallel()
	letters := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for name, made := range map[string]func(at time.Time) string{
		"bytes of Read": func(at time.Time) string {
			raw := make([]byte, 16)
			_, _ = oldrand.New(oldrand.NewSource(at.Unix())).Read(raw)
			return hex.EncodeToString(raw)
		},
		"a number": func(at time.Time) string {
			return strconv.FormatInt(oldrand.New(oldrand.NewSource(at.Unix())).Int63(), 10)
		},
		"letters": func(at time.Time) string {
			source, text := oldrand.New(oldrand.NewSource(at.UnixMilli())), ""
			for range 24 {
				text += string(letters[source.Intn(len(letters))])
			}
			return text
		},
	} {
		issues := sample(5, func(_ int, at time.Time) string { return made(at) })
		if hits := idquality.GoSeeded(issues); hits != 5 {
			t.Errorf("%s: %d of 5", name, hits)
		}
		for i := range issues {
			issues[i].From, issues[i].To = issues[i].From.Add(time.Minute), issues[i].To.Add(time.Minute)
		}
		if hits := idquality.GoSeeded(issues); hits != 0 {
			t.Errorf("%s, a minute later: %d", name, hits)
		}
	}
}

func TestTheTwisterIsPredicted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write func(words []uint32) string
		words int
		known int // ids that hold 624 words
	}{
		"getrandbits(128) as hex": {func(w []uint32) string { return fmt.Sprintf("%08x%08x%08x%08x", w[3], w[2], w[1], w[0]) }, 4, 156},
		"randbytes(16)": {func(w []uint32) string {
			var raw []byte
			for _, word := range w {
				raw = binary.LittleEndian.AppendUint32(raw, word)
			}
			return base64.RawURLEncoding.EncodeToString(raw)
		}, 4, 156},
		"words one after the other": {func(w []uint32) string { return fmt.Sprintf("%08x%08x", w[0], w[1]) }, 2, 312},
		"a word":                    {func(w []uint32) string { return fmt.Sprintf("%08x", w[0]) }, 1, 624},
		"a decimal word":            {func(w []uint32) string { return strconv.FormatUint(uint64(w[0]), 10) }, 1, 624},
		"getrandbits(64), decimal":  {func(w []uint32) string { return strconv.FormatUint(uint64(w[1])<<32|uint64(w[0]), 10) }, 2, 312},
	} {
		n := test.known + 44
		twister := newTwister(5489)
		ids := idquality.IDs(sample(n, func(int, time.Time) string {
			var words []uint32
			for range test.words {
				words = append(words, twister.next())
			}
			return test.write(words)
		}))
		if hits := idquality.TwisterPredicts(ids); hits != 44 {
			t.Errorf("%s: %d of 44 ids predicted", name, hits)
		}
		if hits := idquality.TwisterPredicts(ids[:test.known]); hits != 0 {
			t.Errorf("%s: %d predicted of too few", name, hits)
		}
	}
}

// twister is MT19937 as its authors wrote it, for the tests alone.
type twister struct {
	state [624]uint32
	at    int
}

func newTwister(seed uint32) *twister {
	m := &twister{at: 624}
	m.state[0] = seed
	for i := uint32(1); i < 624; i++ {
		m.state[i] = 1812433253*(m.state[i-1]^m.state[i-1]>>30) + i
	}
	return m
}

func (m *twister) next() uint32 {
	if m.at == 624 {
		for i := range m.state {
			y := m.state[i]&0x80000000 | m.state[(i+1)%624]&0x7fffffff
			m.state[i] = m.state[(i+397)%624] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		m.at = 0
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// The first outputs for the seed 5489 are those of std::mt19937.
func TestTheTestsOwnTwister(t *testing.T) {
	t.Parallel()
	m := newTwister(5489)
	for i, want := range []uint32{3499211612, 581869302, 3890346734, 3586334585} {
		if got := m.next(); got != want {
			t.Errorf("output %d: %d, want %d", i, got, want)
		}
	}
}

func TestDerivedIDsAreFound(t *testing.T) {
	t.Parallel()
	mask := seeded(8).bytes(16)
	for name, next := range map[string]func(old string) string{
		"the other case":  func(old string) string { return fmt.Sprintf("%X", mustHex(old)) },
		"reversed":        func(old string) string { return reverse(old) },
		"base64 of it":    func(old string) string { return base64.StdEncoding.EncodeToString(mustHex(old)) },
		"md5":             func(old string) string { return fmt.Sprintf("%x", md5.Sum([]byte(old))) },
		"sha256 and name": func(old string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(old+":alice"))) },
		"an ending":       func(old string) string { return old + "-1" },
		"plus one": func(old string) string {
			value := new(big.Int).Add(new(big.Int).SetBytes(mustHex(old)), big.NewInt(1))
			return fmt.Sprintf("%032x", value)
		},
		"masked": func(old string) string {
			raw := mustHex(old)
			for i := range raw {
				raw[i] ^= mask[i]
			}
			return hex.EncodeToString(raw)
		},
	} {
		random := seeded(9)
		issues := sample(6, func(int, time.Time) string { return "" })
		for i := range issues {
			old := fmt.Sprintf("0%x", random.bytes(16))[:32]
			issues[i].Before, issues[i].ID = secret.New(old), secret.New(next(old))
		}
		if way, hits, tries := idquality.Derived(issues); hits != 5 || tries != 5 || way == "" {
			t.Errorf("%s: %d of %d, %q", name, hits, tries, way)
		}
	}
	issues := sample(4, func(i int, _ time.Time) string { return fmt.Sprintf("0123456789.%d", i+1) })
	for i := range issues {
		issues[i].Before = secret.New(fmt.Sprintf("0123456789.%d", i))
	}
	if way, hits, _ := idquality.Derived(issues); hits != 3 {
		t.Errorf("a counter at the end: %d, %q", hits, way)
	}
}

func mustHex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

func reverse(text string) string {
	turned := []byte(text)
	for i, j := 0, len(turned)-1; i < j; i, j = i+1, j-1 {
		turned[i], turned[j] = turned[j], turned[i]
	}
	return string(turned)
}

func TestUnsigned(t *testing.T) {
	t.Parallel()
	mac := "0123456789abcdefghijABCDEFGHIJ0123456789abc"
	for given, want := range map[string]string{
		"s:the-id-itself." + mac:           "the-id-itself",
		"s%3Athe-id-itself." + mac:         "the-id-itself",
		"the-id-itself.aBcDeF." + mac[:27]: "the-id-itself",
		"selector." + mac:                  "selector." + mac, // a pointer and a secret
		"plain":                            "plain",
	} {
		if got := idquality.Unsigned(secret.New(given)).Reveal(); got != want {
			t.Errorf("%s: %s", given, got)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	jwt := func(claims string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
	}
	for id, want := range map[string]idquality.Where{
		"alice-3f9a2c": idquality.InText,
		"ALICE-3f9a2c": idquality.InText,
		"%61lice":      idquality.InText,
		hex.EncodeToString([]byte("uid=alice;1")):                       idquality.InDecoded,
		"x." + base64.StdEncoding.EncodeToString([]byte("uid=alice;1")): idquality.InDecoded,
		jwt(`{"sub":"alice","iat":1}`):                                  idquality.InSubject,
		jwt(`{"sub":"7","email":"alice@a.test"}`):                       idquality.InDecoded,
		jwt(`{"sub":"7","iat":1}`):                                      idquality.Nowhere,
		"3f9a2c":                                                        idquality.Nowhere,
	} {
		if got := idquality.Holds(secret.New(id), secret.New("alice")); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if got := idquality.Holds(secret.New("al-1"), secret.New("al")); got != idquality.Nowhere {
		t.Errorf("two letters are found in %q", got)
	}
}

func BenchmarkJudging(b *testing.B) {
	for _, n := range []int{40, 2000} {
		random := seeded(1)
		issues := sample(n, func(int, time.Time) string { return hex.EncodeToString(random.bytes(16)) })
		ids := idquality.IDs(issues)
		effort := idquality.Quick
		if n > 40 {
			effort = idquality.Thorough
		}
		for name, judge := range map[string]func(){
			"capacity": func() { idquality.Capacity(ids) },
			"entropy":  func() { idquality.Entropy(ids) },
			"order":    func() { idquality.Predicted(ids) },
			"clock":    func() { idquality.FindClock(issues) },
			"guess":    func() { idquality.FindGuess(issues, effort) },
			"twister":  func() { idquality.TwisterPredicts(ids) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					judge()
				}
			})
		}
	}
}
