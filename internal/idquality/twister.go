package idquality

import (
	"encoding/binary"
	"math/big"
	"slices"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// MT19937 (Matsumoto and Nishimura, 1998), which random of Python and mt_rand
// of PHP draw from: its state is 624 words, and each output is an invertible
// function of one of them.
const (
	stateWords = 624
	middleWord = 397
)

// TwisterPredicts reports how many of the ids, which were issued in this order,
// can be computed from those before them, if the ids are raw outputs of one
// MT19937: 156 ids of 128 bits are enough to know all that follow. Three ways
// to write words into an id are tried: '%032x' % getrandbits(128), which has
// its first word last; randbytes(16), little-endian; and words one after the
// other. Any other generator gives 0: each hit has a chance of 2^-32 at most.
func TwisterPredicts(ids []secret.Text) int {
	texts := reveal(ids)
	best := 0
	for _, sample := range [][][]byte{mustDecode(texts), decimalBytes(texts)} {
		if len(sample) == 0 || len(sample[0])%4 != 0 {
			continue
		}
		for _, words := range wordOrders {
			best = max(best, twisterHits(sample, words))
		}
	}
	return best
}

func mustDecode(texts []string) [][]byte {
	raw, _ := decodeAll(texts)
	return raw
}

// decimalBytes reads ids that are whole numbers, in as many words as the
// largest needs.
func decimalBytes(texts []string) [][]byte {
	var raw [][]byte
	size := 0
	for _, text := range texts {
		value, ok := new(big.Int).SetString(text, 10)
		if !ok || value.Sign() < 0 || len(text) > 80 {
			return nil
		}
		raw = append(raw, value.Bytes())
		size = max(size, (len(value.Bytes())+3)/4*4)
	}
	for i := range raw {
		raw[i] = append(make([]byte, size-len(raw[i])), raw[i]...)
	}
	return raw
}

// wordOrders cut an id into the words in the order they were drawn.
var wordOrders = []func([]byte) []uint32{
	func(raw []byte) []uint32 {
		words := bigEndian(raw)
		slices.Reverse(words)
		return words
	},
	func(raw []byte) []uint32 {
		var words []uint32
		for i := 0; i+4 <= len(raw); i += 4 {
			words = append(words, binary.LittleEndian.Uint32(raw[i:]))
		}
		return words
	},
	bigEndian,
}

func bigEndian(raw []byte) []uint32 {
	var words []uint32
	for i := 0; i+4 <= len(raw); i += 4 {
		words = append(words, binary.BigEndian.Uint32(raw[i:]))
	}
	return words
}

// twisterHits predicts every id whose words lie beyond the first 624 from the
// words 624, 623 and 227 places before: the recurrence needs no more.
func twisterHits(sample [][]byte, cut func([]byte) []uint32) int {
	var state []uint32
	hits := 0
	for _, raw := range sample {
		words := cut(raw)
		known := len(state) >= stateWords
		for _, word := range words {
			if k := len(state) - stateWords; k >= 0 && temper(twist(state[k], state[k+1], state[k+middleWord])) != word {
				known = false
			}
			state = append(state, untemper(word))
		}
		if known && len(words) > 0 {
			hits++
		}
	}
	return hits
}

func twist(word, next, middle uint32) uint32 {
	mixed := word&0x80000000 | next&0x7fffffff
	twisted := middle ^ mixed>>1
	if mixed&1 == 1 {
		twisted ^= 0x9908b0df
	}
	return twisted
}

func temper(word uint32) uint32 {
	word ^= word >> 11
	word ^= word << 7 & 0x9d2c5680
	word ^= word << 15 & 0xefc60000
	return word ^ word>>18
}

// untemper undoes temper, step by step from the last. Each step leaves the bits
// at one end as they were, and every round restores as many again.
func untemper(word uint32) uint32 {
	word ^= word >> 18
	word ^= word << 15 & 0xefc60000
	restored := word
	for range 5 {
		restored = word ^ restored<<7&0x9d2c5680
	}
	word = restored
	for range 3 {
		restored = word ^ restored>>11
	}
	return restored
}

// seedWindow is how far from an id's issue its seed is looked for.
const seedWindow = 5 * time.Second

// mostSeeded bounds the ids looked at: a generator that is seeded for each id
// shows in all of them.
const mostSeeded = 12

// TwisterSeeded reports how many of the ids are the first output of a Python
// random.Random that was seeded with the time of their issue, in whole seconds
// or milliseconds: random.seed(int(time.time())). Three of 128 bits and more
// have a chance of less than 2^-300. The first twelve are looked at.
func TwisterSeeded(issues []Issue) int {
	hits := 0
	raw, decodes := decodeAll(reveal(IDs(issues)))
	if !decodes || len(raw[0]) < 8 || len(raw[0])%4 != 0 || len(raw[0]) > 64 {
		return 0
	}
	for i, issue := range issues[:min(len(issues), mostSeeded)] {
		if seededBy(raw[i], issue) {
			hits++
		}
	}
	return hits
}

func seededBy(raw []byte, issue Issue) bool {
	for _, seed := range seeds(issue) {
		if firstOutputs(raw, uint64(seed)) {
			return true
		}
	}
	return false
}

func firstOutputs(raw []byte, seed uint64) bool {
	state := seedByArray(seed)
	drawn := make([]uint32, len(raw)/4)
	for i := range drawn {
		drawn[i] = temper(twist(state[i], state[i+1], state[i+middleWord]))
	}
	return slices.ContainsFunc(wordOrders, func(cut func([]byte) []uint32) bool { return slices.Equal(cut(raw), drawn) })
}

// seedByArray is init_by_array of the reference implementation with the words
// of the seed, lowest first, as Python seeds.
func seedByArray(seed uint64) *[stateWords]uint32 {
	key := []uint32{uint32(seed)}
	if high := uint32(seed >> 32); high != 0 {
		key = append(key, high)
	}
	var state [stateWords]uint32
	state[0] = 19650218
	for i := uint32(1); i < stateWords; i++ {
		state[i] = 1812433253*(state[i-1]^state[i-1]>>30) + i
	}
	i, j := 1, 0
	step := func() {
		if i++; i == stateWords {
			state[0], i = state[stateWords-1], 1
		}
	}
	for range stateWords {
		state[i] = (state[i] ^ (state[i-1]^state[i-1]>>30)*1664525) + key[j] + uint32(j)
		j = (j + 1) % len(key)
		step()
	}
	for range stateWords - 1 {
		state[i] = (state[i] ^ (state[i-1]^state[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	state[0] = 0x80000000
	return &state
}
