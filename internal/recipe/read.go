package recipe

import (
	"math"
	"path"
	"path/filepath"
	"regexp"
)

func (r *reader) top(e entry) {
	seen := r.mapping(e,
		key{"version", r.version},
		key{"target", r.target},
		key{"database", r.database},
		key{"users", r.users},
		key{"steps", r.steps},
		key{"session", r.session},
		key{"policy", r.policy},
		key{"not-applicable", r.notApplicable},
		key{"accepted", r.accepted},
		key{"gate", r.gate},
	)
	if _, given := seen["version"]; !given && len(r.problems) == 0 {
		r.fault(r.place(1, 1), `the key "version" is missing: begin the recipe with "version: 1"`)
	}
}

func (r *reader) version(e entry) {
	before := len(r.problems)
	number := r.number(e, 0, math.MaxInt32)
	if len(r.problems) == before && number != 1 {
		r.fault(r.valueAt(e), "version %d is not known: this sessiongate reads version 1", number)
	}
}

func (r *reader) target(e entry) {
	target := &r.recipe.Target
	target.Pos = e.at
	r.mapping(e,
		key{"url", func(e entry) { target.URL = r.interpolate(e, interpolation{}, r.word(e)) }},
		key{"process", func(e entry) { target.Process = r.process(e) }},
		key{"container", func(e entry) { target.Container = r.container(e) }},
		key{"ready", func(e entry) { target.Ready = r.request(e, nil) }},
		key{"start-timeout", func(e entry) { target.StartTimeout = r.duration(e) }},
	)
}

func (r *reader) process(e entry) *Process {
	process := &Process{Pos: e.at, folder: filepath.Dir(r.file)}
	port := interpolation{port: true}
	r.mapping(e,
		key{"command", func(e entry) {
			for _, item := range r.items(e) {
				process.Command = append(process.Command, r.written(item, port))
			}
		}},
		key{"directory", func(e entry) { process.Directory = r.text(e) }},
		key{"environment", func(e entry) { process.Environment = r.environment(e, port) }},
	)
	return process
}

func (r *reader) container(e entry) *Container {
	container := &Container{Pos: e.at}
	r.mapping(e,
		key{"image", func(e entry) { container.Image = r.text(e) }},
		key{"build", func(e entry) { container.Build = r.build(e) }},
		key{"command", func(e entry) {
			for _, item := range r.items(e) {
				container.Command = append(container.Command, r.written(item, interpolation{}).filled())
			}
		}},
		key{"directory", func(e entry) {
			if container.Directory = r.text(e); container.Directory != "" && !path.IsAbs(container.Directory) {
				r.fault(r.valueAt(e), "directory: the path inside the container must begin with /")
			}
		}},
		key{"port", func(e entry) { container.Port = r.number(e, 1, math.MaxUint16) }},
		key{"mount", func(e entry) { container.Mount = r.mounts(e) }},
		key{"environment", func(e entry) { container.Environment = r.environment(e, interpolation{}) }},
	)
	return container
}

func (r *reader) build(e entry) *Build {
	build := &Build{Context: ".", Dockerfile: "Dockerfile"}
	r.mapping(e,
		key{"context", func(e entry) { build.Context = r.text(e) }},
		key{"dockerfile", func(e entry) { build.Dockerfile = r.text(e) }},
	)
	return build
}

func (r *reader) mounts(e entry) []Mount {
	var mounts []Mount
	for _, row := range r.entries(e) {
		inside := r.text(row)
		if inside != "" && !path.IsAbs(inside) {
			r.fault(r.valueAt(row), "mount: the path inside the container must begin with /")
		}
		mounts = append(mounts, Mount{Source: row.name, Target: inside, Pos: row.at})
	}
	return mounts
}

// variableName is what POSIX calls a name.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (r *reader) environment(e entry, how interpolation) []Pair {
	pairs := r.pairs(e, how)
	for _, pair := range pairs {
		if !variableName.MatchString(pair.Name) {
			r.fault(pair.Pos, "%q is not the name of an environment variable", cut(pair.Name))
		}
	}
	return pairs
}

func (r *reader) pairs(e entry, how interpolation) []Pair {
	var pairs []Pair
	for _, row := range r.entries(e) {
		pairs = append(pairs, Pair{Name: row.name, Value: r.written(row, how), Pos: row.at})
	}
	return pairs
}

func (r *reader) database(e entry) {
	database := &Database{EnvironmentVariable: []string{"DATABASE_URL"}, Pos: e.at}
	r.recipe.Database = database
	r.mapping(e,
		key{"url", func(e entry) { database.URL = r.secret(e) }},
		key{"ephemeral", func(e entry) { database.Ephemeral = r.choice(e, "cockroachdb", "postgres") }},
		key{"version", func(e entry) { database.Version = r.written(e, interpolation{}).filled() }},
		key{"environment-variable", func(e entry) {
			database.EnvironmentVariable = r.words(e, variableName.MatchString, "the name of an environment variable")
		}},
		key{"schema", func(e entry) { database.Schema = r.text(e) }},
		key{"seed", func(e entry) { database.Seed = r.text(e) }},
		key{"table", func(e entry) { database.Table = r.text(e) }},
	)
}

func (r *reader) users(e entry) {
	for _, item := range r.items(e) {
		user := User{Pos: item.at}
		r.mapping(item,
			key{"name", func(e entry) { user.Name = r.word(e) }},
			key{"username", func(e entry) { user.Username = r.text(e) }},
			key{"password", func(e entry) { user.Password = r.secret(e) }},
		)
		if user.Username == "" {
			user.Username = user.Name
		}
		r.recipe.Users = append(r.recipe.Users, user)
	}
}

func (r *reader) policy(e entry) {
	policy := &r.recipe.Policy
	r.mapping(e,
		key{"idle-timeout", func(e entry) { policy.IdleTimeout = r.duration(e) }},
		key{"absolute-timeout", func(e entry) { policy.AbsoluteTimeout = r.duration(e) }},
		key{"max-sessions", func(e entry) { policy.MaxSessions = r.number(e, 0, math.MaxInt32) }},
	)
}

func (r *reader) notApplicable(e entry) {
	for _, item := range r.items(e) {
		declared := NotApplicable{Pos: item.at}
		r.mapping(item,
			key{"rule", func(e entry) { declared.Rule, declared.Pos = r.word(e), r.valueAt(e) }},
			key{"reason", func(e entry) { declared.Reason = r.word(e) }},
		)
		r.recipe.NotApplicable = append(r.recipe.NotApplicable, declared)
	}
}

func (r *reader) accepted(e entry) {
	for _, item := range r.items(e) {
		declared := Accepted{Pos: item.at}
		r.mapping(item,
			key{"rule", func(e entry) { declared.Rule, declared.Pos = r.word(e), r.valueAt(e) }},
			key{"reason", func(e entry) { declared.Reason = r.word(e) }},
			key{"until", func(e entry) { declared.Until = r.date(e) }},
		)
		r.recipe.Accepted = append(r.recipe.Accepted, declared)
	}
}

func (r *reader) gate(e entry) {
	gate := &r.recipe.Gate
	gate.Pos = e.at
	r.mapping(e,
		key{"fail-under", func(e entry) { gate.FailUnder = r.number(e, 0, 100) }},
		key{"fail-on", func(e entry) { gate.FailOn = r.choice(e, "any", "new") }},
		key{"baseline", func(e entry) { gate.Baseline = r.text(e) }},
	)
}
