package idquality

import (
	"crypto/md5"  // applications use it, and so it is looked for
	"crypto/sha1" // as above
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"time"
)

// Guess is a way to make the ids of a sample from what anybody knows.
type Guess struct {
	Recipe string // "md5 of the user name and the time in milliseconds"
	Hits   int    // how many issues it explains
}

// Effort bounds the search of a dictionary.
type Effort struct {
	Hashes   int           // at most
	Integers int           // 0 to it: counters, process and user ids
	Around   time.Duration // beside the time of issue
	Near     time.Duration // the same for milliseconds
	// Exact is the longest making of an id of which every moment is tried, as
	// floating-point seconds and as microseconds. What took longer has too many.
	Exact time.Duration
	Rare  bool // the digests that take ten times as long, too
}

// The efforts of the profiles. A hash takes a fifth of a microsecond with the
// text it is made of.
var (
	Quick    = Effort{Hashes: 250_000, Integers: 20_000, Around: tolerance, Near: 20 * time.Millisecond, Exact: time.Millisecond}
	Thorough = Effort{Hashes: 10_000_000, Integers: 1_000_000, Around: 2 * time.Minute, Near: tolerance, Exact: 10 * time.Millisecond, Rare: true}
)

// sampled is how many ids are compared: three hits are wanted.
const sampled = 6

// FindGuess looks whether ids are the plain digest of something guessable: a
// number, the time, a known word, or a word and the time. An id of 64 bits and
// more that is in a dictionary of D entries by chance has 2^-64 * D: 2^-39 for
// the thorough one. Nothing found is nothing detected; it does not show that
// ids are random.
func FindGuess(issues []Issue, effort Effort) (Guess, bool) {
	s := &search{left: effort.Hashes, targets: map[uint64][]int{}, found: map[string]map[int]bool{}}
	s.aim(issues, effort.Rare)
	if len(s.targets) == 0 {
		return Guess{}, false
	}
	s.words()
	s.times(effort)
	for n := range effort.Integers {
		s.try("a number", strconv.AppendInt(nil, int64(n), 10))
	}
	s.moments(effort) // last: there are the most of them
	best := Guess{}
	for recipe, hits := range s.found {
		if len(hits) > best.Hits || len(hits) == best.Hits && recipe < best.Recipe {
			best = Guess{recipe, len(hits)}
		}
	}
	return best, best.Hits > 0
}

type search struct {
	issues  []Issue // those aimed at
	raw     [][]byte
	targets map[uint64][]int // by the first eight bytes
	digests []digest
	known   []string
	found   map[string]map[int]bool
	left    int
}

type digest struct {
	name string
	sum  func([]byte) []byte
}

var digests = []struct {
	digest
	size int
	rare bool
}{
	{digest{"md5", func(in []byte) []byte { sum := md5.Sum(in); return sum[:] }}, md5.Size, false},
	{digest{"sha1", func(in []byte) []byte { sum := sha1.Sum(in); return sum[:] }}, sha1.Size, false},
	{digest{"sha224", func(in []byte) []byte { sum := sha256.Sum224(in); return sum[:] }}, sha256.Size224, false},
	{digest{"sha256", func(in []byte) []byte { sum := sha256.Sum256(in); return sum[:] }}, sha256.Size, false},
	{digest{"sha3-256", func(in []byte) []byte { sum := sha3.Sum256(in); return sum[:] }}, 32, true},
	{digest{"sha384", func(in []byte) []byte { sum := sha512.Sum384(in); return sum[:] }}, sha512.Size384, false},
	{digest{"sha512", func(in []byte) []byte { sum := sha512.Sum512(in); return sum[:] }}, sha512.Size, false},
}

// aim chooses the ids that were made in the shortest time, since theirs are the
// fewest moments to try, and the digests that ids of that length can be. A
// digest that was cut is tried for the common ones.
func (s *search) aim(issues []Issue, rare bool) {
	s.issues = slices.Clone(issues)
	slices.SortStableFunc(s.issues, func(a, b Issue) int { return int(a.To.Sub(a.From) - b.To.Sub(b.From)) })
	s.issues = s.issues[:min(len(s.issues), sampled)]
	size := 0
	for i, issue := range s.issues {
		raw, ok := decode(unescape(issue.ID.Reveal()))
		s.raw = append(s.raw, raw)
		if !ok || len(raw) < 8 || size > 0 && len(raw) != size {
			continue
		}
		size = len(raw)
		key := binary.BigEndian.Uint64(raw)
		s.targets[key] = append(s.targets[key], i)
		for _, word := range issue.Known {
			if text := word.Reveal(); text != "" && !slices.Contains(s.known, text) {
				s.known = append(s.known, text)
			}
		}
	}
	for _, d := range digests {
		if d.rare && !rare {
			continue
		}
		if d.size == size || d.size > size && slices.Contains([]string{"md5", "sha1", "sha256"}, d.name) {
			s.digests = append(s.digests, d.digest)
		}
	}
}

