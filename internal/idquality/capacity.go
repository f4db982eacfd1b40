// Package idquality measures samples of session ids. Every figure is an upper
// bound: sampling can prove weakness, never strength (probes.md §6).
package idquality

import (
	"math"
	"regexp"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// alphabets are tried from the smallest; the first that holds every character
// seen at a changing place is taken. The generous last ones keep the bound an
// upper one.
var alphabets = []string{
	"0123456789",
	"0123456789abcdef",
	"0123456789ABCDEF",
	"0123456789abcdefABCDEF",
	"234567ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"0123456789abcdefghijklmnopqrstuvwxyz",
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_",
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=",
}

// Capacity is the number of bits the ids can hold at most: for each place that
// changes over the sample, the logarithm of the alphabet in use. Places that
// never change hold none. Fewer than two ids have no capacity.
func Capacity(ids []secret.Text) float64 {
	if len(ids) < 2 {
		return 0
	}
	// Revealed to be counted; only the number leaves this room.
	values := reveal(ids)
	places, alphabet := varying(values)
	bits := float64(len(places)) * math.Log2(float64(alphabet))
	if len(places) > 0 && all(values, uuid.MatchString) {
		bits -= 2 // the variant nibble has four values, RFC 9562 §4.1
	}
	return bits
}

// varying gives, for each place that changes over the sample, how many
// characters it shows, and the size of the alphabet that all of these are from.
func varying(texts []string) (places []int, alphabet int) {
	longest := 0
	for _, text := range texts {
		longest = max(longest, len(text))
	}
	used := map[byte]bool{}
	for place := range longest {
		var seen [257]bool
		symbols := 0
		for _, text := range texts {
			if char := at(text, place); !seen[char] {
				seen[char] = true
				symbols++
			}
		}
		if symbols < 2 {
			continue
		}
		places = append(places, symbols)
		for char := range 256 {
			if seen[char] {
				used[byte(char)] = true
			}
		}
	}
	return places, alphabetSize(used)
}

func alphabetSize(seen map[byte]bool) int {
	for _, alphabet := range alphabets {
		if holds(alphabet, seen) {
			if strings.Contains(alphabet, "abcdefABCDEF") && len(alphabet) == 22 {
				return 16 // hex in mixed case
			}
			return len(alphabet)
		}
	}
	return 256
}

func holds(alphabet string, seen map[byte]bool) bool {
	for char := range seen {
		if strings.IndexByte(alphabet, char) < 0 {
			return false
		}
	}
	return true
}
