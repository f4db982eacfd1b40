package idquality

import (
	"bytes"
	"math/rand" // the generator that is looked for
	"strconv"
)

// goAlphabets are those that Go programs pick the characters of random strings
// from, one Intn each.
var goAlphabets = []string{
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	"abcdefghijklmnopqrstuvwxyz0123456789",
	"0123456789abcdef",
}

// GoSeeded reports how many of the first twelve ids are the first output of Go's
// math/rand, seeded with the time of their issue in whole seconds or
// milliseconds: as bytes of Read, as a number, or as characters picked by Intn.
// Three of 64 bits and more have a chance of less than 2^-150.
func GoSeeded(issues []Issue) int {
	hits := 0
	for _, issue := range issues[:min(len(issues), mostSeeded)] {
		text := unescape(issue.ID.Reveal())
		if len(text) < 8 || len(text) > 128 {
			continue
		}
		raw, _ := decode(text)
		for _, seed := range seeds(issue) {
			if goOutput(seed, text, raw) {
				hits++
				break
			}
		}
	}
	return hits
}

// seeds are the seconds around an issue and the milliseconds of it, a thousand
// at most.
func seeds(issue Issue) []int64 {
	var all []int64
	last := issue.To.Add(seedWindow).Unix()
	for seed := issue.From.Add(-seedWindow).Unix(); seed <= last && len(all) < 100; seed++ {
		all = append(all, seed)
	}
	for seed := issue.From.UnixMilli(); seed <= issue.To.UnixMilli() && len(all) < 1000; seed++ {
		all = append(all, seed)
	}
	return all
}

func goOutput(seed int64, text string, raw []byte) bool {
	source := rand.New(rand.NewSource(seed))
	if len(raw) >= 8 {
		read := make([]byte, len(raw))
		_, _ = source.Read(read) // never fails
		if bytes.Equal(read, raw) {
			return true
		}
		source.Seed(seed)
	}
	number := source.Int63()
	if text == strconv.FormatInt(number, 10) || text == strconv.FormatInt(number, 16) || text == strconv.FormatInt(number, 36) {
		return true
	}
	for _, alphabet := range goAlphabets {
		source.Seed(seed)
		if picked(source, alphabet, text) {
			return true
		}
	}
	return false
}

func picked(source *rand.Rand, alphabet, text string) bool {
	for i := range len(text) {
		if text[i] != alphabet[source.Intn(len(alphabet))] {
			return false
		}
	}
	return true
}
