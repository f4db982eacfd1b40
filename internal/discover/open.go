package discover

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// What strangers are to open of a description at most. Each costs requests.
const (
	mostDescribed = 8
	mostMonitors  = 4
)

// The words by which the address of a page promises what is about people, or
// about the sessions and the inside of the server.
var (
	personalWords = []string{"user", "users", "account", "accounts", "customer", "customers", "profile", "profiles", "me", "whoami", "order", "orders", "session",
		"sessions", "contact", "contacts", "patient", "patients", "employee", "employees", "member", "members", "person", "persons", "people", "student", "students",
		"client", "clients", "subscribers", "invoices", "admin", "backup", "export"}
	monitorWords = []string{"debug", "session", "sessions", "profiler", "actuator", "diagnostics", "monitor", "monitoring", "httptrace", "httpexchanges"}
	// Beside them an address of one holds nothing else, so that none is asked for
	// that does something.
	besideMonitors = []string{"api", "rest", "v1", "v2", "v3", "internal", "ops", "admin", "system", "server", "list", "all", "active", "current", "live", "open", "status", "info",
		"vars", "stats", "requests", "traces", "trace", "dump", "users", "user"}
)

// openPages are the pages that a stranger may open: those that the walk was shown, the
// addresses that a description names to be read, and those that promise sessions.
// Nothing is asked for here.
func (s *search) openPages() {
	for _, op := range rank(s.operations, isMonitor, mostMonitors) {
		s.opens(op, trace.Page{Monitors: true})
	}
	for _, op := range rank(s.operations, isReadable, mostDescribed) {
		s.opens(op, trace.Page{Described: true, Secured: op.secured})
	}
}

func (s *search) opens(op operation, page trace.Page) {
	page.Step, page.Path = trace.PageStep(op.path), op.path
	step, ok := op.step(purpose(page.Step))
	if !ok || !usable(op) {
		return
	}
	if known := slices.IndexFunc(s.result.Open, func(p trace.Page) bool { return p.Step == page.Step }); known >= 0 {
		page.Monitors = page.Monitors || s.result.Open[known].Monitors
		s.result.Open[known] = page
	} else {
		s.result.Open = append(s.result.Open, page)
	}
	s.result.Pages[page.Step] = step
}

// reads reports whether a GET is there to be read and nothing else: it needs no
// id, changes nothing by its name, and ends.
func reads(o operation) bool {
	// A list of orders is no order.
	o.words = slices.DeleteFunc(slices.Clone(o.words), func(word string) bool { return word == "orders" })
	return o.method == "GET" && o.body == recipe.NoBody && !harmful(o) && !stemmed(o.words) && !o.says(logoutWords...) && !o.says(loginWords...) &&
		!o.says("verify", "confirm", "activate", "callback", "stream", "events", "sse", "websocket", "ws", "subscribe", "poll", "wait", "run", "start", "stop", "sync", "trigger", "generate", "create", "update")
}

func isReadable(o operation) int {
	if !o.described || !reads(o) || o.says("debug", "actuator", "profiler") && isMonitor(o) == 0 {
		return 0
	}
	return 1 + points(o.secured, 30) + points(o.says(personalWords...), 20) - 5*min(len(o.parameters), 3) - points(o.says("health", "docs", "openapi", "version"), 10)
}

func isMonitor(o operation) int {
	if o.from == convention || o.page != "" || !reads(o) || len(o.parameters) > 0 || strings.Contains(o.path, "?") || !o.says(monitorWords...) || !onlySays(o.path, monitorWords, besideMonitors) {
		return 0
	}
	return 1 + points(o.says("debug", "profiler", "actuator"), 20) + points(o.says("sessions"), 10)
}

func onlySays(path string, wanted ...[]string) bool {
	return !slices.ContainsFunc(words(path), func(word string) bool {
		return !slices.ContainsFunc(wanted, func(list []string) bool { return slices.Contains(list, word) })
	})
}
