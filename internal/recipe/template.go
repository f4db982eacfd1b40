package recipe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Template is a text with holes. Values of the environment are already in it,
// as secrets. The zero value is the empty text.
type Template struct{ Parts []Part }

// Part is a literal text, the name of a hole, or a secret: one of the three.
type Part struct {
	Text   string
	Name   string
	Secret secret.Text
}

func (p Part) value() string {
	if p.Secret.IsZero() {
		return p.Text
	}
	return p.Secret.Reveal()
}

// Literal is a template without holes; nothing in it is special.
func Literal(text string) Template {
	if text == "" {
		return Template{}
	}
	return Template{Parts: []Part{{Text: text}}}
}

// Placeholder is a template that is one hole.
func Placeholder(name string) Template {
	return Template{Parts: []Part{{Name: name}}}
}

// IsZero reports whether it is the empty text.
func (t Template) IsZero() bool { return len(t.Parts) == 0 }

// Names are those of the holes, each once, in order.
func (t Template) Names() []string {
	var names []string
	for _, part := range t.Parts {
		if part.Name != "" && !slices.Contains(names, part.Name) {
			names = append(names, part.Name)
		}
	}
	return names
}

// Expand fills the holes. A name that lookup does not know is an error.
func (t Template) Expand(lookup func(name string) (secret.Text, bool)) (secret.Text, error) {
	var text strings.Builder
	for _, part := range t.Parts {
		if part.Name == "" {
			text.WriteString(part.value())
			continue
		}
		value, known := lookup(part.Name)
		if !known {
			return secret.Text{}, fmt.Errorf("{{%s}} has no value here: capture it in an earlier request", part.Name)
		}
		text.WriteString(value.Reveal())
	}
	return secret.New(text.String()), nil
}

// String shows holes as {{name}} and secrets as their tags.
func (t Template) String() string {
	var text strings.Builder
	for _, part := range t.Parts {
		switch {
		case part.Name != "":
			text.WriteString("{{" + part.Name + "}}")
		case !part.Secret.IsZero():
			text.WriteString(part.Secret.Tag())
		default:
			text.WriteString(part.Text)
		}
	}
	return text.String()
}

// filled is the text of a template that has no holes.
func (t Template) filled() string {
	var text strings.Builder
	for _, part := range t.Parts {
		text.WriteString(part.value())
	}
	return text.String()
}

func (t Template) start() string {
	if t.IsZero() {
		return ""
	}
	return t.Parts[0].Text
}

func (t Template) startsWithName() bool { return !t.IsZero() && t.Parts[0].Name != "" }

// interpolation reads the two kinds of holes a scalar may have.
type interpolation struct {
	text         string
	placeholders bool // otherwise {{ is plain text
	port         bool // ${PORT} is the gate's to fill, so it stays a hole
	// variable gives the value of an environment variable or a problem.
	variable func(name string) (secret.Text, string)
}

// flaw is a problem and the characters it is about.
type flaw struct{ needle, problem string }

var (
	variableForm    = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	placeholderForm = regexp.MustCompile(`^\{\{ *([A-Za-z_][A-Za-z0-9_-]*) *\}\}`)
)

// mostParts is how many pieces a text may have.
const mostParts = 200

func (i interpolation) run() (Template, []flaw) {
	var result Template
	var flaws []flaw
	for rest := i.text; rest != ""; {
		if len(result.Parts)+len(flaws) > mostParts {
			return result, append(flaws, flaw{rest[:1], "there are too many placeholders in one text"})
		}
		part, used, problem := i.next(rest)
		if problem != "" {
			flaws = append(flaws, flaw{rest[:used], problem})
		}
		result.add(part)
		rest = rest[used:]
	}
	return result, flaws
}

// add joins neighbouring literals, so that equal texts are equal templates.
func (t *Template) add(part Part) {
	if part == (Part{}) {
		return
	}
	if last := len(t.Parts) - 1; last >= 0 && part.Text != "" && t.Parts[last].Text != "" {
		t.Parts[last].Text += part.Text
		return
	}
	t.Parts = append(t.Parts, part)
}

func (i interpolation) next(rest string) (part Part, used int, problem string) {
	switch {
	case strings.HasPrefix(rest, "$${"):
		return Part{Text: "${"}, 3, ""
	case strings.HasPrefix(rest, "${"):
		return i.readVariable(rest)
	case i.placeholders && strings.HasPrefix(rest, "{{{{"):
		return Part{Text: "{{"}, 4, ""
	case i.placeholders && strings.HasPrefix(rest, "{{") && !strings.HasPrefix(rest, "{{{"):
		return readPlaceholder(rest)
	}
	// The first character is plain; so is everything up to the next that may not be.
	end := strings.IndexAny(rest[1:], "${")
	if end < 0 {
		return Part{Text: rest}, len(rest), ""
	}
	return Part{Text: rest[:end+1]}, end + 1, ""
}

func (i interpolation) readVariable(rest string) (Part, int, string) {
	match := variableForm.FindStringSubmatch(rest)
	if match == nil {
		return Part{}, 2, "${ begins an environment variable: write ${NAME}, or $${ for the two characters"
	}
	if i.port && match[1] == "PORT" {
		return Part{Name: "PORT"}, len(match[0]), ""
	}
	value, problem := i.variable(match[1])
	return Part{Secret: value}, len(match[0]), problem
}

func readPlaceholder(rest string) (Part, int, string) {
	match := placeholderForm.FindStringSubmatch(rest)
	if match == nil {
		return Part{}, 2, "{{ begins a value: write {{name}} with letters, digits, - and _, or {{{{ for the two characters"
	}
	return Part{Name: match[1]}, len(match[0]), ""
}
