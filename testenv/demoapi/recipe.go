package demoapi

import (
	_ "embed"
	"strings"
)

//go:embed recipe.yml
var recipe string

// Recipe describes the API at that address to sessiongate, with all its steps.
func Recipe(address string) string {
	return strings.Replace(recipe, "http://127.0.0.1:8000", address, 1)
}
