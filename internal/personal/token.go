package personal

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/=:%-]{16,}$`)
	uuidForm  = regexp.MustCompile(`^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	chainForm = regexp.MustCompile(`^0[xX][0-9A-Fa-f]+$`) // an address or a transaction of a public ledger
)

// isToken reports whether a value looks drawn at random, as a session id does, and
// not made of words and numbers, as a name for an address is (KubeCon-EU-2024-1A3F).
func isToken(value string) bool {
	if !tokenForm.MatchString(value) || chainForm.MatchString(value) ||
		!strings.ContainsAny(value, "0123456789") || !strings.ContainsFunc(value, unicode.IsLetter) {
		return false
	}
	return uuidForm.MatchString(value) || !isSlug(value) && !isWordy(value)
}

func isSeparator(char rune) bool { return !unicode.IsLetter(char) && !unicode.IsDigit(char) }

// isSlug reports whether a value has three parts or more, each a number, a word or short.
func isSlug(value string) bool {
	parts := strings.FieldsFunc(value, isSeparator)
	return len(parts) > 2 && !slices.ContainsFunc(parts, func(part string) bool { return !isPlain(part) })
}

// isPlain reports whether a part is short, a number, or letters that change between
// upper and lower case no more often than words do.
func isPlain(part string) bool {
	switch pieces := words(part); {
	case len(part) <= 4, strings.Trim(part, "0123456789") == "":
		return true
	case strings.ContainsAny(part, "0123456789"):
		return false
	default:
		return len(part) >= 3*len(pieces)
	}
}

// isWordy reports whether most of a value reads as words: runs of letters with as
// many vowels as speech has. Of letters drawn at random one in five is one.
func isWordy(value string) bool {
	worded, vowels, letters := 0, 0, 0
	for _, piece := range words(value) {
		for _, run := range strings.FieldsFunc(piece, unicode.IsDigit) {
			voiced := countVowels(run)
			letters, vowels = letters+len(run), vowels+voiced
			if len(run) >= 4 && 4*voiced >= len(run) && 5*voiced <= 3*len(run) {
				worded += len(run)
			}
		}
	}
	return 5*worded > 3*len(value) && 3*vowels > letters
}

func countVowels(text string) (count int) {
	for _, char := range text {
		if strings.ContainsRune("aeiou", char) {
			count++
		}
	}
	return count
}
