package locate

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// railsApp is one application of Rails.
type railsApp struct {
	*rubyCode
	name string // of its routes: "config/routes.rb"
	root string // its folder with a slash behind it, or ""
	// isAPI says that resources have no forms; mayBeAPI that this cannot be told.
	isAPI, mayBeAPI bool
	moved           bool        // all of it is below what is not known
	unsure          bool        // other files may add routes
	signOut         syntax.Node // the methods that Devise signs out with, where they are configured

	answered map[railsTarget][]railsAnswer
	sessions []setter // the line of the session's cookie
}

// railsTarget is "users/sessions" and "create". The zero value: nothing of the workspace.
type railsTarget struct{ controller, action string }

// railsAnswer is a method that answers.
type railsAnswer struct {
	place   Place
	setters []setter
}

const railsRoutesFile = "config/routes.rb"

// mostRailsApps are those of one workspace: more are nobody's.
const mostRailsApps = 32

func readRails(ctx context.Context, files *files) []route {
	names := files.of(rubyFile)
	var roots []string
	for _, name := range names {
		if root, found := strings.CutSuffix(name, railsRoutesFile); found && files.start.begins(name) && (root == "" || strings.HasSuffix(root, "/")) && mentions(files.read(name), []string{"routes.draw"}) {
			roots = append(roots, root)
		}
	}
	if len(roots) > mostRailsApps {
		return nil
	}
	var all []route
	for _, root := range roots {
		app := &railsApp{rubyCode: newRubyCode(ctx, files), name: root + railsRoutesFile, root: root, answered: map[railsTarget][]railsAnswer{}}
		app.learn(names, roots)
		all = append(all, app.read()...)
	}
	return all
}

// learn sorts the files of the application, and reads what is configured.
func (a *railsApp) learn(names, roots []string) {
	for _, name := range names {
		below, own := strings.CutPrefix(name, a.root)
		if !own || slices.ContainsFunc(roots, func(root string) bool { return len(root) > len(a.root) && strings.HasPrefix(name, root) }) {
			continue
		}
		if key := constantOf(below); key != "" {
			a.autoloaded[key] = append(a.autoloaded[key], name)
		}
		folder, _, _ := strings.Cut(below, "/")
		if (folder == "config" || folder == "lib") && name != a.name {
			a.configure(name)
		}
	}
	a.moved = a.moved || mapped.Match(uncommented(a.files.read(a.root+"config.ru")))
}

// constantOf is what a file is to define: "app/models/admin/user.rb" is admin/user.
// "" for one that nothing loads by its name.
func constantOf(name string) string {
	name = strings.TrimSuffix(name, ".rb")
	if below, found := strings.CutPrefix(name, "lib/"); found {
		return folded(below)
	}
	if !strings.HasPrefix(name, "app/") {
		at := strings.Index(name, "/app/") // packs/auth/app/models/user
		if at < 0 {
			return ""
		}
		name = name[at+1:]
	}
	_, name, _ = strings.Cut(strings.TrimPrefix(name, "app/"), "/")
	return folded(strings.TrimPrefix(name, "concerns/"))
}

// folded is a constant or a file's name without what the one writes and the
// other does not: Admin::OAuthController and admin/oauth_controller.
func folded(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(name, "::", "/"), "_", ""))
}

var (
	hashed   = regexp.MustCompile(`(?m)^\s*#.*$`)
	mapped   = regexp.MustCompile(`(?m)^\s*map\b`)
	patching = regexp.MustCompile(`(?m)^\s*class\s+(?:::)?([\w:]+Controller)\b|([\w:]+Controller)\.(?:class_eval|class_exec|prepend|include|send|define_method)\b`)
)

// uncommented is a source without the lines that are comments.
func uncommented(source []byte) []byte { return hashed.ReplaceAll(source, nil) }

// configure reads a file of config or lib.
func (a *railsApp) configure(name string) {
	source := uncommented(a.files.read(name))
	a.moved = a.moved || mentions(source, []string{"relative_url_root"})
	for _, found := range patching.FindAllSubmatch(source, mostItems) {
		a.patched[folded(string(found[1])+string(found[2]))] = true
	}
	if mentions(source, []string{"routes.draw", "routes.prepend", "paths['config/routes", `paths["config/routes`}) && !mentions(source, []string{"Engine.routes"}) {
		a.unsure = true
	}
	if !mentions(source, []string{"session_store", "api_only", "sign_out_via", "ActionDispatch::Session"}) {
		return
	}
	tree := a.files.tree(a.ctx, name, syntax.Ruby)
	for node := range tree.Root().All() {
		switch node.Kind() {
		case "assignment":
			a.set(node.Field("left").Field("method").Text(), node.Field("right"))
		case "call":
			a.session(name, node)
		}
	}
}

func (a *railsApp) set(option string, value syntax.Node) {
	switch option {
	case "api_only":
		a.isAPI = value.Kind() == "true"
		a.mayBeAPI = !a.isAPI && value.Kind() != "false"
	case "sign_out_via":
		a.signOut = value
	}
}

// session reads where the cookie of the session is named, which sets it in each handler.
func (a *railsApp) session(file string, call syntax.Node) {
	given := rubyArguments(call)
	method := call.Field("method")
	isStore := method.Text() == "session_store"
	for _, one := range given.values {
		isStore = isStore || method.Text() == "use" && strings.HasPrefix(one.Text(), "ActionDispatch::Session::")
	}
	key := rubyNames(nil).text(given.options["key"], 0)
	if isStore && given.has("key") && !strings.Contains(key, unknownPart) && len(a.sessions) < mostItems {
		a.sessions = append(a.sessions, setter{key, Place{file, method.Line()}})
	}
}

func (a *railsApp) read() []route {
	tree := a.files.tree(a.ctx, a.name, syntax.Ruby)
	if tree == nil {
		return nil
	}
	reading := &railsRoutes{app: a, calls: railsCalls(), names: rubyNames{}, concerns: map[string]syntax.Node{}, own: map[string]bool{}}
	reading.walk(tree.Root(), railsScope{unsure: isBroken(tree)}, 0)
	return reading.routes
}

// drawn is a file of config/routes; false where the grammar does not make out all of it.
func (a *railsApp) drawn(name string) (*syntax.Tree, bool) {
	file := path.Clean(a.root + "config/routes/" + name + ".rb")
	if !a.files.has(file) || !strings.HasPrefix(file, a.root+"config/routes/") {
		return nil, false
	}
	tree := a.files.tree(a.ctx, file, syntax.Ruby)
	return tree, tree != nil && !isBroken(tree)
}

func isBroken(tree *syntax.Tree) bool {
	for node := range tree.Root().All() {
		if node.Kind() == "ERROR" || node.Missing() {
			return true
		}
	}
	return false
}

// answers are the methods of the workspace that answer; none where the action
// is of a gem, or has no method.
func (a *railsApp) answers(target railsTarget) []railsAnswer {
	if target == (railsTarget{}) || strings.Contains(target.controller+target.action, unknownPart) {
		return nil
	}
	if known, seen := a.answered[target]; seen {
		return known
	}
	var made []railsAnswer
	class := a.class(folded(target.controller + "_controller"))
	if class != nil {
		for _, one := range a.action(class, target.action) {
			search := rubyCookies{rubyCode: a.rubyCode, class: class, action: target.action}
			search.all(one)
			made = append(made, railsAnswer{one.place(), slices.Concat(search.found, a.sessions)})
		}
	}
	if !a.step() {
		made = nil // a second definition may have been left out
	}
	a.answered[target] = made
	return made
}
