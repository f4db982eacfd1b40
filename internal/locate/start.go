package locate

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// started is what of a workspace a start command runs. The zero value: all.
type started struct {
	language kind   // none: not known
	folder   string // the working directory
	entries  []string
	// isSure says that the entries are the application's: files of a script,
	// folders of the others.
	isSure   bool
	words    []string // of the command, for Python
	settings []string // modules of Django's settings, dotted
	django   bool
	built    []goProgram // that are only built, and started by another command
}

// goProgram is what "go build" makes.
type goProgram struct {
	output string // the base of what -o says; may be empty
	name   string // without -o
	folder string // that it is built in
	entry  string
}

const (
	mostWords   = 400
	mostScripts = 6 // of package.json that call each other

	mostCommands = 200 // in all of them
)

// begin learns what the command starts. Where it tells nothing, the folder does.
func (f *files) begin(start Start) {
	f.start = started{folder: inside(start.Folder)}
	line := f.line(strings.Join(start.Command, " "), f.start.folder, 0)
	if line.language != none {
		f.start = line
	}
}

// widen lets all of the workspace count where a folder was only a guess; false
// where it was none.
func (f *files) widen() bool {
	if f.start.isSure || f.start.folder == "" {
		return false
	}
	f.start, f.left = started{language: f.start.language}, f.limits.Bytes
	return true
}

// line reads a line of a shell: its last part that starts something is meant.
func (f *files) line(line, folder string, depth int) started {
	read := shellLine{folder: folder}
	words := strings.Fields(strings.NewReplacer("&&", " ; ", "||", " ; ", ";", " ; ", "|", " ; ", `"`, " ", "'", " ").Replace(line))
	words = words[:min(len(words), mostWords)]
	for len(words) > 0 && depth < mostScripts && f.commands < mostCommands {
		f.commands++
		end := slices.Index(words, ";")
		if end < 0 {
			end = len(words)
		}
		part := withoutShell(words[:end])
		words = words[min(end+1, len(words)):]
		if len(part) > 1 && part[0] == "cd" {
			folder = inside(path.Join(folder, part[1]))
			continue
		}
		if one := f.command(part, folder, depth); one.language != none {
			read.starts(one)
		} else {
			read.runs(part)
		}
	}
	if len(read.found.built) > 0 && len(read.built) > 1 {
		return read.anyOfGo()
	}
	return read.found
}

// shellLine is what a line has started so far.
type shellLine struct {
	folder string // that it begins in
	found  started
	isRun  bool // found is a program of Go that is run, and not only built
	built  []goProgram
}

// starts notes a command that starts something, or only builds what a later one
// does.
func (l *shellLine) starts(one started) {
	l.built = append(l.built, one.built...)
	if isOnlyTool := one.language == goFile && (!one.isSure || len(one.built) > 0); isOnlyTool && l.isRun {
		return
	}
	l.found, l.isRun = one, one.language == goFile && one.isSure && len(one.built) == 0
}

// runs reads a command like "./api": a program that was built before. One that was
// not leaves open which of Go's is meant.
func (l *shellLine) runs(words []string) {
	program := slices.IndexFunc(words, func(word string) bool {
		return !strings.Contains(word, "=") && !slices.Contains([]string{"exec", "env", "nohup", "sudo", "time"}, word)
	})
	if program < 0 {
		return
	}
	for _, word := range append([]string{path.Base(words[program])}, words[program:]...) {
		if one, known := l.program(word); known {
			l.found, l.isRun = started{language: goFile, folder: one.folder, entries: []string{one.entry}, isSure: true}, true
			return
		}
	}
	isOther := len(l.found.built) > 0 && path.Ext(words[program]) != ".sh" // which may start what was built
	if (l.isRun || isOther) && strings.Contains(words[program], "/") {
		l.found = l.anyOfGo()
	}
}

