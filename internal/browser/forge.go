package browser

import (
	"crypto/rand"
	"math/big"
	"regexp"
	"slices"
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
		s.world.watch(id)
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
		payload, signature := unsign(model.Reveal())
		return payload + unlike(signature)
	}
	return unlike(model.Reveal())
}

// unsign cuts a signed value before its signature. A single "-" parts nothing:
// it is a digit of base64url.
func unsign(value string) (payload, signature string) {
	for _, mark := range []string{".", "|", "--"} {
		if at := strings.LastIndex(value, mark); at >= 0 && at+len(mark) < len(value) {
			return value[:at+len(mark)], value[at+len(mark):]
		}
	}
	return "", value
}

// unlike draws until the value is another than the model, which for a short one
// may take a few.
func unlike(model string) string {
	for range 20 {
		if made := alike(model); made != model {
			return made
		}
	}
	return pick("0123456789abcdef", 32)
}

var (
	hexLower  = regexp.MustCompile(`^[0-9a-f-]+$`)
	hexUpper  = regexp.MustCompile(`^[0-9A-F-]+$`)
	escape    = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	uuidShape = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// alike draws a value of the same length and the same classes of characters.
// The version and variant of a UUID and escapes such as %3A stay, or strict
// parsers would refuse it.
func alike(model string) string {
	kept := escape.FindAllStringIndex(model, -1)
	if uuidShape.MatchString(model) {
		kept = [][]int{{14, 15}, {19, 20}}
	}
	made := []byte(model)
	for i, char := range made {
		within := func(span []int) bool { return span[0] <= i && i < span[1] }
		if strings.IndexByte(digits+lower+upper, char) >= 0 && !slices.ContainsFunc(kept, within) {
			made[i] = pick(class(model, rune(char)), 1)[0]
		}
	}
	return string(made)
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

// Disguise changes the id in each slot.
func (s *Stage) Disguise(credential trace.Credential, change func(id string) string) trace.Credential {
	var disguised trace.Credential
	for _, held := range credential {
		held.ID = secret.New(change(held.ID.Reveal()))
		s.world.watch(held.ID)
		disguised = append(disguised, held)
	}
	return disguised
}
