package idquality

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
)

// Derived looks for the way in which each id follows from the one that the
// browser held before it. A way that has a constant (a step, an ending) learns
// it from the first pair. It returns how many of the later pairs came out
// exactly, of how many, and which way it was. Pairs without an earlier id are
// passed over, and so are those whose id stayed.
//
// A new id of 64 random bits follows by chance with 2^-64 for each of some
// thousand candidates: two do with less than 2^-100.
func Derived(issues []Issue) (way string, hits, tries int) {
	var pairs []Issue
	for _, issue := range issues {
		if before := issue.Before.Reveal(); len(before) >= shortestParent && before != issue.ID.Reveal() {
			pairs = append(pairs, issue)
		}
	}
	for _, relation := range relations {
		if hit := relation.holds(pairs); hit > hits {
			way, hits = relation.name, hit
		}
	}
	return way, hits, max(0, len(pairs)-1)
}

// shortestParent is the length from which what follows from an id says so: of
// shorter ones there are too few.
const shortestParent = 8

// relation gives what may follow from an id; with learn, once it has seen the
// first pair.
type relation struct {
	name  string
	from  func(Issue) []string
	learn func(before, after string) func(before string) string
}

func (r relation) holds(pairs []Issue) (hits int) {
	if len(pairs) < 2 {
		return 0
	}
	next := r.from
	if r.learn != nil {
		rule := r.learn(unescape(pairs[0].Before.Reveal()), unescape(pairs[0].ID.Reveal()))
		if rule == nil {
			return 0
		}
		next = func(pair Issue) []string { return []string{rule(unescape(pair.Before.Reveal()))} }
	} else if !contains(next(pairs[0]), unescape(pairs[0].ID.Reveal())) {
		return 0
	}
	for _, pair := range pairs[1:] {
		if contains(next(pair), unescape(pair.ID.Reveal())) {
			hits++
		}
	}
	return hits
}

func contains(candidates []string, id string) bool {
	for _, candidate := range candidates {
		if candidate != "" && candidate == id {
			return true
		}
	}
	return false
}

var relations = []relation{
	{name: "it is the old id spelled otherwise", from: func(pair Issue) []string { return respelled(unescape(pair.Before.Reveal())) }},
	{name: "it is a digest of the old id, or of it and a name or the time", from: digested},
	{name: "it is the old id with something before or after it that never changes", learn: affixed},
	{name: "it is the old id plus a number that never changes", learn: stepped},
	{name: "it is the old id XOR a value that never changes", learn: masked},
	{name: "it is the old id with its counter moved on", learn: counted},
}

func respelled(old string) []string {
	all := []string{strings.ToUpper(old), strings.ToLower(old), string(reversed([]byte(old))), hex.EncodeToString([]byte(old)),
		base64.StdEncoding.EncodeToString([]byte(old)), base64.RawURLEncoding.EncodeToString([]byte(old)), strings.ReplaceAll(old, "-", "")}
	if raw, ok := decode(old); ok {
		all = append(all, spelled(raw)...)
		all = append(all, spelled(reversed(raw))...)
	}
	return dropped(all, old)
}

func dropped(all []string, old string) []string {
	var left []string
	for _, one := range all {
		if one != old {
			left = append(left, one)
		}
	}
	return left
}

func spelled(raw []byte) []string {
	return []string{hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), base64.StdEncoding.EncodeToString(raw),
		base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw)}
}

// digested are the digests of the old id alone and beside what is known.
func digested(pair Issue) []string {
	old := unescape(pair.Before.Reveal())
	inputs := []string{old}
	for _, word := range pair.Known {
		for _, separator := range separators {
			inputs = append(inputs, old+separator+word.Reveal(), word.Reveal()+separator+old)
		}
	}
	for second := pair.From.Add(-tolerance).Unix(); second <= pair.To.Add(tolerance).Unix(); second++ {
		inputs = append(inputs, old+strconv.FormatInt(second, 10))
	}
	if raw, ok := decode(old); ok {
		inputs = append(inputs, string(raw))
	}
	var all []string
	for _, input := range inputs {
		in := []byte(input)
		m, s1, s256, s512 := md5.Sum(in), sha1.Sum(in), sha256.Sum256(in), sha512.Sum512(in)
		for _, sum := range [][]byte{m[:], s1[:], s256[:], s512[:]} {
			all = append(all, spelled(sum)...)
			if len(sum) > 16 {
				all = append(all, hex.EncodeToString(sum[:16]))
			}
		}
	}
	return all
}

func affixed(before, after string) func(string) string {
	head, tail, inside := strings.Cut(after, before)
	if !inside || head+tail == "" {
		return nil
	}
	return func(old string) string { return head + old + tail }
}

// stepped and masked need numbers of one width, so that the id is whole again.
func stepped(before, after string) func(string) string {
	old, ok := decode(before)
	now, also := decode(after)
	if !ok || !also || len(old) != len(now) {
		return nil
	}
	step := new(big.Int).Sub(new(big.Int).SetBytes(now), new(big.Int).SetBytes(old))
	return func(other string) string {
		raw, ok := decode(other)
		moved := new(big.Int).Add(new(big.Int).SetBytes(raw), step)
		if !ok || moved.Sign() < 0 || len(moved.Bytes()) > len(raw) {
			return ""
		}
		return respell(moved.FillBytes(make([]byte, len(raw))), other)
	}
}

func masked(before, after string) func(string) string {
	old, ok := decode(before)
	now, also := decode(after)
	if !ok || !also || len(old) != len(now) {
		return nil
	}
	return func(other string) string {
		raw, ok := decode(other)
		if !ok || len(raw) != len(old) {
			return ""
		}
		mixed := make([]byte, len(raw))
		for i := range raw {
			mixed[i] = raw[i] ^ old[i] ^ now[i]
		}
		return respell(mixed, other)
	}
}

// respell writes bytes as the model is written.
func respell(raw []byte, model string) string {
	if uuid.MatchString(model) && len(raw) == 16 {
		text := hex.EncodeToString(raw)
		return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
	}
	own, _ := decode(model)
	forms := spelled(own)
	for i, text := range spelled(raw) {
		if forms[i] == model {
			return text
		}
	}
	return ""
}

// counted reads the id as text with a decimal number at its end: abc.7, abc.8.
func counted(before, after string) func(string) string {
	head, number, ok := ending(before)
	headNow, now, also := ending(after)
	if !ok || !also || head != headNow || now == number {
		return nil
	}
	return func(old string) string {
		head, number, ok := ending(old)
		if !ok {
			return ""
		}
		return head + strconv.Itoa(number+1)
	}
}

func ending(text string) (head string, number int, ok bool) {
	head = strings.TrimRight(text, "0123456789")
	number, err := strconv.Atoi(text[len(head):])
	return head, number, err == nil && len(head) >= shortestParent
}