// program is the last that was built with a name, or for a path its base.
func (l *shellLine) program(word string) (goProgram, bool) {
	for _, name := range []func(goProgram) string{func(one goProgram) string { return one.output }, func(one goProgram) string { return one.name }} {
		for _, one := range slices.Backward(l.built) {
			if path.Base(word) == name(one) && word != "" {
				return one, true
			}
		}
	}
	return goProgram{}, false
}

// anyOfGo is what is known where one of several programs is started.
func (l *shellLine) anyOfGo() started { return started{language: goFile, folder: l.folder} }

// withoutShell leaves out "sh -c".
func withoutShell(words []string) []string {
	if len(words) == 0 || !slices.Contains([]string{"sh", "bash", "ash", "dash"}, path.Base(words[0])) {
		return words
	}
	for words = words[1:]; len(words) > 0 && strings.HasPrefix(words[0], "-"); {
		words = words[1:]
	}
	return words
}

// starters are programs with the language of what they start.
var starters = map[string]kind{
	"go": goFile, "node": scriptFile, "nodemon": scriptFile, "tsx": scriptFile, "ts-node": scriptFile, "ts-node-dev": scriptFile, "tsnd": scriptFile,
	"bun": scriptFile, "deno": scriptFile, "pm2": scriptFile, "npm": scriptFile, "yarn": scriptFile, "pnpm": scriptFile,
	"java": javaFile, "mvn": javaFile, "mvnw": javaFile, "gradle": javaFile, "gradlew": javaFile,
	"python": pythonFile, "python3": pythonFile, "uvicorn": pythonFile, "gunicorn": pythonFile, "hypercorn": pythonFile, "daphne": pythonFile,
	"flask": pythonFile, "fastapi": pythonFile, "waitress-serve": pythonFile, "uwsgi": pythonFile, "django-admin": pythonFile, "manage.py": pythonFile,
	"ruby": rubyFile, "rails": rubyFile, "bundle": rubyFile, "rackup": rubyFile, "puma": rubyFile, "unicorn": rubyFile, "thin": rubyFile, "falcon": rubyFile,
}

// command reads one command: what stands before the program that starts the
// application only prepares it.
func (f *files) command(words []string, folder string, depth int) started {
	at := slices.IndexFunc(words, func(word string) bool { return starters[path.Base(word)] != none })
	if at < 0 {
		return started{}
	}
	program, given := path.Base(words[at]), words[at+1:]
	made := started{language: starters[program], folder: folder}
	switch made.language {
	case goFile:
		f.startGo(&made, given)
	case javaFile:
		f.startJava(&made, program, given)
	case pythonFile:
		f.startPython(&made, words)
	case scriptFile:
		if program == "npm" || program == "yarn" || program == "pnpm" || program == "bun" && len(given) > 0 && given[0] == "run" {
			return f.startScript(made, given, depth)
		}
		f.startNode(&made, given)
	}
	return made
}

// startGo reads "go run ./cmd/api" and "go build -o api ./cmd/api".
func (f *files) startGo(made *started, given []string) {
	if len(given) == 0 || !slices.Contains([]string{"run", "build", "install"}, given[0]) {
		return
	}
	var output string
	var packages []string
	isRun := given[0] == "run"
	for i := 1; i < len(given) && !(isRun && len(packages) > 0); i++ { // what follows is the program's
		word, value, has := strings.Cut(given[i], "=")
		takesNext := slices.Contains([]string{"-C", "-o", "-tags", "-ldflags", "-gcflags", "-mod", "-modfile", "-exec", "-p", "-overlay"}, word) && !has
		if takesNext && i+1 < len(given) {
			i++
			value = given[i]
		}
		switch {
		case word == "-C":
			made.folder = inside(path.Join(made.folder, value))
		case word == "-o" && value != "":
			output = path.Base(value)
		case strings.HasPrefix(word, "-"):
		case strings.Contains(given[i], "..."):
			return
		default:
			packages = append(packages, packageOf(given[i]))
		}
	}
	if len(packages) == 0 {
		packages = []string{"."}
	}
	packages = slices.Compact(packages) // the files of one
	made.entries, made.isSure = packages, true
	if isRun {
		return
	}
	for _, entry := range packages {
		made.built = append(made.built, goProgram{output, f.programName(path.Join(made.folder, entry)), made.folder, entry})
	}
}

