package locate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// deviseRoute is one that devise_for may add.
type deviseRoute struct {
	controller string // the key in controllers:
	methods    []string
	path       string
	named      string // the last segment, which path_names may replace
	action     string
}

var (
	changes = []string{"PATCH", "PUT"}
	deletes = []string{"DELETE"}
	posts   = []string{"POST"}
)

// deviseRoutes are in Devise's order. Which there are depends on the model.
var deviseRoutes = []deviseRoute{
	{"sessions", reads, "", "sign_in", "new"}, {"sessions", posts, "", "sign_in", "create"},
	{"sessions", deletes, "", "sign_out", "destroy"},
	{"omniauth_callbacks", nil, "/auth/:provider", "", "passthru"}, {"omniauth_callbacks", nil, "/auth/:provider/callback", "", ""},
	{"passwords", reads, "/password", "new", "new"}, {"passwords", reads, "/password", "edit", "edit"},
	{"passwords", changes, "", "password", "update"}, {"passwords", posts, "", "password", "create"},
	{"registrations", reads, "", "cancel", "cancel"}, {"registrations", reads, "", "sign_up", "new"}, {"registrations", reads, "", "edit", "edit"},
	{"registrations", changes, "", "", "update"}, {"registrations", deletes, "", "", "destroy"}, {"registrations", posts, "", "", "create"},
	{"confirmations", reads, "/confirmation", "new", "new"}, {"confirmations", reads, "", "confirmation", "show"}, {"confirmations", posts, "", "confirmation", "create"},
	{"unlocks", reads, "/unlock", "new", "new"}, {"unlocks", reads, "", "unlock", "show"}, {"unlocks", posts, "", "unlock", "create"},
}

// devise adds the routes of Devise. Its controllers are in a gem: only those
// that controllers: or a module names may be the workspace's.
func (r *railsRoutes) devise(node syntax.Node, given rubyCall, s railsScope, depth int) {
	if given.open || len(given.values) == 0 || s.inResource() || given.has("path_prefix") || given.has("format") || given.has("defaults") {
		r.block(s)
		return
	}
	for _, one := range given.values {
		r.devised(r.names.text(one, 0), given, s)
	}
	r.inside(node, s, depth)
}

func (r *railsRoutes) devised(name string, given rubyCall, s railsScope) {
	path := name
	if given.has("path") {
		path = r.names.text(given.options["path"], 0)
	}
	s = s.below(path).renamed(r.names, given.options["path_names"])
	module := cmp.Or(s.module, "devise")
	if given.has("module") {
		module = r.names.text(given.options["module"], 0)
	}
	s.module = "" // controllers: are named whole
	skipped, told := r.options(given, "skip")
	if slices.Contains(skipped, "all") {
		return
	}
	only, toldOnly := r.options(given, "only")
	controllers := railsScope{}.renamed(r.names, given.options["controllers"]).names
	has := r.app.deviseModules(r.model(name, given))
	for _, one := range deviseRoutes {
		if told && slices.Contains(skipped, one.controller) || toldOnly && len(only) > 0 && !slices.Contains(only, one.controller) ||
			has != nil && !slices.Contains(has, deviseModule[one.controller]) {
			continue
		}
		target := railsTarget{}
		if one.action != "" {
			target = railsTarget{cmp.Or(controllers[one.controller], module+"/"+one.controller), one.action}
		}
		below := s.below(one.path)
		if one.named != "" {
			below = below.below(s.named(one.named))
		}
		sure := told && toldOnly && (has != nil || one.controller == "sessions")
		if one.named == "sign_out" {
			via := r.app.signOut
			if given.has("sign_out_via") {
				via = given.options["sign_out_via"]
			}
			if methods, known := railsMethods(r.names, via); !via.IsZero() {
				one.methods, sure = methods, sure && known
			}
		}
		r.put(one.methods, r.paths(railsMatch{r: r}.ending(below), s), below, target, !sure)
	}
}

// deviseModule is what a model has to be for a controller to have routes.
var deviseModule = map[string]string{"sessions": "database_authenticatable", "passwords": "recoverable", "registrations": "registerable",
	"confirmations": "confirmable", "unlocks": "lockable", "omniauth_callbacks": "omniauthable"}

// model is the name of the model of devise_for; "" where it is not told.
func (r *railsRoutes) model(name string, given rubyCall) string {
	if given.has("class_name") {
		return r.names.text(given.options["class_name"], 0)
	}
	for _, ending := range [][2]string{{"s", ""}, {"es", ""}, {"ies", "y"}, {"people", "person"}} {
		if start, has := strings.CutSuffix(name, ending[0]); has && plural(start+ending[1]) == name && r.app.class(folded(start+ending[1])) != nil {
			return start + ending[1]
		}
	}
	return ""
}

// deviseModules are those that a model names; nil where they are not told.
func (a *railsApp) deviseModules(model string) []string {
	class := a.class(folded(model))
	if class == nil {
		return nil
	}
	var found []string
	for _, part := range class.parts {
		for statement := range a.statements(part.body, 0) {
			given := rubyArguments(statement)
			if statement.Field("method").Text() != "devise" || statement.Kind() != "call" {
				continue
			}
			for _, one := range given.values {
				found = append(found, rubyNames(nil).text(one, 0))
			}
			if given.open || slices.Contains(found, unknownPart) {
				return nil
			}
		}
	}
	return found
}

func (r *railsRoutes) options(given rubyCall, name string) ([]string, bool) {
	if !given.has(name) {
		return nil, true
	}
	return r.names.list(given.options[name], 0)
}
