package recipe

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Over is what a user says beside the file: with flags, inputs of a workflow
// or the arguments of a call. It wins over the file. The zero value says nothing.
type Over struct {
	// Named is how the user knows a field, for errors: "--login" for "login".
	// nil: as it stands.
	Named func(field string) string

	URL                            string
	Container                      *Container // replaces the file's target, as URL does; its paths start at the working directory
	Login, Identity, Logout, Visit string     // "POST /login"
	Users                          []User     // replace the file's
	Database                       DatabaseOver
	Carrier                        string // auto, cookie:NAME, header:NAME, bearer:JSONPATH, query:NAME
	FailUnder                      *int   // nil: the file's
	FailOn                         string
	Baseline                       string // relative to the working directory, not to the recipe
}

// DatabaseOver is the part of Over about the session store.
type DatabaseOver struct {
	URL          secret.Text
	Ephemeral    string // used without a URL
	Schema, Seed string // relative to the working directory
}

// Apply lays over on the recipe. Its error names the field as the user knows it.
func (r *Recipe) Apply(over Over) error {
	if over.Named == nil {
		over.Named = func(field string) string { return field }
	}
	switch {
	case over.URL != "":
		r.Target.URL, r.Target.Process, r.Target.Container = Literal(over.URL), nil, nil
	case over.Container != nil:
		r.Target.URL, r.Target.Process, r.Target.Container = Template{}, nil, over.Container
		if err := over.Container.fromHere(); err != nil {
			return err
		}
	}
	if len(over.Users) > 0 {
		r.Users = over.Users
	}
	for _, user := range over.Users {
		if !user.Password.IsZero() {
			r.Secrets = append(r.Secrets, user.Password)
		}
	}
	for _, lay := range []func(Over) error{r.laySteps, r.layDatabase, r.laySession, r.layGate} {
		if err := lay(over); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recipe) laySteps(over Over) error {
	for _, said := range []struct{ step, line string }{
		{"login", over.Login}, {"identity", over.Identity}, {"logout", over.Logout}, {"visit", over.Visit},
	} {
		if said.line == "" {
			continue
		}
		request, err := ParseRequestLine(said.line)
		if err != nil {
			return fmt.Errorf("%s: %w", over.Named(said.step), err)
		}
		if said.step == "login" {
			request.Body = r.loginBody()
		}
		r.Steps[said.step] = Step{Name: said.step, Requests: []Request{request}}
	}
	return nil
}

// loginBody is what a login named by a line sends: the body of the file's
// login, which the line only moves, or the usual JSON.
func (r *Recipe) loginBody() Body {
	for _, request := range r.Steps["login"].Requests {
		if request.Body.Kind != NoBody {
			return request.Body
		}
	}
	return Body{Kind: JSONBody, JSON: map[string]any{"username": Placeholder("username"), "password": Placeholder("password")}}
}

func (r *Recipe) layDatabase(over Over) error {
	said := over.Database
	if said == (DatabaseOver{}) {
		return nil
	}
	switch said.Ephemeral {
	case "", "cockroachdb", "postgres":
	default:
		return fmt.Errorf("%s %s: write cockroachdb or postgres", over.Named("ephemeral-database"), cut(said.Ephemeral))
	}
	if r.Database == nil {
		r.Database = &Database{EnvironmentVariable: []string{"DATABASE_URL"}}
	}
	switch {
	case !said.URL.IsZero():
		r.Database.URL, r.Database.Ephemeral = said.URL, ""
		r.Secrets = append(r.Secrets, said.URL)
	case said.Ephemeral != "":
		r.Database.URL, r.Database.Ephemeral = secret.Text{}, said.Ephemeral
	case r.Database.URL.IsZero() && r.Database.Ephemeral == "":
		return fmt.Errorf("%s: there is no database to run it in; add %s", over.Named("schema"), over.Named("ephemeral-database"))
	}
	for _, file := range []struct {
		from string
		to   *string
	}{{said.Schema, &r.Database.Schema}, {said.Seed, &r.Database.Seed}} {
		if err := fromHere(file.from, file.to); err != nil {
			return fmt.Errorf("%s: %w", over.Named("schema"), err)
		}
	}
	return nil
}

func (c *Container) fromHere() error {
	if c.Build != nil {
		if err := fromHere(cmp.Or(c.Build.Context, "."), &c.Build.Context); err != nil {
			return err
		}
		c.Build.Dockerfile = cmp.Or(c.Build.Dockerfile, "Dockerfile")
	}
	for i := range c.Mount {
		if err := fromHere(c.Mount[i].Source, &c.Mount[i].Source); err != nil {
			return err
		}
	}
	return nil
}

// fromHere sets a path that starts at the working directory, not at the
// recipe's folder; an empty one changes nothing.
func fromHere(path string, to *string) error {
	if path == "" {
		return nil
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	*to = absolute
	return nil
}

func (r *Recipe) laySession(over Over) error {
	kind, name, _ := strings.Cut(over.Carrier, ":")
	wrong := fmt.Errorf("%s %s: write auto, cookie:NAME, header:NAME, bearer:JSONPATH or query:NAME", over.Named("carrier"), cut(over.Carrier))
	switch {
	case over.Carrier == "", over.Carrier == Auto:
		return nil
	case name == "":
		return wrong
	}
	switch kind {
	case "cookie":
		r.Session = Session{Carrier: kind, Cookie: []string{name}}
	case "header":
		r.Session = Session{Carrier: kind, Header: name}
	case "query":
		r.Session = Session{Carrier: kind, Query: name}
	case "bearer":
		if err := r.bearer(name); err != nil {
			return fmt.Errorf("%s %s: %w", over.Named("carrier"), cut(over.Carrier), err)
		}
	default:
		return wrong
	}
	return nil
}

// bearer captures the token from the login's answer.
func (r *Recipe) bearer(path string) error {
	login, has := r.Steps["login"]
	if !has || len(login.Requests) == 0 {
		return errors.New("there is no login step to take the token from; add one")
	}
	capture, err := JSONCapture("sessiongate_token", path)
	if err != nil {
		return err
	}
	last := &login.Requests[len(login.Requests)-1]
	last.Capture = append(last.Capture, capture)
	r.Session = Session{Carrier: "bearer", Bearer: Placeholder("sessiongate_token")}
	return nil
}

func (r *Recipe) layGate(over Over) error {
	if over.FailUnder != nil {
		if *over.FailUnder < 0 || *over.FailUnder > 100 {
			return fmt.Errorf("%s %d: a score is 0 to 100", over.Named("fail-under"), *over.FailUnder)
		}
		r.Gate.FailUnder = *over.FailUnder
	}
	switch over.FailOn {
	case "":
	case "any", "new":
		r.Gate.FailOn = over.FailOn
	default:
		return fmt.Errorf("%s %s: write any or new", over.Named("fail-on"), cut(over.FailOn))
	}
	if err := fromHere(over.Baseline, &r.Gate.Baseline); err != nil {
		return fmt.Errorf("%s: %w", over.Named("baseline"), err)
	}
	return nil
}
