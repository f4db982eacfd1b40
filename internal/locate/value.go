package locate

import (
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// value is what an expression of a Python module is known to be; nil is not
// known. Modules are read as if they were run, as far as that needs no library:
// what a library gives is an instance, and what is done with an instance is
// written down as its events. What the events mean, the frameworks say.
type value any

// text is a string. The parts of it that are not known are unknownPart.
type text string

// unknownPart stands for any text. No string of a source holds it.
const unknownPart = "\x00"

// truth is True or False.
type truth bool

// list is a list, a tuple or a set.
type list []value

// dict has the members whose keys are known strings.
type dict map[string]value

// external is a name that a library gives: "fastapi.FastAPI".
type external string

// function is a function or lambda of the workspace, and self what it is bound to.
type function struct {
	node   syntax.Node // function_definition or lambda
	module *module
	scope  *scope // where it was defined
	class  *class // nil outside of one
}

func (f *function) name() string { return f.node.Field("name").Text() }

func (f *function) place() Place { return Place{f.module.file, f.node.Line()} }

// method is a function of a class, called on an instance of it.
type method struct {
	self value
	call *function
}

// class is one of the workspace.
type class struct {
	node   syntax.Node
	module *module
	bases  []value
	own    *scope
}

func (c *class) name() string { return c.node.Field("name").Text() }

// member looks into the class and those it is made from.
func (c *class) member(name string) value { return c.search(name, 0) }

// mostBases bounds how deep classes may be made from each other.
const mostBases = 16

func (c *class) search(name string, depth int) value {
	if found, known := c.own.names[name]; known {
		return found
	}
	for _, base := range c.bases {
		if parent, ok := base.(*class); ok && depth < mostBases {
			if found := parent.search(name, depth+1); found != nil {
				return found
			}
		}
	}
	return nil
}

// library is the class of a library that it is made from; "" for none.
func (c *class) library() external { return c.ancestor(0) }

func (c *class) ancestor(depth int) external {
	for _, base := range c.bases {
		switch parent := base.(type) {
		case external:
			return parent
		case *class:
			if found := parent.ancestor(depth + 1); found != "" && depth < mostBases {
				return found
			}
		}
	}
	return ""
}

// instance is what calling a class or a function of a library gave.
type instance struct {
	of         external
	class      *class // of the workspace; may be nil
	arguments  arguments
	attributes map[string]value
	events     []*event
	at         point
}

// event is a method of a library called on an instance.
type event struct {
	name      string
	arguments arguments
	// handler is what the result of the call was called with: what a decorator
	// decorates.
	handler value
	at      point
}

// bound is a method of a library, not called yet.
type bound struct {
	self *instance
	name string
}

// arguments of a call.
type arguments struct {
	positional []value
	named      map[string]value
}

// unknownMembers is the name under which arguments say that a dict whose members
// are not known was among them.
const unknownMembers = "**"

// get is the argument of that name, or the one at that place; nil when neither
// is there.
func (a arguments) get(name string, at int) value {
	if found, known := a.named[name]; known {
		return found
	}
	if at >= 0 && at < len(a.positional) {
		return a.positional[at]
	}
	return nil
}

func (a arguments) has(name string, at int) bool {
	_, known := a.named[name]
	return known || at >= 0 && at < len(a.positional)
}

// path is the text of an argument: "" when it is not there, unknownPart when it
// is something else than a text.
func (a arguments) path(name string, at int) string {
	if !a.has(name, at) {
		return ""
	}
	return textOf(a.get(name, at))
}

func textOf(v value) string {
	switch known := v.(type) {
	case text:
		return string(known)
	case *sentValue:
		return known.around()
	}
	return unknownPart
}

// point is where something is done: the statements of one scope are done in
// the order of their offsets.
type point struct {
	scope  *scope
	offset int
	line   int
}

// scope has the names of a module, a function call or a class.
type scope struct {
	module   *module
	parent   *scope // nil for a module's
	names    map[string]value
	returned []value
	class    *class // whose body it is; else nil
	depth    int    // of calls
}

func (s *scope) find(name string) value {
	for at := s; at != nil; at = at.parent {
		if at.class != nil && at != s {
			continue // methods do not see the names of their class
		}
		if found, known := at.names[name]; known {
			return found
		}
	}
	return nil
}

// knows reports whether the source gives the name any value.
func (s *scope) knows(name string) bool {
	for at := s; at != nil; at = at.parent {
		if _, known := at.names[name]; known {
			return true
		}
	}
	return false
}

// plain reads a string literal. Escapes other than those of quotes and
// backslashes are not known: no path is written with them.
func plain(literal string) string {
	var made strings.Builder
	for at := 0; at < len(literal); at++ {
		if literal[at] == 0 {
			continue
		}
		if literal[at] != '\\' || at+1 == len(literal) {
			made.WriteByte(literal[at])
			continue
		}
		at++
		switch literal[at] {
		case '\\', '\'', '"', '/', '`':
			made.WriteByte(literal[at])
		case '\n':
		default:
			made.WriteString(unknownPart)
		}
	}
	return made.String()
}
