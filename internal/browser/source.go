package browser

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// carrierSource says where the value of a carrier that is no cookie comes from:
// a template over captured values, or an answer's header of the same name.
type carrierSource struct {
	slot    trace.Slot
	value   recipe.Template
	echoed  string   // response header to take it from; "" for the template
	cookies []string // named by the recipe; nil where calibration finds them
}

func sourceOf(session recipe.Session) carrierSource {
	switch {
	case len(session.Cookie) > 0:
		return carrierSource{cookies: session.Cookie}
	case !session.Bearer.IsZero():
		source := split(session.Bearer, trace.Slot{Kind: trace.InHeader, Name: "Authorization"})
		source.slot.Before = "Bearer " + source.slot.Before
		return source
	case session.Header != "" && session.Value.IsZero():
		return carrierSource{slot: trace.Slot{Kind: trace.InHeader, Name: session.Header}, echoed: session.Header}
	case session.Header != "":
		return split(session.Value, trace.Slot{Kind: trace.InHeader, Name: session.Header})
	case session.Query != "":
		return split(recipe.Placeholder(session.Query), trace.Slot{Kind: trace.InQuery, Name: session.Query})
	case !session.Path.IsZero():
		return split(session.Path, trace.Slot{Kind: trace.InPath})
	}
	return carrierSource{}
}

// split parts a template such as "/s/{{sid}}/" into the id and what stands
// around it, so that an id can be forged without the words beside it.
func split(template recipe.Template, slot trace.Slot) carrierSource {
	word := func(part recipe.Part) bool { return part.Name == "" && part.Secret.IsZero() }
	id := template.Parts
	for len(id) > 0 && word(id[0]) {
		slot.Before += id[0].Text
		id = id[1:]
	}
	for len(id) > 0 && word(id[len(id)-1]) {
		slot.After = id[len(id)-1].Text + slot.After
		id = id[:len(id)-1]
	}
	return carrierSource{slot: slot, value: recipe.Template{Parts: id}}
}

// isToken reports whether the recipe names a carrier that is no cookie.
func (c carrierSource) isToken() bool { return c.slot.Kind != "" }

// echo takes the token from an answer's header of the carrier's own name.
func (c carrierSource) echo(response trace.Response) (secret.Text, bool) {
	if c.echoed == "" {
		return secret.Text{}, false
	}
	value := response.Get(c.echoed)
	return value, !value.IsZero() && fits(value.Reveal())
}

// token makes the token of what was captured so far, when a part of it has just
// been: an older one must not come back over an id that a probe put there.
func (c carrierSource) token(captured map[string]secret.Text, fresh []recipe.Capture) (secret.Text, bool) {
	parts := c.value.Names()
	if !slices.ContainsFunc(fresh, func(capture recipe.Capture) bool { return slices.Contains(parts, capture.Name) }) {
		return secret.Text{}, false
	}
	value, err := c.value.Expand(func(name string) (secret.Text, bool) {
		held, known := captured[name]
		return held, known
	})
	return value, err == nil && !value.IsZero()
}

// isHeader reports whether the token travels in that header.
func (c carrierSource) isHeader(name string) bool {
	return c.slot.Kind == trace.InHeader && strings.EqualFold(c.slot.Name, name)
}

// Declared is the carrier that the recipe names; nil where calibration finds it.
func (w *World) Declared() []trace.Slot {
	if w.session.isToken() {
		return []trace.Slot{w.session.slot}
	}
	var slots []trace.Slot
	for _, name := range w.session.cookies {
		slots = append(slots, trace.Slot{Kind: trace.InCookie, Name: name})
	}
	return slots
}
