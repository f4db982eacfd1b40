package store

import (
	"strings"
	"unicode/utf8"
)

// statement is one SQL statement of a file, without its semicolon.
type statement struct {
	text string
	line int // of its first character, from 1
}

// unclosed is a quote or comment that does not end.
type unclosed struct {
	line int
	what string
}

// split cuts a file at the semicolons that end a statement, as psql does: not
// in strings, quoted names, dollar quotes and comments, nor between
// parentheses (CREATE RULE), nor in a body of BEGIN ATOMIC … END. A line that
// begins with a backslash where a statement could is one of psql's commands
// and comes back as a statement of its own. After COPY … FROM stdin comes data,
// not SQL: that statement is the last.
func split(sql string) ([]statement, *unclosed) {
	s := splitter{sql: sql, line: 1, begin: -1}
	for s.at < len(s.sql) && !s.data {
		if s.step(); s.problem != nil {
			return nil, s.problem
		}
	}
	if s.data {
		return s.found, nil
	}
	s.end(len(s.sql))
	return s.found, nil
}

type splitter struct {
	sql     string
	at      int
	line    int // of what lies at counted
	counted int
	begin   int // where the statement starts, -1 before it does
	found   []statement
	problem *unclosed
	data    bool // what follows is not SQL

	parens int
	words  []byte // first letters of the leading words that make a CREATE FUNCTION
	seen   int    // words so far
	blocks int    // open BEGIN ATOMIC and, inside one, CASE
}

func (s *splitter) rest() string { return s.sql[s.at:] }

// step takes one token.
func (s *splitter) step() {
	rest := s.rest()
	switch c := rest[0]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		s.at++
		return
	case strings.HasPrefix(rest, "--"):
		s.at += lineEnd(rest)
		return
	case strings.HasPrefix(rest, "/*"):
		s.comment()
		return
	case c == ';' && s.parens == 0 && s.blocks == 0:
		s.end(s.at)
		s.at++
		return
	case c == '\\' && s.begin < 0:
		s.begin = s.at
		s.at += lineEnd(rest)
		s.end(s.at)
		return
	}
	if s.begin < 0 {
		s.begin = s.at
	}
	s.token(rest)
}

func (s *splitter) token(rest string) {
	switch c := rest[0]; {
	case c == '\'':
		s.text(false)
	case c == '"':
		s.quoted('"', "quoted name")
	case c == '$':
		s.dollar()
	case isStart(c):
		s.word()
	case c >= '0' && c <= '9':
		// 1e'x' is a number before a string, not an escape string; but no
		// number takes the dollar that a name may hold.
		number, _, _ := strings.Cut(rest[:wordEnd(rest)], "$")
		s.at += len(number)
	default:
		s.parens += depth(c)
		s.parens = max(s.parens, 0)
		s.at++
	}
}

func depth(c byte) int {
	switch c {
	case '(':
		return 1
	case ')':
		return -1
	}
	return 0
}

// end closes the statement that lies before position to.
func (s *splitter) end(to int) {
	if s.begin >= 0 {
		text := strings.TrimRight(s.sql[s.begin:to], " \t\n\v\f\r")
		s.found = append(s.found, statement{text: text, line: s.lineOf(s.begin)})
		s.data = copiesIn(text)
	}
	s.begin, s.parens, s.words, s.seen, s.blocks = -1, 0, nil, 0, 0
}

// lineOf counts on from the last place it was asked for; places only grow.
func (s *splitter) lineOf(place int) int {
	s.line += strings.Count(s.sql[s.counted:place], "\n")
	s.counted = place
	return s.line
}

func (s *splitter) open(from int, what string) {
	s.problem = &unclosed{line: 1 + strings.Count(s.sql[:from], "\n"), what: what}
	s.at = len(s.sql)
}