// packageOf is a package, of a file its folder.
func packageOf(word string) string {
	if languageOf(word) == goFile {
		return "./" + path.Dir(word)
	}
	return word
}

// programName is what Go calls the program of a folder: like the folder, or in
// the root of a module like that.
func (f *files) programName(folder string) string {
	for line := range strings.Lines(string(f.read(path.Join(inside(folder), "go.mod")))) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "module" {
			return path.Base(words[1])
		}
	}
	return path.Base(folder)
}

// startJava reads "mvn -pl api spring-boot:run", "gradle :api:bootRun" and
// "java -jar api/target/api.jar".
func (f *files) startJava(made *started, program string, given []string) {
	module := made.folder
	for i, word := range given {
		next := ""
		if i+1 < len(given) {
			next = given[i+1]
		}
		if key, value, has := strings.Cut(word, "="); has && strings.HasPrefix(word, "--") {
			word, next = key, value
		}
		switch {
		case program == "java":
			for _, built := range []string{"target/", "build/libs/"} {
				if before, _, found := strings.Cut(word, built); found && strings.HasSuffix(word, ".jar") {
					module, made.isSure = path.Join(made.folder, inside(before)), true
				}
			}
		case word == "-pl" || word == "--projects" || word == "-p" || word == "--project-dir":
			module, made.isSure = f.module(made.folder, next), true
		case word == "-f" || word == "--file":
			module, made.isSure = path.Join(made.folder, inside(path.Dir(next))), true
		case strings.HasSuffix(word, ":bootRun") || strings.HasSuffix(word, ":run") && !strings.Contains(word, "spring-boot"):
			name := strings.ReplaceAll(strings.Trim(word[:strings.LastIndex(word, ":")], ":"), ":", "/")
			module, made.isSure = f.module(made.folder, name), true
		}
	}
	module = inside(module)
	made.entries = []string{module}
	made.isSure = made.isSure && slices.ContainsFunc(f.names, func(name string) bool { return languageOf(name) == javaFile && isBelow(name, module) })
}

// module is the folder of a module of the name, or of the path.
func (f *files) module(folder, name string) string {
	name = strings.TrimPrefix(name, ":")
	if at := inside(path.Join(folder, name)); f.hasFolder(at) {
		return at
	}
	found := ""
	for one := range f.folders {
		if path.Base(one) != path.Base(name) {
			continue
		}
		if found != "" {
			return folder
		}
		found = one
	}
	if found == "" {
		return folder
	}
	return found
}

// startPython learns whether it is Django that is started, and its settings.
func (f *files) startPython(made *started, words []string) {
	made.words = words
	for i, word := range words {
		if name, value, has := strings.Cut(word, "="); has && (name == "DJANGO_SETTINGS_MODULE" || name == "--settings") {
			made.settings, made.django = append(made.settings, value), true
			continue
		}
		if word == "--settings" && i+1 < len(words) {
			made.settings, made.django = append(made.settings, words[i+1]), true
		}
		file := path.Join(made.folder, inside(word))
		if parts := target.FindStringSubmatch(word); parts != nil {
			word = parts[1]
		}
		if languageOf(file) != pythonFile {
			file = path.Join(made.folder, strings.ReplaceAll(word, ".", "/")+".py")
		}
		if !f.has(file) {
			continue
		}
		source := string(f.read(file))
		if settings := settingsIn(source); settings != "" || strings.Contains(source, "django") && path.Base(file) == "manage.py" {
			made.django, made.entries = true, append(made.entries, file)
			if len(made.settings) == 0 && settings != "" {
				made.settings = append(made.settings, settings)
			}
		}
	}
}

