// Package safejson writes JSON that can be printed anywhere: the values are
// those of encoding/json, but no terminal and no workflow runner finds a command
// in the bytes. It knows no format.
package safejson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Write writes the value, indented, with a newline at its end. Its error is
// that of marshalling or of the writer.
func Write(w io.Writer, value any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false) // nobody embeds it, and "curl … && …" stays readable
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(defused(buffer.Bytes()))
	return err
}

// defused escapes what encoding/json leaves as it is: DEL and the C1 controls,
// which some terminals obey, and the format characters that turn text around.
// GitHub's runner obeys "##[command]" anywhere in a line of output. All of it
// can stand only inside strings, where an escape is the same value.
func defused(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("##["), []byte(`#\u0023[`))
	safe := make([]byte, 0, len(text))
	for len(text) > 0 {
		char, size := utf8.DecodeRune(text)
		if char != '\n' && unicode.In(char, unicode.Cc, unicode.Cf) {
			safe = append(safe, escape(char)...)
		} else {
			safe = append(safe, text[:size]...)
		}
		text = text[size:]
	}
	return safe
}

func escape(char rune) string {
	if first, second := utf16.EncodeRune(char); first != unicode.ReplacementChar {
		return fmt.Sprintf(`\u%04x\u%04x`, first, second)
	}
	return fmt.Sprintf(`\u%04x`, char)
}
