package trace

import (
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Spliced reports whether the id stands in the statement's text otherwise than
// as the value of one whole literal: its own characters have become SQL. A
// literal that holds the id once its escapes are undone is intact, whoever
// escaped it (psycopg2 does so on the client).
func (s Statement) Spliced(id secret.Text) bool {
	text, value := s.Text.Reveal(), id.Reveal()
	if !strings.Contains(text, value) {
		return false
	}
	values, open := literals(text)
	if open {
		return true
	}
	for _, literal := range values {
		if strings.Contains(literal, value) {
			return false
		}
	}
	return true
}

// literals are the values of a statement's string literals; open says that the
// last one does not end. Quoted names and comments are passed over.
func literals(text string) (values []string, open bool) {
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "--"):
			i += line(rest)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return values, true
			}
			i += end + 4
		case rest[0] == '"':
			_, used, closed := quoted(rest, '"', false)
			if !closed {
				return values, true
			}
			i += used
		case rest[0] == '\'':
			escapes := i > 0 && (text[i-1] == 'E' || text[i-1] == 'e')
			value, used, closed := quoted(rest, '\'', escapes)
			values = append(values, value)
			if !closed {
				return values, true
			}
			i += used
		case rest[0] == '$':
			value, used, closed := dollarQuoted(rest)
			if used > 1 {
				values = append(values, value)
			}
			if !closed {
				return values, true
			}
			i += used
		default:
			i++
		}
	}
	return values, false
}

func line(text string) int {
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end + 1
	}
	return len(text)
}

// quoted reads from one mark to the next; a doubled mark stands for itself.
func quoted(text string, mark byte, escapes bool) (value string, used int, closed bool) {
	var read strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\' && i+1 < len(text):
			i++
			read.WriteByte(text[i])
		case text[i] != mark:
			read.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == mark:
			i++
			read.WriteByte(mark)
		default:
			return read.String(), i + 1, true
		}
	}
	return read.String(), len(text), false
}

// dollarQuoted reads $tag$…$tag$. A dollar that begins none, as in $1, is one
// character of the text.
func dollarQuoted(text string) (value string, used int, closed bool) {
	end := strings.IndexByte(text[1:], '$')
	if end < 0 || strings.ContainsAny(text[1:1+end], " \t\r\n'\"(),;=") || end > 0 && text[1] >= '0' && text[1] <= '9' {
		return "", 1, true
	}
	tag := text[:end+2]
	stop := strings.Index(text[len(tag):], tag)
	if stop < 0 {
		return text[len(tag):], len(text), false
	}
	return text[len(tag) : len(tag)+stop], stop + 2*len(tag), true
}
