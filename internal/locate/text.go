package locate

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// format is the method of a text that fills in its braces, not called yet.
type format struct{ of text }

// The places that the two ways to fill in a text have.
var (
	percent = regexp.MustCompile(`%(?:\((\w+)\))?[-+ #0-9.]*[sdrx]`)
	braced  = regexp.MustCompile(`\{(\w*)(?:![rsa])?(?::[^{}]*)?\}`)
)

// filled is a text with values in its places, as far as they are known.
func filled(left value, places *regexp.Regexp, given arguments) value {
	whole := textOf(left)
	parts, next, end := list{}, 0, 0
	var made strings.Builder
	for _, found := range places.FindAllStringSubmatchIndex(whole, mostItems) {
		name := ""
		if found[2] >= 0 {
			name = whole[found[2]:found[3]]
		}
		at, err := strconv.Atoi(name)
		if name == "" || err != nil {
			at = -1
		}
		if name == "" {
			at = next
			next++
		}
		v := reformed(given.get(name, at))
		between := text(whole[end:found[0]])
		parts = append(parts, between, v)
		made.WriteString(string(between) + textOf(v))
		end = found[1]
	}
	parts = append(parts, text(whole[end:]))
	return sentIn(parts, made.String()+whole[end:])
}

// reformed is a value whose text is not the one that it had.
func reformed(v value) value {
	switch known := v.(type) {
	case *sentValue:
		if known.chosen() == nil {
			return nil
		}
		return known.alone()
	case text:
		return known
	}
	return nil
}

// listed are the values on the right of %.
func listed(v value) list {
	if many, ok := v.(list); ok {
		return many
	}
	return list{v}
}

// longestName bounds a name that is shown.
const longestName = 64

// shown is a name of the source for a reader: it may hold anything.
func shown(name string) string {
	name = strings.Map(func(char rune) rune {
		if unicode.IsPrint(char) {
			return char
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(name); len(runes) > longestName {
		return string(runes[:longestName]) + "…"
	}
	return name
}
