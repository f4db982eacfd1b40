package discover

import "strings"

// Operation is what a description says of one request, for whoever looks for
// its handler.
type Operation struct {
	ID   string // its operationId; "" without one, and where several have it
	File string // with the description, relative to the folder that was read; "" where the API served it
	Line int    // from 1
}

// Described are the operations of a description by their requests. The zero
// value has none.
type Described struct{ operations map[string]Operation }

// Of is the operation behind a request. What a recipe fills in ({{name}}) stands
// where the description has a hole of any name. What is described twice is not
// told apart, and so is not known.
func (d Described) Of(method, path string) (Operation, bool) {
	found, known := d.operations[requestKey(method, path)]
	return found, known && found.Line > 0
}

// Repository are the operations of the description that is kept in a folder,
// under one of the usual names.
func Repository(folder string) Described {
	for _, name := range specFiles {
		data := readFile(folder, name)
		if data == nil {
			continue
		}
		if made, err := describe(name, data); err == nil {
			return made.byRequest(name)
		}
	}
	return Described{}
}

// byRequest is the description as a table; file is where it is kept.
func (d description) byRequest(file string) Described {
	named := map[string]int{}
	for _, op := range d.operations {
		named[op.id]++
	}
	made := Described{map[string]Operation{}}
	for _, op := range d.operations {
		key := requestKey(op.method, op.path)
		one := Operation{ID: op.id, File: file, Line: op.at}
		if named[op.id] > 1 {
			one.ID = ""
		}
		if _, twice := made.operations[key]; twice {
			one = Operation{}
		}
		made.operations[key] = one
	}
	return made
}

// requestKey is a request without its query and the names of its holes.
func requestKey(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	var key strings.Builder
	key.WriteString(strings.ToUpper(method) + " ")
	for {
		before, after, open := strings.Cut(path, "{")
		_, left, closed := strings.Cut(after, "}")
		if !open || !closed {
			key.WriteString(path)
			return key.String()
		}
		key.WriteString(before + "{}")
		path = strings.TrimPrefix(left, "}") // {{name}} and {name}
	}
}
