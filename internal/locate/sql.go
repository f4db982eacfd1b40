package locate

import (
	"slices"
	"strings"
)

// written is a column of a statement that keeps something, and what is put there.
type written struct {
	verb   string // "INSERT" or "UPDATE"
	table  string
	column string // in small letters; "" where the statement names none
	slots  []slot // of the expression
	// finds says that the column is not set: the row of that value is, and gets a
	// user.
	finds bool
}

// slot is where a statement has a parameter.
type slot struct {
	name   string // of a named one
	number int    // of the others, from 0; -1 for a named one
	inText bool   // put into the text itself
}

// longestStatement bounds what is read of a statement, in tokens.
const longestStatement = 2000

// writes are the columns that a statement of SQL writes.
func writes(statement string) []written {
	r := &sqlReader{tokens: tokensOf(statement)}
	var made []written
	for !r.done() {
		switch {
		case r.word("INTO") && r.before("INSERT", "REPLACE", "UPSERT", "IGNORE"):
			made = append(made, r.insert()...)
		case r.word("UPDATE") && !r.before("DO", "FOR", "ON", "KEY"):
			made = append(made, r.update()...)
		default:
			r.at++
		}
	}
	return made
}

// sqlToken is a word, a slot or a sign.
type sqlToken struct {
	text string
	slot *slot
}

type sqlReader struct {
	tokens []sqlToken
	at     int
}

func (r *sqlReader) done() bool { return r.at >= len(r.tokens) }

func (r *sqlReader) peek() sqlToken {
	if r.done() {
		return sqlToken{}
	}
	return r.tokens[r.at]
}

func (r *sqlReader) word(name string) bool { return strings.EqualFold(r.peek().text, name) }

func (r *sqlReader) before(names ...string) bool {
	return r.at > 0 && slices.Contains(names, strings.ToUpper(r.tokens[r.at-1].text))
}

// table reads a name with its schema.
func (r *sqlReader) table() string {
	name := r.peek().text
	for r.at++; r.peek().text == "." && r.at+1 < len(r.tokens); r.at += 2 {
		name = r.tokens[r.at+1].text
	}
	return name
}

func (r *sqlReader) insert() []written {
	r.at++
	table := r.table()
	var columns []string
	if r.peek().text == "(" {
		for _, one := range r.group() {
			if len(one) > 0 {
				columns = append(columns, strings.ToLower(one[len(one)-1].text))
			}
		}
	}
	for !r.done() && !r.word("VALUES") && !r.word("SELECT") && !r.word("INTO") {
		r.at++
	}
	var values [][]sqlToken
	switch {
	case r.word("VALUES"):
		r.at++
		values = r.group()
	case r.word("SELECT"):
		r.at++
		values = r.items("FROM", "WHERE", "ON", "RETURNING")
	}
	var made []written
	for i, value := range values {
		one := written{verb: "INSERT", table: table, slots: slotsOf(value)}
		if i < len(columns) {
			one.column = columns[i]
		}
		made = append(made, one)
	}
	return made
}

func (r *sqlReader) update() []written {
	r.at++
	table := r.table()
	for !r.done() && !r.word("SET") {
		if r.at++; r.word("UPDATE") {
			return nil
		}
	}
	r.at++
	var made []written
	binds, renames := false, false
	for _, set := range r.items("WHERE", "FROM", "RETURNING") {
		column, value, ok := assigned(set)
		if !ok {
			continue
		}
		made = append(made, written{verb: "UPDATE", table: table, column: column, slots: slotsOf(value)})
		isNull := len(value) == 1 && strings.EqualFold(value[0].text, "NULL")
		binds = binds || isUser(column) && !isNull
		renames = renames || isSession(column)
	}
	if !r.word("WHERE") || !binds || renames {
		return made
	}
	r.at++
	for _, condition := range r.items("RETURNING") {
		for at := 1; at+1 < len(condition); at++ {
			if column, value, ok := assigned(condition[at-1 : at+2]); ok && len(slotsOf(value)) > 0 {
				made = append(made, written{verb: "UPDATE", table: table, column: column, slots: slotsOf(value), finds: true})
			}
		}
	}
	return made
}

