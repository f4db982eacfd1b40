package tap

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/idform"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	// window is how many bytes of a pattern its place in the index depends on.
	// idform gives no form shorter than this but the raw one.
	window = 6
	// maxHits bounds what one statement can say: a hostile one can hold an id
	// as often as it likes.
	maxHits = 100
	// spread is how many bits of the filter there are for each pattern: one
	// place in so many of a text is looked up for nothing.
	spread = 32
)

// pattern is one spelling of a watched id.
type pattern struct {
	trace.Hit
	value  string
	order  int  // among those of its index: forms keep idform's order
	inText bool // escaped as SQL literals are; parameters have no escapes
}

// index finds thousands of patterns in one pass over a text. A filter of bits
// answers for almost every place that no pattern begins there; the few places
// left are looked up by their first bytes. The zero value holds none.
type index struct {
	filter  []uint64 // a power of two of them
	buckets map[uint64][]pattern
	short   []pattern // below the window
	count   int
}

// add takes in every form of an id.
func (x *index) add(id secret.Text) {
	for _, form := range idform.Of(id) {
		hit := trace.Hit{ID: id, Form: form.Name, Reversible: form.Reversible}
		x.insert(pattern{Hit: hit, value: form.Value})
		if len(form.Value) < window {
			continue // found in its quotes only, see inside
		}
		for _, escaped := range escapes(form.Value) {
			x.insert(pattern{Hit: hit, value: escaped, inText: true})
		}
	}
}

// escapes are the spellings inside an SQL literal of a value that has to be
// escaped there: quotes doubled; in E'…' backslashes too, and quotes either way.
func escapes(value string) []string {
	if !strings.ContainsAny(value, `'\`) {
		return nil
	}
	found := []string{strings.ReplaceAll(value, `'`, `''`)}
	slashed := strings.ReplaceAll(value, `\`, `\\`)
	for _, quote := range []string{`''`, `\'`} {
		if next := strings.ReplaceAll(slashed, `'`, quote); !slices.Contains(found, next) {
			found = append(found, next)
		}
	}
	return slices.DeleteFunc(found, func(escaped string) bool { return escaped == value })
}

func (x *index) insert(p pattern) {
	p.order = x.count
	x.count++
	if len(p.value) < window {
		x.short = append(x.short, p)
		return
	}
	if x.buckets == nil {
		x.buckets = map[uint64][]pattern{}
	}
	var key uint64
	for i := range window {
		key = shift(key, p.value[i])
	}
	x.buckets[key] = append(x.buckets[key], p)
	if len(x.buckets)*spread <= len(x.filter)*64 {
		x.mark(key)
		return
	}
	x.filter = make([]uint64, max(64, 2*len(x.filter)))
	for known := range x.buckets {
		x.mark(known)
	}
}

// shift moves the window on by one byte.
func shift(key uint64, next byte) uint64 { return key>>8 | uint64(next)<<(8*(window-1)) }

// place is the bit of the filter for a key, by Fibonacci hashing.
func (x *index) place(key uint64) (word int, bit uint64) {
	hash := key * 0x9E3779B97F4A7C15 >> 32
	return int(hash>>6) & (len(x.filter) - 1), 1 << (hash & 63)
}

func (x *index) mark(key uint64) {
	word, bit := x.place(key)
	x.filter[word] |= bit
}

// search are the hits in a statement: in its text, then in its parameters.
func (x *index) search(text string, parameters []secret.Text) []trace.Hit {
	if x.count == 0 {
		return nil
	}
	hits := x.hits(nil, text, 0)
	for i, parameter := range parameters {
		if len(hits) >= maxHits {
			break
		}
		hits = x.hits(hits, parameter.Reveal(), i+1)
	}
	return hits
}

// hits appends what one value holds, each form of an id once.
func (x *index) hits(hits []trace.Hit, value string, parameter int) []trace.Hit {
	found := x.long(x.inside(value, parameter), value, parameter)
	slices.SortFunc(found, func(a, b pattern) int { return cmp.Compare(a.order, b.order) })
	for _, p := range found {
		p.Parameter = parameter
		// Forms that differ in padding only share a name.
		if len(hits) < maxHits && !slices.Contains(hits, p.Hit) {
			hits = append(hits, p.Hit)
		}
	}
	return hits
}

func (x *index) long(found []pattern, value string, parameter int) []pattern {
	if len(x.filter) == 0 {
		return found
	}
	var key uint64
	for i := range len(value) {
		key = shift(key, value[i])
		word, bit := x.place(key)
		if x.filter[word]&bit == 0 || i < window-1 {
			continue
		}
		for _, p := range x.buckets[key] {
			if (parameter == 0 || !p.inText) && strings.HasPrefix(value[i-window+1:], p.value) {
				found = gather(found, p)
			}
		}
	}
	return found
}

// inside finds ids too short to be looked for everywhere: they must be a whole
// parameter, or a whole literal of the text.
func (x *index) inside(value string, parameter int) []pattern {
	var found []pattern
	for _, p := range x.short {
		if parameter > 0 && value == p.value ||
			parameter == 0 && strings.Contains(value, "'"+strings.ReplaceAll(p.value, "'", "''")+"'") {
			found = gather(found, p)
		}
	}
	return found
}

func gather(found []pattern, p pattern) []pattern {
	if len(found) >= maxHits || slices.ContainsFunc(found, func(known pattern) bool { return known.order == p.order }) {
		return found
	}
	return append(found, p)
}
