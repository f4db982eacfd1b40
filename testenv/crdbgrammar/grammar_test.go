// Package crdbgrammar has CockroachDB's own grammar read every statement of
// internal/store. It is a module of its own because the parser brings 54
// others, and the product must not ship any of them; it has tests only. The
// grammar knows no functions, settings or types: only a server does.
package crdbgrammar

import (
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
)

const statements = "../../internal/store/testdata/statements.txt"

func TestCockroachDBTakesEveryStatement(t *testing.T) {
	content, err := os.ReadFile(statements)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		server, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name, statement, whole := strings.Cut(rest, "\t")
		if !whole {
			t.Fatalf("not a line of the file: %q", line)
		}
		parsed, err := parser.Parse(statement)
		if want := server != "postgres"; (err == nil) != want {
			t.Errorf("%s, for %s: %v\n%s", name, server, err, statement)
		}
		if err == nil && len(parsed) != 1 {
			t.Errorf("%s is %d statements", name, len(parsed))
		}
		read++
	}
	if read < 40 {
		t.Errorf("the file has %d statements only", read)
	}
}

// The grammar must be able to say no, or the test above proves nothing.
func TestTheGrammarRefuses(t *testing.T) {
	for _, statement := range []string{
		"SELECT id FROM sessions AS OF SYSTEM TIME",
		"SELECT id FROM sessions WHERE token = 'it's'",
		"UPDATE sessions SET WHERE id = $1",
		"LISTEN sessions",
	} {
		if _, err := parser.Parse(statement); err == nil {
			t.Errorf("took %s", statement)
		}
	}
}
