package browser

import (
	"crypto/rand"
	"math/big"
	"regexp"
	"strings"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	digits = "0123456789"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Forge makes an id in each slot of the carrier that the server never issued.
func (s *Stage) Forge(shape probe.Shape) trace.Credential {
	var forged trace.Credential
	for i, slot := range s.facts.Carrier {
		model := secret.Text{}
		if i < len(s.facts.Sample) {
			model = s.facts.Sample[i].ID
		}
		id := secret.New(forge(shape, model, s.facts.Stateless))
		s.world.options.Redactor.Add(id)
		forged = append(forged, trace.Held{Slot: slot, ID: id})
	}
	return forged
}

func forge(shape probe.Shape, model secret.Text, signed bool) string {
	switch {
	case shape == probe.OneChar:
		return pick(lower+digits, 1)
	case shape == probe.Words:
		return "fixated-by-attacker-" + pick(lower, 6)
	case model.IsZero():
		return pick("0123456789abcdef", 32)
	case signed:
		// Only the signature is wrong: a payload that does not parse would be
		// refused for another reason than the one in question.
		value := model.Reveal()
		cut := strings.LastIndexAny(value, ".-|") + 1
		return value[:cut] + alike(value[cut:])
	}
	return alike(model.Reveal())
}

var (
	hexLower  = regexp.MustCompile(`^[0-9a-f-]+$`)
	hexUpper  = regexp.MustCompile(`^[0-9A-F-]+$`)
	uuidShape = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// alike draws a value of the same length and the same classes of characters.
// The version and variant of a UUID stay, or strict parsers would refuse it.
func alike(model string) string {
	isUUID := uuidShape.MatchString(model)
	var made strings.Builder
	for i, char := range model {
		switch {
		case isUUID && (i == 14 || i == 19):
			made.WriteRune(char)
		case !strings.ContainsRune(digits+lower+upper, char):
			made.WriteRune(char)
		default:
			made.WriteString(pick(class(model, char), 1))
		}
	}
	return made.String()
}

func class(model string, char rune) string {
	switch {
	case hexLower.MatchString(model) && strings.ContainsAny(model, "abcdef"):
		return digits + "abcdef"
	case hexUpper.MatchString(model) && strings.ContainsAny(model, "ABCDEF"):
		return digits + "ABCDEF"
	case strings.ContainsRune(digits, char):
		return digits
	case strings.ContainsRune(lower, char):
		return lower
	}
	return upper
}

// pick draws n characters of the alphabet.
func pick(alphabet string, n int) string {
	drawn := make([]byte, n)
	for i := range drawn {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic("browser: the system has no randomness: " + err.Error())
		}
		drawn[i] = alphabet[at.Int64()]
	}
	return string(drawn)
}
