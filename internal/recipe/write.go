package recipe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Draft is a recipe to be written. What its file already has stays as it is.
type Draft struct {
	URL     string // "" where the file names the target
	Users   []DraftUser
	Steps   Steps
	Session Session
	// Unproven steps are written as comments: what they do was not shown.
	Unproven Steps
	// Notes say where a step comes from, by its name; "session" and "missing"
	// have one each.
	Notes map[string]string
}

// DraftUser is an account, and the environment variable with its password.
type DraftUser struct{ Name, Username, Variable string }

// Over is the file with what it lacks. An empty file gives a whole recipe.
// Lines that stand there are never changed. The result has been read back.
func (d Draft) Over(file string, old []byte) ([]byte, error) {
	text := d.fill(strings.TrimRight(string(old), "\n"))
	stub := func(string) (string, bool) { return "a-value", true }
	if _, err := Parse(file, []byte(text), stub); err != nil {
		return nil, fmt.Errorf("what was found cannot be added to %s; write it there by hand: %w", file, err)
	}
	return []byte(text), nil
}

func (d Draft) fill(old string) string {
	sections := []section{
		{"version", "version: 1\n"},
		{"target", d.target()},
		{"users", d.users()},
		{"steps", d.steps(d.Steps)},
		{"session", d.session()},
	}
	var page strings.Builder
	if old == "" {
		page.WriteString("# Written by sessiongate init, and checked by one calibration. Change what you like: run again with --force, it only\n" +
			"# adds what is missing. Next: sessiongate scan\n")
	} else {
		if has(old, "steps") {
			old = d.intoSteps(old)
		}
		page.WriteString(old + "\n")
	}
	for _, one := range sections {
		if one.text != "" && !has(old, one.key) {
			page.WriteString(one.text)
		}
	}
	return page.String()
}

type section struct{ key, text string }

// has reports whether a top-level key stands in the file.
func has(text, key string) bool {
	return regexp.MustCompile(`(?m)^["']?` + regexp.QuoteMeta(key) + `["']?[ \t]*:`).MatchString(text)
}

func (d Draft) target() string {
	if d.URL == "" {
		return ""
	}
	return "target:\n  url: " + quote(d.URL) + "\n"
}

func (d Draft) users() string {
	if len(d.Users) == 0 {
		return ""
	}
	var page strings.Builder
	page.WriteString("users:\n")
	for _, user := range d.Users {
		fmt.Fprintf(&page, "  - {name: %s, username: %s, password: %s}\n", quote(user.Name), quote(escape(user.Username)), quote("${"+user.Variable+"}"))
	}
	return page.String()
}

func (d Draft) steps(steps Steps) string {
	if len(steps) == 0 && len(d.Unproven) == 0 && d.Notes["missing"] == "" {
		return ""
	}
	if len(steps) == 0 {
		return d.comments("")
	}
	return "steps:\n" + d.lines(steps, "  ") + d.comments("  ")
}

func (d Draft) lines(steps Steps, indent string) string {
	var page strings.Builder
	for _, name := range steps.Names() {
		if note := d.Notes[name]; note != "" {
			page.WriteString(comment(indent, note))
		}
		page.WriteString(stepLines(indent, name, steps[name]))
	}
	return page.String()
}

func stepLines(indent, name string, step Step) string {
	var requests []string
	for i, request := range step.Requests {
		var then []Request
		if i == len(step.Requests)-1 {
			then = step.Then
		}
		requests = append(requests, flow(request, then...))
	}
	if len(requests) == 1 {
		return fmt.Sprintf("%s%s: %s\n", indent, name, requests[0])
	}
	return fmt.Sprintf("%s%s:\n%s  - %s\n", indent, name, indent, strings.Join(requests, "\n"+indent+"  - "))
}

// comments are what nobody has tried, and what was not found.
func (d Draft) comments(indent string) string {
	var page strings.Builder
	if note := d.Notes["missing"]; note != "" {
		page.WriteString(comment(indent, note))
	}
	for _, name := range d.Unproven.Names() {
		page.WriteString(comment(indent, "not used: "+d.Notes[name]))
		for line := range strings.Lines(stepLines("", name, d.Unproven[name])) {
			page.WriteString(indent + "# " + line)
		}
	}
	return page.String()
}

func comment(indent, text string) string {
	var page strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		page.WriteString(indent + "# " + strings.Map(printing, line) + "\n")
	}
	return page.String()
}

// printing drops what would end a comment or confuse a terminal.
func printing(r rune) rune {
	if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
		return -1
	}
	return r
}

