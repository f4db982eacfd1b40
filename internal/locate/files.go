package locate

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// Limits bound what is read of a workspace. Zero fields take the defaults.
type Limits struct {
	Entries   int   // files and folders that are looked at; 50,000
	Files     int   // source files that are known; 10,000
	Depth     int   // of folders inside each other; 24
	FileBytes int64 // of one file; longer ones are left out; 1 MiB, and no more
	Bytes     int64 // of all files together that are parsed; 24 MiB
}

const (
	mostEntriesSeen = 50_000
	mostFiles       = 10_000
	mostFolders     = 24
	mostBytes       = 24 << 20
)

func (l Limits) filled() Limits {
	return Limits{
		Entries: cmp.Or(max(l.Entries, 0), mostEntriesSeen), Files: cmp.Or(max(l.Files, 0), mostFiles),
		Depth:     cmp.Or(max(l.Depth, 0), mostFolders),
		FileBytes: min(cmp.Or(max(l.FileBytes, 0), syntax.Longest), syntax.Longest), Bytes: cmp.Or(max(l.Bytes, 0), mostBytes),
	}
}

// strangers are folders whose sources are not the API's own.
var strangers = []string{
	"node_modules", "venv", "env", "vendor", "site-packages", "__pycache__", "dist", "build", "target", "bower_components", "tmp",
}

// files are the sources of a workspace. A file is read when it is asked for;
// one that cannot be is as if it were not there.
type files struct {
	root    *os.Root
	limits  Limits
	names   []string // in order
	sizes   map[string]int64
	folders map[string]bool
	left    int64 // bytes that may still be parsed

	parsers *syntax.Parsers // nil until a file needs one
	trees   map[string]*syntax.Tree
	// incomplete says that a limit left something out.
	incomplete bool
	start      started
	commands   int               // that were read to learn it
	texts      map[string][]byte // that are kept, as several readers look at them
	kept       int64
}

// mostTextKept bounds the texts that are kept, in bytes.
const mostTextKept = 32 << 20

// walk lists the workspace. Links are left out: what they point to has a name
// of its own, or is none of ours.
func walk(ctx context.Context, folder string, limits Limits) (*files, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	made := &files{root: root, limits: limits.filled(), sizes: map[string]int64{}, folders: map[string]bool{}, trees: map[string]*syntax.Tree{}, texts: map[string][]byte{}}
	made.left = made.limits.Bytes
	seen := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if seen++; seen > made.limits.Entries || len(made.names) >= made.limits.Files || ctx.Err() != nil {
			made.incomplete = true
			return fs.SkipAll
		}
		switch {
		case err != nil:
			return nil // nobody's handler is in what cannot be read
		case entry.IsDir():
			return made.enter(name)
		case entry.Type().IsRegular():
			made.add(name, entry)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return made, nil
}

func (f *files) enter(name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || slices.Contains(strangers, base) || !utf8.ValidString(name) {
		return fs.SkipDir
	}
	if strings.Count(name, "/") >= f.limits.Depth {
		f.incomplete = true
		return fs.SkipDir
	}
	f.folders[name] = true
	return nil
}

func (f *files) add(name string, entry fs.DirEntry) {
	if languageOf(name) == none || !utf8.ValidString(name) || len(name) > longestText {
		return
	}
	info, err := entry.Info()
	if err != nil {
		return
	}
	if info.Size() > f.limits.FileBytes {
		f.incomplete = true
		return
	}
	f.names = append(f.names, name)
	f.sizes[name] = info.Size()
}

// kind is the language of a file.
type kind int

const (
	none kind = iota
	pythonFile
	scriptFile
	typedScriptFile
	javaFile
	goFile
	rubyFile
)

func languageOf(name string) kind {
	switch path.Ext(name) {
	case ".py":
		return pythonFile
	case ".js", ".mjs", ".cjs", ".jsx":
		return scriptFile
	case ".ts", ".mts", ".cts":
		return typedScriptFile
	case ".java":
		return javaFile
	case ".go":
		return goFile
	case ".rb":
		return rubyFile
	}
	return none
}

func (f *files) has(name string) bool { _, known := f.sizes[name]; return known }

func (f *files) hasFolder(name string) bool { return f.folders[name] }

// of are the files of a language, in order. Tests are left out, unless they
// are all there is: what they start answers nobody else.
func (f *files) of(language kind) []string {
	if !slices.ContainsFunc(f.names, func(name string) bool { return !isTest(name) }) {
		return f.withTests(language)
	}
	return slices.DeleteFunc(f.withTests(language), func(name string) bool {
		if inner, below := strings.CutPrefix(name, f.start.folder+"/"); below {
			name = inner // what is started is no test
		}
		return isTest(name)
	})
}

func (f *files) withTests(language kind) []string {
	var names []string
	for _, name := range f.names {
		if languageOf(name) == language && f.start.counts(name, language) {
			names = append(names, name)
		}
	}
	return names
}

var (
	testFolders = []string{"test", "tests", "__tests__", "spec", "e2e", "testdata"}
	testFile    = regexp.MustCompile(`^(.*_test\.(go|py|rb)|.*_spec\.rb|test_.*\.py|conftest\.py|.*[.-](test|spec)\.[cm]?[jt]sx?|.*Tests?\.java)$`)
)

func isTest(name string) bool {
	folder, base := path.Split(name)
	inTests := slices.ContainsFunc(strings.Split(folder, "/"), func(part string) bool { return slices.Contains(testFolders, part) })
	return inTests || testFile.MatchString(base)
}

// read gives a source, nil when it cannot be had.
func (f *files) read(name string) []byte {
	if known, seen := f.texts[name]; seen {
		return known
	}
	text := f.readFile(name)
	if f.kept += int64(len(text)); f.kept <= mostTextKept {
		f.texts[name] = text
	}
	return text
}

func (f *files) readFile(name string) []byte {
	file, err := f.root.Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil // it was swapped for something that may never end
	}
	text, err := io.ReadAll(io.LimitReader(file, f.limits.FileBytes+1))
	if err != nil || int64(len(text)) > f.limits.FileBytes {
		return nil
	}
	return text
}

// take is read, paid from what may be parsed.
func (f *files) take(name string) []byte {
	if f.sizes[name] > f.left {
		f.incomplete = true
		return nil
	}
	text := f.read(name)
	f.left -= int64(len(text))
	return text
}

// tree parses a source once; nil when that is not possible.
func (f *files) tree(ctx context.Context, name string, language syntax.Language) *syntax.Tree {
	if known, seen := f.trees[name]; seen {
		return known
	}
	f.trees[name] = f.parse(ctx, f.take(name), language)
	return f.trees[name]
}

func (f *files) parse(ctx context.Context, text []byte, language syntax.Language) *syntax.Tree {
	if len(text) == 0 {
		return nil
	}
	if f.parsers == nil {
		made, err := syntax.New(ctx)
		if err != nil {
			return nil
		}
		f.parsers = made
	}
	tree, err := f.parsers.Parse(ctx, language, text)
	if err != nil {
		return nil
	}
	return tree
}

// close lets go of the files and the parsers; trees stay.
func (f *files) close() {
	if f.parsers != nil {
		_ = f.parsers.Close()
		f.parsers = nil
	}
	_ = f.root.Close()
}