// assigned reads "column = value".
func assigned(tokens []sqlToken) (column string, value []sqlToken, ok bool) {
	at := slices.IndexFunc(tokens, func(t sqlToken) bool { return t.text == "=" })
	if at < 1 {
		return "", nil, false
	}
	return strings.ToLower(tokens[at-1].text), tokens[at+1:], true
}

// group reads what stands between brackets, parted by commas.
func (r *sqlReader) group() [][]sqlToken {
	if r.peek().text != "(" {
		return nil
	}
	r.at++
	made := r.items()
	r.at++
	return made
}

// items reads up to a closing bracket or one of the words.
func (r *sqlReader) items(ends ...string) [][]sqlToken {
	made := [][]sqlToken{nil}
	for depth := 0; !r.done(); r.at++ {
		token := r.peek()
		switch {
		case token.text == ")" && depth == 0 || token.text == ";":
			return made
		case depth == 0 && slices.Contains(ends, strings.ToUpper(token.text)):
			return made
		case token.text == "," && depth == 0:
			made = append(made, nil)
			continue
		case token.text == "(":
			depth++
		case token.text == ")":
			depth--
		}
		made[len(made)-1] = append(made[len(made)-1], token)
	}
	return made
}

func slotsOf(tokens []sqlToken) []slot {
	var made []slot
	for _, token := range tokens {
		if token.slot != nil {
			made = append(made, *token.slot)
		}
	}
	return made
}

// tokensOf parts a statement. The slots of a text are unknownPart, those of the
// drivers %s, %(name)s, ?, $1, :name and @name.
func tokensOf(statement string) []sqlToken {
	var made []sqlToken
	plainHoles, textHoles := 0, 0
	for rest := statement; rest != "" && len(made) < longestStatement; {
		size, token := 1, sqlToken{}
		switch char := rest[0]; {
		case char == unknownPart[0]:
			token.slot = &slot{number: textHoles, inText: true}
			textHoles++
		case char == '?' || strings.HasPrefix(rest, "%s"):
			size = len("%s")
			if char == '?' {
				size = 1
			}
			token.slot = &slot{number: plainHoles}
			plainHoles++
		case strings.HasPrefix(rest, "%("):
			name, _, _ := strings.Cut(rest[2:], ")")
			size = min(len("%()s")+len(name), len(rest))
			token.slot = &slot{name: name, number: -1}
		case char == '$' && wordLength(rest[1:]) > 0:
			size = 1 + wordLength(rest[1:])
			token.slot = numbered(rest[1:size])
		case strings.HasPrefix(rest, "::"):
			size = 2 + wordLength(rest[2:])
		case (char == ':' || char == '@') && wordLength(rest[1:]) > 0:
			size = 1 + wordLength(rest[1:])
			token.slot = &slot{name: rest[1:size], number: -1}
		case strings.HasPrefix(rest, "--"):
			line, _, _ := strings.Cut(rest, "\n")
			size = len(line)
		case char == '\'':
			size, token.slot = quoted(rest, &textHoles)
			token.text = "'"
		case char == '"' || char == '`':
			name, _, _ := strings.Cut(rest[1:], rest[:1])
			size, token.text = min(len(name)+2, len(rest)), name
		case wordLength(rest) > 0:
			size = wordLength(rest)
			token.text = rest[:size]
		case char > ' ':
			token.text = rest[:1]
		}
		if token.text != "" || token.slot != nil {
			made = append(made, token)
		}
		rest = rest[size:]
	}
	return made
}

func numbered(digits string) *slot {
	number := 0
	for _, char := range []byte(digits) {
		if char < '0' || char > '9' || number > mostItems {
			return &slot{name: digits, number: -1}
		}
		number = 10*number + int(char-'0')
	}
	return &slot{number: number - 1}
}

// quoted reads a text of SQL, and the first slot in it.
func quoted(rest string, textHoles *int) (size int, found *slot) {
	for size = 1; size < len(rest) && rest[size] != '\''; size++ {
		if rest[size] == unknownPart[0] {
			if found == nil {
				found = &slot{number: *textHoles, inText: true}
			}
			*textHoles++
		}
	}
	return min(size+1, len(rest)), found
}

func wordLength(text string) int {
	at := 0
	for at < len(text) && (text[at] == '_' || text[at] >= '0' && text[at] <= '9' || text[at] >= 'a' && text[at] <= 'z' || text[at] >= 'A' && text[at] <= 'Z' || text[at] >= 0x80) {
		at++
	}
	return at
}