// startScript reads "npm start": what package.json says it runs.
func (f *files) startScript(made started, given []string, depth int) started {
	name := ""
	for i := 0; i < len(given); i++ {
		word, value, has := strings.Cut(given[i], "=")
		isOption := slices.Contains([]string{"--prefix", "-C", "--cwd", "--dir", "-w", "--workspace", "--filter", "-F"}, word)
		if isOption && !has && i+1 < len(given) {
			i++
			value = given[i]
		}
		switch {
		case isOption:
			made.folder = f.module(made.folder, strings.TrimPrefix(value, "@"))
		case strings.HasPrefix(word, "-"):
		case word == "run" || word == "run-script" || word == "exec" || word == "workspace":
		case name == "":
			name = given[i]
		}
	}
	described := f.described(made.folder)
	made.entries = []string{made.folder}
	script, known := described.Scripts[name]
	if !known && name == "start" {
		script = "node server.js"
	}
	if one := f.line(script, made.folder, depth+1); one.language != none {
		return one
	}
	return made
}

// described is a package.json.
type described struct {
	Main    string            `json:"main"`
	Scripts map[string]string `json:"scripts"`
}

func (f *files) described(folder string) described {
	var made described
	if text := f.read(path.Join(folder, "package.json")); json.Unmarshal(text, &made) != nil {
		return described{}
	}
	return made
}

// startNode finds the file that is run, or what it is compiled from.
func (f *files) startNode(made *started, given []string) {
	for _, word := range given {
		if strings.HasPrefix(word, "-") || strings.HasPrefix(word, "/") {
			continue
		}
		if word == "." {
			word = f.described(made.folder).Main
			if word == "" {
				word = "index.js"
			}
		}
		if found := f.sourceOf(inside(path.Join(made.folder, word)), made.folder); found != "" {
			made.entries, made.isSure = []string{found}, true
			return
		}
	}
	made.entries = []string{made.folder}
}

// sourceOf is a script, or the source that a compiler makes it from: dist/a.js
// is src/a.ts.
func (f *files) sourceOf(file, folder string) string {
	if isScript(file) && f.has(file) {
		return file
	}
	below := strings.TrimPrefix(strings.TrimPrefix(file, folder), "/")
	_, inner, found := strings.Cut(below, "/")
	bases := []string{file}
	if isBuilt := slices.Contains([]string{"dist", "build", "lib", "out"}, strings.Split(below, "/")[0]); found && isBuilt {
		bases = []string{path.Join(folder, "src", inner), path.Join(folder, inner)}
	}
	for _, base := range bases {
		if isScript(base) {
			base = strings.TrimSuffix(base, path.Ext(base))
		}
		for _, end := range scriptEnds {
			if isScript(base+end) && f.has(base+end) {
				return base + end
			}
		}
	}
	return ""
}

func isScript(name string) bool {
	return languageOf(name) == scriptFile || languageOf(name) == typedScriptFile
}

func isBelow(name, folder string) bool {
	return folder == "" || name == folder || strings.HasPrefix(name, folder+"/")
}

// counts reports whether a file of a language may be the application's.
func (s started) counts(name string, language kind) bool {
	if language == typedScriptFile {
		language = scriptFile
	}
	if s.language != none {
		return s.language == language
	}
	// Of what a folder's sources import, the readers of the others find out.
	return language != pythonFile || isBelow(name, s.folder)
}

// begins reports whether a file is one that the application begins with, for
// entries that are folders.
func (s started) begins(name string) bool {
	if s.isSure {
		return slices.ContainsFunc(s.entries, func(entry string) bool { return isBelow(name, entry) })
	}
	return isBelow(name, s.folder)
}

// isAll reports whether all of the workspace counts.
func (s started) isAll() bool { return !s.isSure && s.folder == "" }

// reachable is what a start leads to, itself included.
func reachable[T comparable](start []T, next func(T) []T) map[T]bool {
	seen, left := map[T]bool{}, start
	for len(left) > 0 {
		one := left[len(left)-1]
		left = left[:len(left)-1]
		if !seen[one] {
			seen[one] = true
			left = append(left, next(one)...)
		}
	}
	return seen
}
