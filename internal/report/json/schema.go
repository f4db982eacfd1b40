package json

import _ "embed" // the schema

// Schema is the JSON Schema of what Write writes. Like the format it only gains
// fields, so it forbids none that it does not know.
//
//go:embed schema.json
var Schema []byte
