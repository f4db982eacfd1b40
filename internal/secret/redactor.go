package secret

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"sort"
	"strings"
	"sync"
)

// shortest is the length below which a value is not replaced in running text:
// the one-character id a probe plants would blot out every word. Such values
// are kept out of texts by their type alone.
const shortest = 6

// Redactor replaces every secret it was told of by its tag, in the forms a
// value takes on its way through an API: raw, URL-encoded, base64 and hex.
// The zero value is ready; it is safe for concurrent use.
type Redactor struct {
	mu    sync.Mutex
	forms map[string]string
	ready *strings.Replacer
}

// Add makes the values known. Empty and very short ones are passed over.
func (r *Redactor) Add(values ...Text) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forms == nil {
		r.forms = map[string]string{}
	}
	for _, value := range values {
		if len(value.value) < shortest {
			continue
		}
		if _, known := r.forms[value.value]; known {
			continue
		}
		for _, form := range spellings(value.value) {
			r.forms[form] = value.Tag()
		}
		r.ready = nil
	}
}

func spellings(value string) []string {
	raw := []byte(value)
	forms := []string{value, url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString(raw),
		base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw)}
	if decoded, err := url.QueryUnescape(value); err == nil && len(decoded) >= shortest {
		forms = append(forms, decoded)
	}
	return forms
}

// Clean returns the text without any known secret.
func (r *Redactor) Clean(text string) string {
	r.mu.Lock()
	if r.ready == nil {
		// Longest first: a token that contains another must go as a whole.
		forms := make([]string, 0, len(r.forms))
		for form := range r.forms {
			forms = append(forms, form)
		}
		sort.Slice(forms, func(i, j int) bool {
			if len(forms[i]) != len(forms[j]) {
				return len(forms[i]) > len(forms[j])
			}
			return forms[i] < forms[j]
		})
		pairs := make([]string, 0, 2*len(forms))
		for _, form := range forms {
			pairs = append(pairs, form, r.forms[form])
		}
		r.ready = strings.NewReplacer(pairs...)
	}
	replacer := r.ready
	r.mu.Unlock()
	return replacer.Replace(text)
}
