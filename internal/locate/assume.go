package locate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// assumed is what a name stands for in a part of a file, whose imports are not
// there.
func assumed(name string) value {
	switch {
	case slices.Contains(fromFastAPI, name):
		return external("fastapi." + name)
	case name == "request":
		return wholeRequest{}
	case name == "BaseModel":
		return external("pydantic.BaseModel")
	case name == "Annotated" || name == "Optional":
		return external("typing." + name)
	case name == "insert" || name == "text":
		return external("sqlalchemy." + name)
	case name == "run_in_threadpool":
		return external("fastapi.concurrency." + name)
	case className.MatchString(name):
		return external(name)
	}
	return nil
}

var fromFastAPI = []string{"FastAPI", "APIRouter", "Request", "Response", "Query", "Header", "Cookie", "Form", "Body", "Path", "Depends", "Security"}

var className = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*$`)

// noBody are types of parameters that are no part of the request.
var noBody = []string{"Response", "Session", "AsyncSession", "Connection", "Engine", "Pool", "Redis", "BackgroundTasks", "User", "Settings", "WebSocket"}

// noInput are names of parameters that are no part of the request either.
var noInput = []string{"self", "cls", "response", "resp", "res", "db", "conn", "connection", "cursor", "cur", "c", "session", "pool", "redis", "r", "cache", "store", "settings", "user", "app"}

// assume is what a parameter of a handler is where its type is not in the
// source.
func (p *python) assume(node syntax.Node, known value, name string, at Place) value {
	annotation := node.Field("type")
	last := lastOf(strings.TrimSuffix(annotation.Text(), " | None"))
	switch {
	case slices.Contains(noInput, name):
		return nil
	case name == "request" || name == "req":
		return wholeRequest{}
	case annotation.IsZero():
		return newSent(origin{name: name, from: "a parameter", at: at})
	case className.MatchString(last) && !slices.ContainsFunc(noBody, func(kind string) bool { return strings.HasSuffix(last, kind) }):
		if given, ok := known.(external); ok && !strings.Contains(string(given), ".") {
			return &sentPart{"the JSON body", last}
		}
	}
	return nil
}
