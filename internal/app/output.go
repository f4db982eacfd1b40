package app

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/badge"
	"github.com/sessiongate/sessiongate/internal/report/html"
	"github.com/sessiongate/sessiongate/internal/report/json"
	"github.com/sessiongate/sessiongate/internal/report/junit"
	"github.com/sessiongate/sessiongate/internal/report/sarif"
	"github.com/sessiongate/sessiongate/internal/report/summary"
	"github.com/sessiongate/sessiongate/internal/report/text"
)

// Output is one --out: a format and where it goes. File "-" is standard output.
type Output struct {
	Format, File string
	Category     string // of SARIF; empty: the usual one
}

// Formats are those an Output may name.
var Formats = []string{"text", "json", "sarif", "markdown", "html", "junit", "badge"}

// endings are those of the files of formats that are not named after them.
var endings = map[string]string{"text": "txt", "markdown": "md", "junit": "xml", "badge": "json"}

// ParseOutput reads "json=report.json".
func ParseOutput(word string) (Output, error) {
	format, file, found := strings.Cut(word, "=")
	switch {
	case !slices.Contains(Formats, format):
		return Output{}, fmt.Errorf("--out %s: the format is one of %s", word, strings.Join(Formats, ", "))
	case !found || file == "":
		return Output{}, fmt.Errorf("--out %s: write FORMAT=FILE, as in --out %s=report.%s, or %s=- for standard output",
			word, format, cmp.Or(endings[format], format), format)
	}
	return Output{Format: format, File: file}, nil
}

// Style is how a person reads text.
type Style = text.Style

// Write renders the report in each format. A file is whole or not there at
// all: a reader in the next step never sees half a report.
func Write(r report.Report, outputs []Output, stdout io.Writer, style Style) error {
	for _, output := range outputs {
		if output.File == "-" {
			if err := render(stdout, r, output, style); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			continue
		}
		var whole bytes.Buffer
		if err := render(&whole, r, output, Style{Width: style.Width}); err != nil {
			return fmt.Errorf("%s: %w", output.File, err)
		}
		if err := renameio.WriteFile(output.File, whole.Bytes(), 0o644); err != nil {
			return fmt.Errorf("%s cannot be written: %w", output.File, err)
		}
	}
	return nil
}

// Category is the SARIF category by which code scanning tells the scans of a
// repository apart; that of a scan that names none, if it is empty.
func Category(named string) string { return cmp.Or(named, "sessiongate/api/") }

func render(w io.Writer, r report.Report, output Output, style Style) error {
	switch output.Format {
	case "json":
		return json.Write(w, r)
	case "sarif":
		return sarif.Write(w, r, Category(output.Category))
	case "markdown":
		return summary.Write(w, r)
	case "html":
		return html.Write(w, r)
	case "junit":
		return junit.Write(w, r)
	case "badge":
		return badge.Write(w, r)
	}
	return text.Write(w, r, style)
}