// intoSteps adds the missing steps at the end of the block of steps. Another
// spelling of the mapping is left alone: reading the result tells.
func (d Draft) intoSteps(old string) string {
	lines := strings.Split(old, "\n")
	start := slices.IndexFunc(lines, func(line string) bool { return has(line, "steps") })
	end := start + 1
	indent := ""
	for ; end < len(lines); end++ {
		line := lines[end]
		if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		inner := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if inner == "" {
			break
		}
		if indent == "" {
			indent = inner
		}
	}
	if indent == "" {
		return old // steps: {} and the like
	}
	for end > start+1 && strings.TrimSpace(lines[end-1]) == "" {
		end--
	}
	block := strings.Join(lines[start+1:end], "\n")
	lacking := Steps{}
	for name, step := range d.Steps {
		if !regexp.MustCompile(`(?m)^` + indent + `["']?` + regexp.QuoteMeta(name) + `["']?[ \t]*:`).MatchString(block) {
			lacking[name] = step
		}
	}
	if len(lacking) == 0 {
		return old
	}
	added := strings.TrimSuffix(d.lines(lacking, indent), "\n")
	return strings.Join(slices.Concat(lines[:end], []string{added}, lines[end:]), "\n")
}

func (d Draft) session() string {
	var text string
	switch s := d.Session; {
	case len(s.Cookie) > 0:
		var names []string
		for _, name := range s.Cookie {
			names = append(names, quote(name))
		}
		text = "{cookie: [" + strings.Join(names, ", ") + "]}"
	case !s.Bearer.IsZero():
		text = "{bearer: " + template(s.Bearer) + "}"
	case s.Header != "" && !s.Value.IsZero():
		text = "{header: " + quote(s.Header) + ", value: " + template(s.Value) + "}"
	case s.Header != "":
		text = "{header: " + quote(s.Header) + "}"
	case s.Query != "":
		text = "{query: " + quote(s.Query) + "}"
	case !s.Path.IsZero():
		text = "{path: " + template(s.Path) + "}"
	default:
		text = "{carrier: auto}"
	}
	note := d.Notes["session"]
	if note != "" {
		note = comment("", note)
	}
	return note + "session: " + text + "\n"
}

// flow writes a request as one line, with what is open after it.
func flow(r Request, then ...Request) string {
	members := []string{"request: " + quote(r.Method+" "+written(r.Path))}
	add := func(key, value string) { members = append(members, key+": "+value) }
	if len(r.Headers) > 0 {
		add("headers", pairs(r.Headers))
	}
	if len(r.Query) > 0 {
		add("query", pairs(r.Query))
	}
	switch r.Body.Kind {
	case JSONBody:
		add("json", tree(r.Body.JSON))
	case FormBody:
		add("form", pairs(r.Body.Fields))
	case MultipartBody:
		add("multipart", pairs(r.Body.Fields))
	case RawBody:
		add("body", template(r.Body.Raw))
	}
	if len(r.Expect) > 0 {
		add("expect", strings.ReplaceAll(fmt.Sprint(r.Expect), " ", ", "))
	}
	if r.Follow {
		add("follow", "true")
	}
	if len(r.Capture) > 0 {
		var captures []string
		for _, c := range r.Capture {
			captures = append(captures, c.Name+": "+c.flow())
		}
		add("capture", "{"+strings.Join(captures, ", ")+"}")
	}
	if r.Source.File != "" && r.Source.Line > 0 {
		add("source", quote(fmt.Sprintf("%s:%d", r.Source.File, r.Source.Line)))
	}
	var after []string
	for _, one := range then {
		after = append(after, flow(one))
	}
	switch len(after) {
	case 0:
	case 1:
		add("then", after[0])
	default:
		add("then", "["+strings.Join(after, ", ")+"]")
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func (c Capture) flow() string {
	var parts []string
	for _, one := range []struct{ key, value string }{{"html", c.HTML}, {"json", c.JSON}, {"cookie", c.Cookie}, {"header", c.Header}, {"regex", c.Regex}} {
		if one.value != "" {
			parts = append(parts, one.key+": "+quote(one.value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func pairs(all []Pair) string {
	var members []string
	for _, pair := range all {
		members = append(members, quote(pair.Name)+": "+template(pair.Value))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func tree(node any) string {
	switch value := node.(type) {
	case Template:
		return template(value)
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			members = append(members, quote(name)+": "+tree(value[name]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	case []any:
		var items []string
		for _, item := range value {
			items = append(items, tree(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case nil:
		return "null"
	}
	return fmt.Sprint(node)
}

func template(t Template) string { return quote(written(t)) }

// written is the text that is read as the template again. A secret has no
// text: nothing that discovery finds holds one.
func written(t Template) string {
	var text strings.Builder
	for _, part := range t.Parts {
		switch {
		case part.Name != "":
			text.WriteString("{{" + part.Name + "}}")
		case part.Secret == (secret.Text{}):
			text.WriteString(strings.ReplaceAll(escape(part.Text), "{{", "{{{{"))
		}
	}
	return text.String()
}

func escape(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// bare is a scalar that YAML takes for nothing but a text, without quotes.
var bare = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_/.-]*( /[A-Za-z0-9_/.-]*)?$`)

// quote is the text as a scalar: JSON's strings are YAML's too.
func quote(text string) string {
	if bare.MatchString(text) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(text)) {
		return text
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil {
		return `""`
	}
	return strings.TrimSpace(out.String())
}
