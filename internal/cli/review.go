package cli

import (
	"context"
	"fmt"

	"github.com/sessiongate/sessiongate/internal/locate"
	"github.com/sessiongate/sessiongate/internal/mcpserver"
)

// review tells an assistant what the source of a handler shows.
func review(ctx context.Context, source, language string) (mcpserver.Review, error) {
	read, err := locate.ReviewSource(ctx, source, language)
	if err != nil {
		return mcpserver.Review{}, err
	}
	made := mcpserver.Review{Language: read.Language, Tests: read.Rules, Note: read.Note}
	for i, step := range read.Steps {
		one := mcpserver.Place{Line: step.Place.Line, Says: step.What}
		made.Steps = append(made.Steps, one)
		if i >= len(read.Steps)-read.Sinks {
			one.Rule, one.Says = "session-id-not-rotated-on-login", "a value that the client chose is "+step.What
			made.Patterns = append(made.Patterns, one)
		}
	}
	for _, cookie := range read.Cookies {
		name := "a cookie"
		if cookie.Name != "" {
			name = "the cookie " + cookie.Name
		}
		made.Steps = append(made.Steps, mcpserver.Place{Line: cookie.Place.Line, Says: "sets " + name})
		for _, attribute := range cookie.Missing {
			made.Patterns = append(made.Patterns, mcpserver.Place{Line: cookie.Place.Line, Rule: locate.RuleOf(attribute),
				Says: fmt.Sprintf("%s is set without %s, unless a proxy adds it", name, attribute)})
		}
	}
	return made, nil
}
