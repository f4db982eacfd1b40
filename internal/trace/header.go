package trace

import (
	"slices"
	"strings"
	"time"
)

// List is the elements of a list-valued header over all its lines (RFC 9110
// §5.6.1). It is for headers that hold no secrets.
func (r Response) List(name string) []string {
	var elements []string
	for _, field := range r.Header {
		if !strings.EqualFold(field.Name, name) {
			continue
		}
		for part := range strings.SplitSeq(field.Value.Reveal(), ",") {
			if part = strings.Trim(part, " \t"); part != "" {
				elements = append(elements, part)
			}
		}
	}
	return elements
}

// Date reads a header in one of the forms of RFC 9110 §5.6.7.
func (r Response) Date(name string) (time.Time, bool) {
	for _, form := range []string{time.RFC1123, time.RFC850, time.ANSIC} {
		if at, err := time.Parse(form, r.Get(name).Reveal()); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// Sent reports whether the request had the header.
func (r Request) Sent(name string) bool {
	return slices.ContainsFunc(r.Header, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}
