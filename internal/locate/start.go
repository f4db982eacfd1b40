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
	var found started
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
			found = one
		}
	}
	return found
}

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
	for i := 1; i < len(given); i++ {
		word := given[i]
		switch {
		case word == "-C" && i+1 < len(given):
			made.folder = inside(path.Join(made.folder, given[i+1]))
			i++
		case slices.Contains([]string{"-o", "-tags", "-ldflags", "-gcflags", "-mod", "-modfile", "-exec", "-p", "-overlay"}, word):
			i++
		case strings.HasPrefix(word, "-"):
		case strings.Contains(word, "..."):
			return
		default:
			if languageOf(word) == goFile {
				word = "./" + path.Dir(word)
			}
			made.entries, made.isSure = []string{word}, true
			return
		}
	}
	made.entries, made.isSure = []string{"."}, true
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
