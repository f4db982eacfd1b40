package demoapi

import (
	"crypto/md5" // applications use it, and so does a flaw
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"time"
)

// generators are what flaws draw ids from that must not be drawn from. The
// zero value is ready; the caller holds the lock.
type generators struct {
	counter *big.Int
	twister *twister
	milli   map[string]int64 // of each user's last hash
}

// step is large, so that ids which count look as random as any.
var step, _ = new(big.Int).SetString("1d872b4162531ea72c0f1a5b7c33e9d", 16)

// count is the id before and the step, modulo 2^128.
func (g *generators) count() string {
	if g.counter == nil {
		g.counter = new(big.Int).SetUint64(rand.Uint64())
	}
	g.counter.Add(g.counter, step)
	g.counter.And(g.counter, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	return fmt.Sprintf("%032x", g.counter)
}

// twisted is '%032x' % random.getrandbits(128) of Python: the first word last.
func (g *generators) twisted() string {
	if g.twister == nil {
		g.twister = newTwister(rand.Uint32())
	}
	id := ""
	for range 4 {
		id = fmt.Sprintf("%08x", g.twister.next()) + id
	}
	return id
}

// aOrB writes the first bits of the bytes with two letters.
func aOrB(raw []byte) string {
	id := make([]byte, 34)
	for i := range id {
		id[i] = 'a' + raw[i/8]>>(i%8)&1
	}
	return string(id)
}

// hashOf is md5(user + str(int(time.time() * 1000))) of Python.
func (g *generators) hashOf(user string) string {
	if g.milli == nil {
		g.milli = map[string]int64{}
	}
	g.milli[user] = max(g.milli[user]+1, time.Now().UnixMilli()) // an id that was ended must not be handed out again
	sum := md5.Sum([]byte(user + strconv.FormatInt(g.milli[user], 10)))
	return hex.EncodeToString(sum[:])
}

// timeUUID is UUIDv1 (RFC 9562 §5.1), which allows a random node.
func timeUUID(node []byte) string {
	ticks := time.Now().UnixNano()/100 + 122192928000000000 // since 1582-10-15
	return fmt.Sprintf("%08x-%04x-1%03x-9a01-%x", uint32(ticks), uint16(ticks>>32), ticks>>48&0xfff, node)
}

// twister is MT19937 (Matsumoto and Nishimura, 1998).
type twister struct {
	state [624]uint32
	at    int
}

func newTwister(seed uint32) *twister {
	t := &twister{at: 624}
	t.state[0] = seed
	for i := uint32(1); i < 624; i++ {
		t.state[i] = 1812433253*(t.state[i-1]^t.state[i-1]>>30) + i
	}
	return t
}

func (t *twister) next() uint32 {
	if t.at == 624 {
		for i := range t.state {
			mixed := t.state[i]&0x80000000 | t.state[(i+1)%624]&0x7fffffff
			t.state[i] = t.state[(i+397)%624] ^ mixed>>1 ^ (mixed&1)*0x9908b0df
		}
		t.at = 0
	}
	y := t.state[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}
