// Package html writes a report as one page that needs nothing else: no network,
// no script. It rates nothing. Everything from the target is escaped by
// html/template, and the page's policy would stop what is not.
package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"regexp"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/report"
)

//go:embed page.html
var source string

//go:embed page.css
var style string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"pieces": pieces, "place": place, "lifetime": lifetime,
	"list": func(items ...any) []any { return items },
}).Parse(source))

// policy lets the page use its own style sheet and nothing else: no script, no
// request, no form, no frame.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

// Write writes the page. Its error is the writer's.
func Write(w io.Writer, r report.Report) error {
	var whole bytes.Buffer
	if err := page.Execute(&whole, viewOf(r)); err != nil {
		return err
	}
	_, err := w.Write(inert(whole.Bytes()))
	return err
}

var (
	command = regexp.MustCompile(`(?m)^([ \t]*)::`)
	marker  = regexp.MustCompile(`##\[`)
)

// inert takes out of the finished page what a terminal or a workflow runner
// would obey. Our own markup has none of it.
func inert(page []byte) []byte {
	page = bytes.Map(func(char rune) rune {
		if char != '\n' && unicode.In(char, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return char
	}, bytes.ToValidUTF8(page, []byte("\ufffd")))
	page = command.ReplaceAll(page, []byte("$1&#58;&#58;"))
	return marker.ReplaceAll(page, []byte("&#35;&#35;["))
}
