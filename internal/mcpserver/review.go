package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Review is what the source of a login handler shows, before anything is run.
type Review struct {
	Language string   `json:"language" jsonschema:"what it was read as"`
	Steps    []Place  `json:"steps" jsonschema:"what the handler does with the session, in order"`
	Patterns []Place  `json:"patterns" jsonschema:"what looks vulnerable; a scan decides"`
	Tests    []string `json:"rules_to_test"`
	Note     string   `json:"note" jsonschema:"what could not be read; may be empty"`
}

// Place is a line of the source and what stands there.
type Place struct {
	Line int    `json:"line"`
	Rule string `json:"rule" jsonschema:"may be empty"`
	Says string `json:"says"`
}

type reviewArguments struct {
	Source   string `json:"source" jsonschema:"source code of the login handler and what it calls"`
	Language string `json:"language,omitempty" jsonschema:"as in python; guessed without it"`
}

const longestSource = 256 << 10 // bytes

// addReview offers nothing where nobody can read source.
func (s *Server) addReview() {
	if s.options.Review == nil {
		return
	}
	offer[reviewArguments, Review](s, tool{name: "review_handler", title: "Review a login handler",
		about: "Read the source of a login handler: what it does with the session id, the vulnerable pattern it shows, and which rules to test. Nothing is run."}, s.review)
}

func (s *Server) review(ctx context.Context, _ *mcp.CallToolRequest, given reviewArguments) (*mcp.CallToolResult, error) {
	switch {
	case strings.TrimSpace(given.Source) == "":
		return nil, errors.New("source: there is nothing to read")
	case len(given.Source) > longestSource:
		return nil, fmt.Errorf("source: give the handler and what it calls, at most %d bytes", longestSource)
	}
	got, err := s.options.Review(ctx, given.Source, given.Language)
	if err != nil {
		return nil, err
	}
	got.Steps, got.Patterns, got.Tests = list(got.Steps), list(got.Patterns), list(got.Tests)
	var text strings.Builder
	for _, step := range got.Steps {
		fmt.Fprintf(&text, "line %d: %s\n", step.Line, cut(step.Says))
	}
	for _, pattern := range got.Patterns {
		fmt.Fprintf(&text, "line %d looks like %s: %s\n", pattern.Line, pattern.Rule, cut(pattern.Says))
	}
	fmt.Fprintf(&text, "to test: %s\n", strings.Join(got.Tests, ", "))
	return answered(got, text.String()), nil
}
