package locate

import (
	"slices"

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
	{"sessions", nil, "", "sign_out", "destroy"},
	{"omniauth_callbacks", nil, "/auth/:provider", "", "passthru"}, {"omniauth_callbacks", nil, "/auth/:provider/callback", "", ""},
	{"passwords", reads, "/password", "new", "new"}, {"passwords", reads, "/password", "edit", "edit"},
	{"passwords", changes, "", "password", "update"}, {"passwords", posts, "", "password", "create"},
	{"registrations", reads, "", "cancel", "cancel"}, {"registrations", reads, "", "sign_up", "new"}, {"registrations", reads, "", "edit", "edit"},
	{"registrations", changes, "", "", "update"}, {"registrations", deletes, "", "", "destroy"}, {"registrations", posts, "", "", "create"},
	{"confirmations", reads, "/confirmation", "new", "new"}, {"confirmations", reads, "", "confirmation", "show"}, {"confirmations", posts, "", "confirmation", "create"},
	{"unlocks", reads, "/unlock", "new", "new"}, {"unlocks", reads, "", "unlock", "show"}, {"unlocks", posts, "", "unlock", "create"},
}

// devise adds the routes of Devise. Its controllers are in a gem: only those
// that controllers: names may be the workspace's.
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
	s.module = "" // controllers: are named whole
	skipped, told := r.options(given, "skip")
	if slices.Contains(skipped, "all") {
		return
	}
	only, toldOnly := r.options(given, "only")
	controllers := railsScope{}.renamed(r.names, given.options["controllers"]).names
	for _, one := range deviseRoutes {
		if told && slices.Contains(skipped, one.controller) || toldOnly && len(only) > 0 && !slices.Contains(only, one.controller) {
			continue
		}
		target := railsTarget{}
		if whose := controllers[one.controller]; whose != "" && one.action != "" {
			target = railsTarget{whose, one.action}
		}
		below := s.below(one.path)
		if one.named != "" {
			below = below.below(s.named(one.named))
		}
		r.put(one.methods, railsPaths(railsMatch{r: r}.ending(below), s.expressions), below, target,
			!told || !toldOnly || one.controller != "sessions" || one.action == "destroy")
	}
}

func (r *railsRoutes) options(given rubyCall, name string) ([]string, bool) {
	if !given.has(name) {
		return nil, true
	}
	return r.names.list(given.options[name], 0)
}
