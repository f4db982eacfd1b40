package store

import (
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sessiongate/sessiongate/internal/idform"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// shortestWithin is the length in bytes below which an id is no session id
// inside another value, nor in a column that is not one for ids: probes plant
// ids as short as one character.
const shortestWithin = 6

// needles are the forms of an id as the parameters of a search.
type needles struct {
	forms  []idform.Form
	texts  []string // forms that a TEXT can hold
	bytes  [][]byte
	uuids  []string
	within []string // what a text that holds any form has in it
	hex    []string // the same for the hex of bytes
	short  bool
}

func needlesOf(id secret.Text) needles {
	n := needles{forms: idform.Of(id), short: id.Len() < shortestWithin}
	for _, form := range n.forms {
		value := form.Value
		n.bytes = append(n.bytes, []byte(value))
		n.hex = append(n.hex, hex.EncodeToString([]byte(value)))
		if !isUTF8(value) {
			continue
		}
		n.texts = append(n.texts, value)
		n.within = append(n.within, value, inJSON(value))
		if looksLikeUUID(value) {
			n.uuids = append(n.uuids, value)
			n.within = append(n.within, printedUUID(value))
		}
	}
	n.within, n.hex = smallest(n.within), smallest(n.hex)
	return n
}

// isUTF8 reports whether the protocol can send the value as TEXT.
func isUTF8(value string) bool { return utf8.ValidString(value) && !strings.Contains(value, "\x00") }

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-?)[0-9A-Fa-f]{4}(-?)[0-9A-Fa-f]{4}(-?)[0-9A-Fa-f]{4}(-?)[0-9A-Fa-f]{12}$`)

// looksLikeUUID takes 32 hex digits with all four dashes or with none.
func looksLikeUUID(value string) bool {
	parts := uuid.FindStringSubmatch(value)
	return parts != nil && parts[1] == parts[2] && parts[2] == parts[3] && parts[3] == parts[4]
}

// inJSON is the value as databases write it inside a JSON string.
func inJSON(value string) string {
	var written strings.Builder
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false) // neither database does
	if err := encoder.Encode(value); err != nil {
		return value
	}
	quoted := strings.TrimSuffix(written.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// smallest leaves out what holds another: where "abc=" is, "abc" is as well.
func smallest(values []string) []string {
	slices.SortFunc(values, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	var kept []string
	for _, value := range values {
		if !slices.ContainsFunc(kept, func(shorter string) bool { return strings.Contains(value, shorter) }) {
			kept = append(kept, value)
		}
	}
	return kept
}

// match is a form found in a cell.
type match struct {
	form   idform.Form
	within bool
}

// in looks for the id in a cell: as the whole of it first, then inside it.
func (n needles) in(column TableColumn, value string) (match, bool) {
	if n.short && column.Role != roleID || !isSearched(column) {
		return match{}, false
	}
	value = bytesOf(column, value)
	for _, form := range n.forms {
		if value == form.Value || column.Type == "uuid" && sameUUID(value, form.Value) ||
			column.Type == "bpchar" && value == strings.TrimRight(form.Value, " ") {
			return match{form: form}, true
		}
	}
	if n.short || column.Type == "uuid" {
		return match{}, false
	}
	for _, form := range n.forms {
		if strings.Contains(value, form.Value) || isUTF8(form.Value) && strings.Contains(value, inJSON(form.Value)) {
			return match{form: form, within: true}, true
		}
	}
	return match{}, false
}

// printedUUID is how databases print the type.
func printedUUID(value string) string {
	plain := strings.ToLower(strings.ReplaceAll(value, "-", ""))
	return plain[:8] + "-" + plain[8:12] + "-" + plain[12:16] + "-" + plain[16:20] + "-" + plain[20:]
}

func sameUUID(a, b string) bool {
	return looksLikeUUID(b) && a == printedUUID(b)
}

// bytesOf undoes the hex in which we read BYTEA.
func bytesOf(column TableColumn, value string) string {
	if column.Type != "bytea" {
		return value
	}
	decoded, err := hex.DecodeString(value)
	if err != nil {
		return value
	}
	return string(decoded)
}

// searched are the types in which ids are looked for.
var searched = []string{"text", "varchar", "bpchar", "char", "name", "uuid", "bytea", "json", "jsonb", "_text", "_varchar", "_uuid"}

func isSearched(column TableColumn) bool { return slices.Contains(searched, column.Type) }

// byIndex is the condition and parameter that finds the id by an index of the
// column; no condition: this kind of column has none for this id.
func (n needles) byIndex(column TableColumn) (condition string, parameter any) {
	if !column.Indexed || n.short && column.Role != roleID {
		return "", nil
	}
	switch column.Type {
	case "text", "varchar":
		return isText, n.texts
	case "bpchar":
		return isPaddedText, n.texts
	case "uuid":
		if len(n.uuids) == 0 {
			return "", nil
		}
		return isUUID, n.uuids
	case "bytea":
		return isBytes, n.bytes
	}
	return "", nil
}
