package store

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sql  string
		want []statement
	}{
		"nothing":            {" \n-- only this\n/* and; this */;;\n", nil},
		"no last semicolon":  {"SELECT 1", []statement{{"SELECT 1", 1}}},
		"lines":              {"SELECT 1;\n\n-- c\nSELECT\n2 ;SELECT 3\n\n", []statement{{"SELECT 1", 1}, {"SELECT\n2", 4}, {"SELECT 3", 5}}},
		"windows lines":      {"SELECT 1; -- c;\r\nSELECT 2\r\n;", []statement{{"SELECT 1", 1}, {"SELECT 2", 2}}},
		"strings":            {`A ';' ';''' "x;""" U&';\' N';' X';';B`, []statement{{`A ';' ';''' "x;""" U&';\' N';' X';'`, 1}, {"B", 1}}},
		"backslash is plain": {`A '\'; B`, []statement{{`A '\'`, 1}, {"B", 1}}},
		"backslash escapes":  {`A E'\';' e'\\'; b'\';'`, []statement{{`A E'\';' e'\\'`, 1}, {`b'\';'`, 1}}},
		"doubled in escapes": {`A E''';'; B`, []statement{{`A E''';'`, 1}, {"B", 1}}},
		"name ends in e":     {`SELECT name'\'; B`, []statement{{`SELECT name'\'`, 1}, {"B", 1}}},
		"not continued":      {`A E'x' '\'; B`, []statement{{`A E'x' '\'`, 1}, {"B", 1}}},
		"dollar":             {"A $$;$x$;$$; B $é1$;$$;$é1$", []statement{{"A $$;$x$;$$", 1}, {"B $é1$;$$;$é1$", 1}}},
		"no dollar quote":    {"A $1, a$b$; B $1$; C $", []statement{{"A $1, a$b$", 1}, {"B $1$", 1}, {"C $", 1}}},
		"after a number":     {"A 1$$;$$; B 1e'\\'; C", []statement{{"A 1$$;$$", 1}, {"B 1e'\\'", 1}, {"C", 1}}},
		"parentheses":        {"A (;(;);); B); C", []statement{{"A (;(;);)", 1}, {"B)", 1}, {"C", 1}}},
		"comment in between": {"A/*;*/B--;\n;C", []statement{{"A/*;*/B--;", 1}, {"C", 2}}},
		"minus, divided":     {"A - -1; B / 2 * /*;*/ 3", []statement{{"A - -1", 1}, {"B / 2 * /*;*/ 3", 1}}},
		"begin atomic": {"create procedure p() begin atomic a; case when b then c end; end; BEGIN; END",
			[]statement{{"create procedure p() begin atomic a; case when b then c end; end", 1}, {"BEGIN", 1}, {"END", 1}}},
		"psql command":    {"\\set x 'y\nA;\n \\echo ;\n", []statement{{`\set x 'y`, 1}, {"A", 2}, {`\echo ;`, 3}}},
		"data after COPY": {"A;\ncopy t from stdin;\nit's\n\\.\n", []statement{{"A", 1}, {"copy t from stdin", 2}}},
		"COPY of a file":  {"COPY t FROM '/stdin'; B", []statement{{"COPY t FROM '/stdin'", 1}, {"B", 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problem := split(test.sql)
			if problem != nil {
				t.Fatalf("unclosed %+v", *problem)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(statement{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "SELECT 1; SELECT 'a;''b'; -- c\n", "E'\\'' \n 'x;'", "$a$;$a$;$$;", "/*/**/;*/;", "(;);)", "\\x\n;",
		"create or replace function f() begin atomic; case end; end;", "COPY a FROM stdin;\nx", "é\"\"\";;\"", "'", "E'", "$x$", "/*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		found, problem := split(sql)
		if problem != nil {
			if found != nil || problem.line < 1 || problem.line > 1+strings.Count(sql, "\n") {
				t.Fatalf("problem %+v with %d statements", *problem, len(found))
			}
			return
		}
		at := 0
		for _, one := range found {
			next := strings.Index(sql[at:], one.text)
			if one.text == "" || next < 0 {
				t.Fatalf("%q is not in the rest", one.text)
			}
			if line := 1 + strings.Count(sql[:at], "\n"); one.line < line {
				t.Fatalf("line %d, but the text before it ends in line %d", one.line, line)
			}
			alone(t, one)
			at += next + len(one.text)
		}
	})
}

// alone: a statement cut out of its file is still one statement.
func alone(t *testing.T, one statement) {
	t.Helper()
	again, problem := split(one.text)
	if problem != nil || len(again) != 1 || again[0].text != one.text || again[0].line != 1 {
		t.Fatalf("%q alone: %v, %+v", one.text, again, problem)
	}
	if utf8.ValidString(one.text) && strings.TrimSpace(one.text) == "" {
		t.Fatalf("empty statement %q", one.text)
	}
}
