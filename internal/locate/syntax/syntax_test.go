package syntax_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

func parsers(t testing.TB) *syntax.Parsers {
	t.Helper()
	made, err := syntax.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made
}

func TestEveryGrammarParses(t *testing.T) {
	t.Parallel()
	p := parsers(t)
	for language, example := range map[syntax.Language]struct{ source, kind, text string }{
		syntax.Python:     {"# é\n\n@app.post(f'/{x}')\nasync def login(body: Model = None, *, y): ...\n", "decorated_definition", "@app.post(f'/{x}')\nasync def login(body: Model = None, *, y): ..."},
		syntax.JavaScript: {"const a = 1;\n\napp.get('/', async (req, res) => {})", "call_expression", "app.get('/', async (req, res) => {})"},
		syntax.TypeScript: {"const a: number = 1;\n\napp.get<T>('/', (req: Request): void => {})", "call_expression", "app.get<T>('/', (req: Request): void => {})"},
		syntax.Java:       {"@A\n\nclass B { @PostMapping(\"/x\") void c() {} }", "class_declaration", "@A\n\nclass B { @PostMapping(\"/x\") void c() {} }"},
		syntax.Ruby:       {"# é\n\n  get \"login/:id\" => 'sessions#new', via: %i[get post] do |x| x&.y ||= <<~A; end\n#{a}\nA\n", "call", "get \"login/:id\" => 'sessions#new', via: %i[get post] do |x| x&.y ||= <<~A; end"},
	} {
		tree, err := p.Parse(t.Context(), language, []byte(example.source))
		if err != nil {
			t.Errorf("%s: %v", language, err)
			continue
		}
		found := false
		for node := range tree.Root().All() {
			if node.Kind() == "ERROR" {
				t.Errorf("%s: %q is an error", language, node.Text())
			}
			if node.Kind() == example.kind && node.Text() == example.text {
				found = true
				if want := 1 + strings.Count(example.source[:strings.Index(example.source, example.text)], "\n"); node.Line() != want {
					t.Errorf("%s: line %d, want %d", language, node.Line(), want)
				}
			}
		}
		if !found {
			t.Errorf("%s: no %s", language, example.kind)
		}
	}
}

func TestFieldsAndChildren(t *testing.T) {
	t.Parallel()
	tree, err := parsers(t).Parse(t.Context(), syntax.Python, []byte("a = b + c  # d\n"))
	if err != nil {
		t.Fatal(err)
	}
	assignment := tree.Root().Child("expression_statement").Child("assignment")
	right := assignment.Field("right")
	got := fmt.Sprint(assignment.Field("left").Text(), right.Field("left").Text(), right.Field("operator").Text(), right.Field("right").Text(), right.FieldName())
	if got != fmt.Sprint("a", "b", "+", "c", "right") {
		t.Error(got)
	}
	if none := right.Field("body"); !none.IsZero() || none.Kind() != "" || none.Text() != "" || none.Line() != 0 || none.Missing() {
		t.Errorf("no field gives %v", none)
	}
	for range none().All() {
		t.Error("none has something below it")
	}
}

func none() syntax.Node { return syntax.Node{} }

func TestBrokenSourcesHaveTrees(t *testing.T) {
	t.Parallel()
	p := parsers(t)
	for name, source := range map[string]string{
		"empty": "", "half": "def login(:\n  x = (", "zero": "a = '\x00'", "latin1": "a = '\xe9'\nb = 1\n", "binary": strings.Repeat("\xff\xfe\x00", 999),
		"deep": strings.Repeat("(", 20_000), "indents": strings.Repeat("if a:\n ", 3000), "string": `"""` + strings.Repeat("{", 50_000), "crlf": "a = 1\r\nb = 2\r\n",
		"f-strings": strings.Repeat(`f"{`, 5000), "long line": strings.Repeat("a,", 300_000),
	} {
		tree, err := p.Parse(t.Context(), syntax.Python, []byte(source))
		if err != nil && !errors.Is(err, syntax.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && tree.Root().IsZero() {
			t.Errorf("%s: no root", name)
		}
	}
	if _, err := p.Parse(t.Context(), syntax.Python, make([]byte, syntax.Longest+1)); !errors.Is(err, syntax.ErrRefused) {
		t.Errorf("too long: %v", err)
	}
	if _, err := p.Parse(t.Context(), "cobol", nil); err == nil {
		t.Error("there is a grammar for cobol")
	}
}

func TestParsersWorkSideBySide(t *testing.T) {
	t.Parallel()
	p := parsers(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			want := fmt.Sprintf("name_%d", i)
			tree, err := p.Parse(t.Context(), syntax.Python, []byte(want+" = 1"))
			if err != nil {
				t.Error(err)
				return
			}
			if got := tree.Root().Child("expression_statement").Child("assignment").Field("left").Text(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	group.Wait()
}

// TestGrammarsAreThoseThatWereBuilt keeps a grammar from being swapped unseen.
func TestGrammarsAreThoseThatWereBuilt(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("grammars/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("grammars/*.wasm.gz")
	if err != nil || len(files) != strings.Count(string(sums), "\n") {
		t.Fatalf("%d grammars, %d sums, %v", len(files), strings.Count(string(sums), "\n"), err)
	}
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		data, err := os.ReadFile(filepath.Join("grammars", filepath.Base(name)))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not the one that was built", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	p := parsers(f)
	for _, seed := range []string{"def a(): pass", "@x\nclass A(B):\n\tx: int = 1", "f'{a!r:{b}}'", "match a:\n case _: ..."} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		tree, err := p.Parse(t.Context(), syntax.Python, source)
		if err != nil {
			if !errors.Is(err, syntax.ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		for node := range tree.Root().All() {
			_, _ = node.Kind(), node.Text()
			if node.Line() < 1 {
				t.Fatal("a node without a line")
			}
		}
	})
}
