package idquality

import (
	"math"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Entropy is an upper bound of the bits that the ids hold, from what each place
// shows by itself: the sum over the places of Shannon's entropy with Miller and
// Madow's correction for the sample (Miller, "Note on the bias of information
// estimates", 1955), never more than the alphabet allows. The sum of the
// marginal entropies is at least the joint entropy, which is at least the
// min-entropy, so that dependence between places makes it larger only. Half a
// bit and four standard errors are added. The ids are looked at as characters,
// as hex digits and as bits of what they decode to; the largest figure counts.
// Fewer than two ids have none.
//
// It is no measure of strength: a counter that was hashed has all its bits.
func Entropy(ids []secret.Text) float64 { return entropyOf(reveal(ids)) }

func entropyOf(texts []string) float64 {
	if len(texts) < 2 {
		return 0
	}
	bound := marginal(texts, math.Log2(float64(alphabetOf(texts))))
	raw, decodes := decodeAll(texts)
	if !decodes {
		return bound
	}
	return max(bound, marginal(hexes(raw), 4), marginal(bits(raw), 1))
}

// marginal sums the entropies of the places, each at most the width in bits.
// The standard error is that of the delta method: the variance of an id's
// surprisal, summed over its places, over the number of ids. Places that vary
// together are counted with their covariance that way, as a bootstrap of whole
// ids would, at a hundredth of its cost.
func marginal(texts []string, width float64) float64 {
	longest := 0
	for _, text := range texts {
		longest = max(longest, len(text))
	}
	n := float64(len(texts))
	surprisal := make([]float64, len(texts))
	total := 0.0
	for place := range longest {
		var seen [257]int
		for _, text := range texts {
			seen[at(text, place)]++
		}
		entropy, symbols := 0.0, 0
		for _, times := range seen {
			if times > 0 {
				symbols++
				entropy -= float64(times) / n * math.Log2(float64(times)/n)
			}
		}
		if symbols < 2 {
			continue
		}
		total += min(width, entropy+float64(symbols-1)/(2*n*math.Ln2))
		for i, text := range texts {
			surprisal[i] -= math.Log2(float64(seen[at(text, place)]) / n)
		}
	}
	if total == 0 {
		return 0
	}
	return total + 0.5 + 4*standardError(surprisal)
}

// at is the character at a place; what is shorter has a character of its own there.
func at(text string, place int) int {
	if place < len(text) {
		return int(text[place])
	}
	return 256
}

func standardError(values []float64) float64 {
	mean, squares := 0.0, 0.0
	for _, value := range values {
		mean += value / float64(len(values))
	}
	for _, value := range values {
		squares += (value - mean) * (value - mean)
	}
	return math.Sqrt(squares) / float64(len(values))
}

func bits(raw [][]byte) []string {
	texts := make([]string, len(raw))
	for i := range raw {
		digits := make([]byte, 0, 8*len(raw[i]))
		for _, octet := range raw[i] {
			for shift := 7; shift >= 0; shift-- {
				digits = append(digits, '0'+octet>>shift&1)
			}
		}
		texts[i] = string(digits)
	}
	return texts
}

func alphabetOf(texts []string) int {
	seen := map[byte]bool{}
	for _, text := range texts {
		for i := range len(text) {
			seen[text[i]] = true
		}
	}
	return alphabetSize(seen)
}
