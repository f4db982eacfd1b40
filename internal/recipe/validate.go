package recipe

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Validate checks the whole, after flags were merged into it: what must be
// there, what excludes what, and the bounds that flags could have broken.
// Problems come as *Error, joined; those of flags have no position.
func (r *Recipe) Validate() error {
	check := validation{recipe: r}
	if r.Version != 1 {
		check.fault(Pos{}, "the recipe has version %d: this sessiongate reads version 1", r.Version)
	}
	check.target()
	check.database()
	check.users()
	check.steps()
	check.session()
	check.declarations()
	check.gate()
	if len(check.problems) == 0 {
		return nil
	}
	return join(check.problems, r.lines)
}

type validation struct {
	recipe   *Recipe
	problems []*Error
}

func (v *validation) fault(at Pos, format string, args ...any) {
	v.problems = append(v.problems, &Error{Pos: at, Problem: fmt.Sprintf(format, args...)})
}

func (v *validation) target() {
	target := v.recipe.Target
	var forms []string
	at := target.Pos
	if !target.URL.IsZero() {
		forms = append(forms, "url")
		v.url(target.URL)
	}
	if target.Process != nil {
		forms, at = append(forms, "process"), target.Process.Pos
		v.process(target.Process)
	}
	if target.Container != nil {
		forms, at = append(forms, "container"), target.Container.Pos
		v.container(target.Container)
	}
	switch {
	case len(forms) == 0:
		v.fault(target.Pos, "there is no target: give a URL, or write one of url, process, container under target in the recipe")
	case len(forms) > 1:
		v.fault(at, "the target is given as %s: keep one", strings.Join(forms, " and "))
	}
	if target.StartTimeout < 0 {
		v.fault(target.Pos, "start-timeout is negative")
	}
}

// url never quotes the address: it may have come from the environment.
func (v *validation) url(template Template) {
	at := v.recipe.Target.Pos
	if len(template.Names()) > 0 {
		v.fault(at, "the target's url holds no {{name}}")
		return
	}
	address, err := url.Parse(template.filled())
	switch {
	case err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "":
		v.fault(at, "the target's url is not an address such as http://127.0.0.1:8000")
	case address.User != nil:
		v.fault(at, "the target's url holds a user name or password: give them to the login step instead")
	case address.RawQuery != "" || address.Fragment != "":
		v.fault(at, "the target's url ends before the ? or #: put a query into the steps")
	}
}

func (v *validation) process(process *Process) {
	if len(process.Command) == 0 || process.Command[0].IsZero() {
		v.fault(process.Pos, `the process has no command: write command: [program, argument, "${PORT}"]`)
	}
}

func (v *validation) container(container *Container) {
	switch {
	case container.Image == "" && container.Build == nil:
		v.fault(container.Pos, "the container has neither image nor build")
	case container.Image != "" && container.Build != nil:
		v.fault(container.Pos, "the container has both image and build: keep one")
	}
	if container.Port < 0 || container.Port > 65535 {
		v.fault(container.Pos, "the container's port is the one the API listens on, between 1 and 65535")
	}
}

func (v *validation) database() {
	database := v.recipe.Database
	if database == nil {
		return
	}
	given := !database.URL.IsZero()
	switch {
	case given && database.Ephemeral != "":
		v.fault(database.Pos, "the database has both url and ephemeral: keep one")
	case !given && database.Ephemeral == "":
		v.fault(database.Pos, "the database has neither url nor ephemeral: write one, or leave the database out for black-box probes only")
	case database.Ephemeral != "" && database.Ephemeral != "cockroachdb" && database.Ephemeral != "postgres":
		v.fault(database.Pos, "the ephemeral database is cockroachdb or postgres, not %q", cut(database.Ephemeral))
	}
}

func (v *validation) users() {
	seen := map[string]bool{}
	for _, user := range v.recipe.Users {
		switch {
		case strings.TrimSpace(user.Name) == "":
			v.fault(user.Pos, "a user has no name")
		case seen[user.Name]:
			v.fault(user.Pos, "there are two users named %q", cut(user.Name))
		}
		seen[user.Name] = true
	}
}

func (v *validation) steps() {
	for _, name := range v.recipe.Steps.Names() {
		step := v.recipe.Steps[name]
		if !slices.Contains(StepNames, name) {
			v.fault(step.Pos, "there is no step %q: the steps are %s", cut(name), strings.Join(StepNames, ", "))
		}
		if len(step.Requests) == 0 {
			v.fault(step.Pos, "the step %s has no request", cut(name))
		}
		for _, request := range slices.Concat(step.Requests, step.Then) {
			if request.Method == "" || request.Path.IsZero() {
				v.fault(request.Pos, "a request of the step %s has no method or no path", cut(name))
			}
		}
	}
}

func (v *validation) session() {
	session := v.recipe.Session
	forms := 0
	for _, given := range []bool{len(session.Cookie) > 0, session.Header != "", !session.Bearer.IsZero(), session.Query != "", !session.Path.IsZero()} {
		if given {
			forms++
		}
	}
	if forms > 1 {
		v.fault(session.Pos, "the session has more than one carrier: keep one of cookie, header, bearer, query, path")
	}
	if !session.Value.IsZero() && session.Header == "" {
		v.fault(session.Pos, "the session has a value but no header to carry it")
	}
}

// ruleForm is a rule of the catalogue, with or without its variant.
var ruleForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$`)

func (v *validation) declarations() {
	seen := map[string]bool{}
	for _, declared := range v.recipe.NotApplicable {
		v.declaration("not-applicable", declared.Rule, declared.Reason, declared.Pos, seen)
	}
	seen = map[string]bool{}
	for _, declared := range v.recipe.Accepted {
		v.declaration("accepted", declared.Rule, declared.Reason, declared.Pos, seen)
	}
}

func (v *validation) declaration(list, rule, reason string, at Pos, seen map[string]bool) {
	switch {
	case !ruleForm.MatchString(rule):
		v.fault(at, `%s: %q is not a rule: "sessiongate explain" lists them`, list, cut(rule))
	case strings.TrimSpace(reason) == "":
		v.fault(at, "%s: %s needs a reason", list, rule)
	case seen[rule]:
		v.fault(at, "%s: %s stands there twice", list, rule)
	}
	seen[rule] = true
}

func (v *validation) gate() {
	gate := v.recipe.Gate
	if gate.FailUnder < 0 || gate.FailUnder > 100 {
		v.fault(gate.Pos, "fail-under is %d: it must lie between 0 and 100", gate.FailUnder)
	}
	if gate.FailOn != "any" && gate.FailOn != "new" {
		v.fault(gate.Pos, "fail-on is %q: it must be any or new", cut(gate.FailOn))
	}
	if v.recipe.Policy.MaxSessions < 0 || v.recipe.Policy.IdleTimeout < 0 || v.recipe.Policy.AbsoluteTimeout < 0 {
		v.fault(Pos{}, "the policy holds a negative number")
	}
}
