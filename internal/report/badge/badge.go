// Package badge writes the score in the JSON that shields.io turns into a badge
// (its endpoint schema, version 1). It holds no text of the target.
package badge

import (
	"fmt"
	"io"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/safejson"
)

type endpoint struct {
	SchemaVersion int    `json:"schemaVersion"`
	Label         string `json:"label"`
	Message       string `json:"message"`
	Color         string `json:"color"`
	IsError       bool   `json:"isError,omitempty"`
}

var colours = map[string]string{"A+": "brightgreen", "A": "brightgreen", "B": "green", "C": "yellow", "D": "orange", "F": "red"}

// Write writes the badge. Its error is the writer's.
func Write(w io.Writer, r report.Report) error {
	made := endpoint{SchemaVersion: 1, Label: "sessiongate", Message: fmt.Sprintf("%s %d/100", r.Score.Grade, r.Score.Value), Color: colours[r.Score.Grade]}
	if r.Problem != "" {
		made.Message, made.Color, made.IsError = "not measured", "lightgrey", true
	}
	return safejson.Write(w, made)
}
