package idquality

import (
	"math"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Places is, for each character of the ids, the entropy in bits that the sample
// shows there: 0 where the character never changes, and never more than the
// logarithm of the number of ids. Fewer than two ids show nothing.
func Places(ids []secret.Text) []float64 {
	if len(ids) < 2 {
		return nil
	}
	values, longest := reveal(ids), 0
	for _, value := range values {
		longest = max(longest, len(value))
	}
	places := make([]float64, longest)
	for place := range places {
		counts := map[int]int{}
		for _, value := range values {
			char := -1 // the id has ended
			if place < len(value) {
				char = int(value[place])
			}
			counts[char]++
		}
		places[place] = shannon(counts, len(values))
	}
	return places
}

func shannon(counts map[int]int, total int) float64 {
	bits := 0.0
	for _, count := range counts {
		share := float64(count) / float64(total)
		bits -= share * math.Log2(share)
	}
	return bits
}

// Rising is how many ids are greater than the one before. Of ids that time does
// not order it is about half; a counter or a clock has them all rise.
func Rising(ids []secret.Text) int {
	values := reveal(ids)
	rising := 0
	for i := 1; i < len(values); i++ {
		before, now := values[i-1], values[i]
		if len(now) > len(before) || len(now) == len(before) && now > before { // 10 comes after 9
			rising++
		}
	}
	return rising
}