// try compares what the digests make of an input with the ids.
func (s *search) try(recipe string, input []byte) {
	if s.left -= len(s.digests); s.left < 0 {
		return
	}
	for _, d := range s.digests {
		sum := d.sum(input)
		for _, i := range s.targets[binary.BigEndian.Uint64(sum)] {
			if string(sum[:min(len(sum), len(s.raw[i]))]) != string(s.raw[i]) {
				continue
			}
			name := d.name + " of " + recipe
			if s.found[name] == nil {
				s.found[name] = map[int]bool{}
			}
			s.found[name][i] = true
		}
	}
}

const (
	aWord        = "a word the attacker knows, the user's name or address"
	aWordAndTime = "the user's name or address and the time"
)

var separators = []string{"", "-", "_", ":", ".", "|"}

func (s *search) words() {
	for _, word := range s.known {
		s.try(aWord, []byte(word))
	}
}

// spread tries a time by itself and beside each known word.
func (s *search) spread(unit, text string) {
	s.try("the time in "+unit, []byte(text))
	for _, word := range s.known {
		for _, separator := range separators {
			s.try(aWordAndTime+" in "+unit, []byte(word+separator+text))
			s.try(aWordAndTime+" in "+unit, []byte(text+separator+word))
		}
	}
}

// times tries seconds and milliseconds around the issue of the ids.
func (s *search) times(effort Effort) {
	for _, scale := range []struct {
		unit   time.Duration
		noun   string
		around time.Duration
		most   int
	}{{time.Second, "seconds", effort.Around, 400}, {time.Millisecond, "milliseconds", effort.Near, 12_000}} {
		for _, count := range s.counts(scale.unit, scale.around, scale.most) {
			s.spread(scale.noun, strconv.FormatInt(count, 10))
		}
	}
}

// counts are the whole units around the issue of any of the ids, each once.
func (s *search) counts(unit, around time.Duration, most int) []int64 {
	seen := map[int64]bool{}
	var counts []int64
	for _, issue := range s.issues {
		last := issue.To.Add(around).UnixNano() / int64(unit)
		for count := issue.From.Add(-around).UnixNano() / int64(unit); count <= last && len(counts) < most; count++ {
			if !seen[count] {
				seen[count] = true
				counts = append(counts, count)
			}
		}
	}
	return counts
}

// moments tries every floating-point number of seconds and every microsecond
// while an id was made: str(time.time()) of Python is the shortest text of a
// number, of which there are four in a microsecond.
func (s *search) moments(effort Effort) {
	for _, issue := range s.issues[:min(len(s.issues), 3)] {
		last := issue.To
		if last.Sub(issue.From) > effort.Exact {
			continue
		}
		end := float64(last.UnixNano()) / 1e9
		for at := float64(issue.From.UnixNano()) / 1e9; at <= end; at = math.Nextafter(at, end+1) {
			s.exact(issue, "seconds with a fraction", strconv.FormatFloat(at, 'f', -1, 64))
		}
		for at := issue.From.UnixMicro(); at <= last.UnixMicro(); at++ {
			s.exact(issue, "microseconds", strconv.FormatInt(at, 10))
			moment := time.UnixMicro(at).UTC()
			s.exact(issue, "microseconds", moment.Format("2006-01-02 15:04:05.000000"))
			s.exact(issue, "microseconds", moment.Format("2006-01-02T15:04:05.000000"))
		}
	}
}

// exact tries a moment with the words of that id alone: there are many of them.
func (s *search) exact(issue Issue, unit, text string) {
	s.try("the time in "+unit, []byte(text))
	for _, word := range issue.Known {
		s.try(aWordAndTime+" in "+unit, []byte(word.Reveal()+text))
		s.try(aWordAndTime+" in "+unit, []byte(text+word.Reveal()))
	}
}
