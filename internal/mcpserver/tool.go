package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report/tame"
)

// tool is what a client reads of a tool.
type tool struct {
	name, title, about string
	output             any // its JSON Schema; nil: that of Out
	world              bool
}

// offer registers a tool. The schemas are those of In and Out. The SDK would
// check arguments by itself, and quote in its errors what it does not like: a
// password, perhaps.
func offer[In, Out any](s *Server, of tool, handle func(context.Context, *mcp.CallToolRequest, In) (*mcp.CallToolResult, error)) {
	input := schemaOf[In]()
	if of.output == nil {
		of.output = lenient(schemaOf[Out]())
	}
	world, destructive := of.world, of.world // a scan runs schema files and ages rows
	s.protocol.AddTool(&mcp.Tool{Name: of.name, Title: of.title, Description: of.about, InputSchema: input, OutputSchema: of.output,
		Annotations: &mcp.ToolAnnotations{Title: of.title, ReadOnlyHint: !of.world, OpenWorldHint: &world, DestructiveHint: &destructive}},
		func(ctx context.Context, request *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			var given In
			if err := decode(request.Params.Arguments, input, &given); err != nil {
				return refused(err), nil
			}
			result, err := handle(ctx, request, given)
			if err != nil {
				return refused(err), nil
			}
			return result, nil
		})
}

// refused is the answer to a call that could not be done.
func refused(err error) *mcp.CallToolResult {
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: tame.Lines(err.Error())}}}
}

// answered is a result with its structure, and with texts for whoever reads
// no structure.
func answered(value any, texts ...string) *mcp.CallToolResult {
	result := &mcp.CallToolResult{StructuredContent: value, Content: []mcp.Content{}}
	for _, text := range texts {
		result.Content = append(result.Content, &mcp.TextContent{Text: text})
	}
	return result
}

func schemaOf[T any]() *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic("mcpserver: " + err.Error()) // the types are a part of the program
	}
	listed(schema)
	return schema
}

// listed says that lists are never null.
func listed(schema *jsonschema.Schema) {
	if schema == nil {
		return
	}
	if slices.Contains(schema.Types, "array") {
		schema.Types, schema.Type = nil, "array"
	}
	listed(schema.Items)
	for _, property := range schema.Properties {
		listed(property)
	}
}

// lenient lets an answer gain members later.
func lenient(schema *jsonschema.Schema) *jsonschema.Schema {
	if schema == nil {
		return nil
	}
	schema.AdditionalProperties = nil
	lenient(schema.Items)
	for _, property := range schema.Properties {
		lenient(property)
	}
	return schema
}

var errPassword = errors.New("a password is not taken as an argument, since it would stay in the conversation: " +
	"put it into an environment variable of this server and give the variable's name in password_env")

// decode reads arguments. No error of it quotes a value.
func decode(raw json.RawMessage, schema *jsonschema.Schema, into any) error {
	if len(raw) == 0 || string(raw) == "null" {
		raw = json.RawMessage("{}")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return errors.New("the arguments are not a JSON object")
	}
	if err := known(slices.Sorted(maps.Keys(given)), schema); err != nil {
		return err
	}
	for _, name := range schema.Required {
		if _, there := given[name]; !there {
			return fmt.Errorf("the argument %s is missing", name)
		}
	}
	if schema.Properties["users"] != nil {
		if err := decodeUsers(given["users"], schema.Properties["users"].Items); err != nil {
			return err
		}
	}
	err := json.NewDecoder(bytes.NewReader(raw)).Decode(into)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		kind, _, _ := strings.Cut(mistyped.Value, " ") // a number comes with itself
		return fmt.Errorf("the argument %s cannot be a %s", cut(mistyped.Field), kind)
	case err != nil:
		return errors.New("the arguments cannot be read")
	}
	return nil
}

// decodeUsers looks for members that are none of a user's.
func decodeUsers(raw json.RawMessage, schema *jsonschema.Schema) error {
	var users []map[string]json.RawMessage
	if len(raw) == 0 {
		return nil
	}
	if json.Unmarshal(raw, &users) != nil {
		return errors.New(`users is a list of objects, as in [{"name": "alice", "password_env": "ALICE_PASSWORD"}]`)
	}
	for _, user := range users {
		if err := known(slices.Sorted(maps.Keys(user)), schema); err != nil {
			return err
		}
	}
	return nil
}

func known(names []string, schema *jsonschema.Schema) error {
	for _, name := range names {
		if _, there := schema.Properties[name]; there {
			continue
		}
		if plain := strings.ToLower(name); strings.Contains(plain, "passw") || plain == "secret" || plain == "pwd" {
			return errPassword
		}
		hint := ""
		if near := recipe.Nearest(name, slices.Sorted(maps.Keys(schema.Properties))); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return fmt.Errorf("there is no argument %s%s", cut(name), hint)
	}
	return nil
}

// cut is a name from outside, on one line and of a bearable length.
func cut(name string) string {
	const most = 80
	runes := []rune(tame.Line(name))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}