// word takes a name or keyword, and the string that follows a prefix which
// makes backslashes escape: E everywhere, B in CockroachDB (in PostgreSQL a
// bit string holds no backslash).
func (s *splitter) word() {
	length := wordEnd(s.rest())
	word := s.sql[s.at : s.at+length]
	s.at += length
	if escapes := strings.EqualFold(word, "e") || strings.EqualFold(word, "b"); escapes && strings.HasPrefix(s.rest(), "'") {
		s.text(true)
		return
	}
	s.note(strings.ToLower(word))
}

// note follows psql's rule for SQL-standard function bodies.
func (s *splitter) note(word string) {
	switch word {
	case "create", "function", "procedure", "or", "replace":
		if s.seen < 4 {
			s.words = append(s.words, word[0])
		}
	default:
		if s.seen < 4 {
			s.words = append(s.words, 0)
		}
	}
	s.seen++
	if s.parens > 0 || !s.definesFunction() {
		return
	}
	switch {
	case word == "begin", word == "case" && s.blocks > 0:
		s.blocks++
	case word == "end" && s.blocks > 0:
		s.blocks--
	}
}

func (s *splitter) definesFunction() bool {
	words := string(s.words)
	for _, start := range []string{"cf", "cp", "corf", "corp"} {
		if strings.HasPrefix(words, start) {
			return true
		}
	}
	return false
}

// text takes a string in single quotes. One with escapes goes on over a line
// break into the next string, escapes included.
func (s *splitter) text(escapes bool) {
	if !escapes {
		s.quoted('\'', "string")
		return
	}
	from := s.at
	for {
		length := escaped(s.rest())
		if length < 0 {
			s.open(from, "string")
			return
		}
		s.at += length
		next := continued(s.rest())
		if next < 0 {
			return
		}
		s.at += next
	}
}

// escaped is the length of the string with backslashes that text begins with,
// -1 when it does not end.
func escaped(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '\'' && strings.HasPrefix(text[i+1:], "'"):
			i++
		case text[i] == '\'':
			return i + 1
		}
	}
	return -1
}

// continued is the distance to the next part of a string: only space, line
// comments and at least one line break may be between. -1 when there is none.
func continued(text string) int {
	broken := false
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\n' || c == '\r':
			broken = true
			i++
		case c == ' ' || c == '\t' || c == '\f' || c == '\v':
			i++
		case strings.HasPrefix(text[i:], "--"):
			i += lineEnd(text[i:])
		case c == '\'' && broken:
			return i
		default:
			return -1
		}
	}
	return -1
}

// quoted takes what lies between two marks. A doubled mark inside ends one
// part and begins the next, which comes to the same.
func (s *splitter) quoted(mark byte, what string) {
	length := strings.IndexByte(s.rest()[1:], mark)
	if length < 0 {
		s.open(s.at, what)
		return
	}
	s.at += length + 2
}

// dollar takes $tag$ … $tag$, or the dollar of a parameter.
func (s *splitter) dollar() {
	rest := s.rest()
	length := 1
	if length < len(rest) && isStart(rest[length]) {
		for length < len(rest) && rest[length] != '$' && isPart(rest[length]) {
			length++
		}
	}
	if length >= len(rest) || rest[length] != '$' {
		s.at++
		return
	}
	tag := rest[:length+1]
	body := strings.Index(rest[len(tag):], tag)
	if body < 0 {
		s.open(s.at, "dollar quote "+tag)
		return
	}
	s.at += body + 2*len(tag)
}

// comment takes /* … */, which nest.
func (s *splitter) comment() {
	from, open := s.at, 0
	for s.at < len(s.sql) {
		switch rest := s.rest(); {
		case strings.HasPrefix(rest, "/*"):
			open++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			open--
			s.at += 2
		default:
			s.at++
		}
		if open == 0 {
			return
		}
	}
	s.open(from, "comment")
}

// lineEnd is the length of a line without its break.
func lineEnd(text string) int {
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		return end
	}
	return len(text)
}

func wordEnd(text string) int {
	for i := range len(text) {
		if !isPart(text[i]) {
			return i
		}
	}
	return len(text)
}

func isStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

func isPart(c byte) bool { return isStart(c) || c == '$' || c >= '0' && c <= '9' }
