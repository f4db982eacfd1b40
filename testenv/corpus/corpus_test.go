// Package corpus_test holds sessiongate to published flaws in real packages,
// and to hardened applications of awkward shape. Every case first proves its
// own truth over plain HTTP; then sessiongate has to find exactly that.
package corpus_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/launch"
	gate "github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/secret"
)

var update = flag.Bool("update", false, "write RESULTS.md anew")

func TestCorpus(t *testing.T) {
	all := stories(t)
	install(t, all)
	table, found := &table{stories: all}, &discoveryTable{}
	t.Run("case", func(t *testing.T) {
		for _, s := range all {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				row, err := prove(t, s)
				if err != nil {
					t.Fatalf("the case itself is wrong: %v", err)
				}
				found.add(row)
				table.add(judge(t, s, scan(t, s)))
			})
		}
	})
	table.settle(t)
	found.settle(t, len(all))
}

// scan runs sessiongate as its users do.
func scan(t *testing.T, s *story) report.Report {
	t.Helper()
	loaded, err := gate.Load(s.Recipe, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	options := app.Options{Recipe: loaded, Version: "corpus", Now: time.Now(), Deep: s.deep()}
	made, err := app.Audit(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if made.Problem != "" {
		t.Errorf("nothing could be measured: %s", made.Problem)
	}
	return made
}

// deep says that an expected rule is one of the deep profile.
func (s *story) deep() bool {
	for _, one := range catalog.All() {
		if one.Deep && slices.Contains(s.Expect, one.Rule.ID) {
			return true
		}
	}
	return false
}

const medium = 40

// judge compares what was found with what is true.
func judge(t *testing.T, s *story, made report.Report) row {
	t.Helper()
	r := row{story: s, Requests: made.Requests, Logins: made.Logins, Took: made.Duration, Untested: made.Coverage.CoreUntested}
	failed := map[string]report.Result{}
	bases := map[string]bool{} // a milder form of what is expected counts as caught
	for _, result := range made.Results {
		if result.Outcome == finding.Fail {
			failed[result.Rule.ID] = result
			bases[result.Rule.Base()] = true
		}
	}
	for _, rule := range s.Expect {
		_, known := catalog.Rule(rule)
		_, caught := failed[rule]
		caught = caught || bases[rule]
		switch {
		case !known:
			r.Later = append(r.Later, rule)
		case caught:
			r.Caught = append(r.Caught, rule)
		case s.Known[rule] != "":
			r.Known = append(r.Known, rule)
		default:
			r.Missed = append(r.Missed, rule)
			t.Errorf("missed %s: %s", rule, outcome(made, rule))
		}
	}
	for rule, result := range failed {
		if result.Rule.Severity < medium || s.speaksOf(rule) {
			continue
		}
		r.False = append(r.False, rule)
		t.Errorf("false alarm %s: %s", rule, message(made, rule))
	}
	for _, rule := range r.Untested {
		if !slices.Contains(s.Expect, rule) {
			t.Errorf("core rule %s is not tested: %s", rule, outcome(made, rule))
		}
	}
	slices.Sort(r.False)
	return r
}

// speaksOf says whether the case knows of the rule, or of another severity of it.
func (s *story) speaksOf(rule string) bool {
	return slices.ContainsFunc(s.rules(), func(named string) bool { return finding.Base(named) == finding.Base(rule) })
}

func outcome(made report.Report, rule string) string {
	for _, result := range made.Results {
		if result.Rule.ID == rule {
			return fmt.Sprintf("%s %s %s", result.Outcome, result.Reason, result.Note)
		}
	}
	return "there is no such row"
}

func message(made report.Report, rule string) string {
	for _, found := range made.Findings {
		if found.Rule.ID == rule {
			return fmt.Sprintf("%s %v", found.Message, found.Evidence)
		}
	}
	return "without a finding"
}

// prove attacks the application over plain HTTP and compares with the case. What
// discovery finds out about it is seen before.
func prove(t *testing.T, s *story) (discovery, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	found, proved, err := attacked(ctx, t, s)
	if err != nil {
		return found, err
	}
	for _, rule := range s.Expect {
		if !slices.Contains(proved, rule) && s.Unproved[rule] == "" {
			return found, fmt.Errorf("%s is expected, and no attack proves it; proved are %v", rule, proved)
		}
	}
	for _, rule := range proved {
		if _, tolerated := s.Tolerate[rule]; !tolerated && !slices.Contains(s.Expect, rule) && !low[rule] {
			return found, fmt.Errorf("the attack of %s succeeds, and the case neither expects nor tolerates it", rule)
		}
	}
	return found, nil
}

// attacked is what discovery and the attacks found out about an application that
// was started for them.
func attacked(ctx context.Context, t *testing.T, s *story) (discovery, []string, error) {
	t.Helper()
	p := &proof{story: s, recipe: s.plain}
	target, err := p.start(ctx, t)
	if err != nil {
		return discovery{}, nil, err
	}
	defer func() { _ = target.Close() }()
	p.base = target.URL
	found := discovered(t, s, target.URL)
	proved, err := p.attack(ctx)
	if err != nil {
		return found, nil, fmt.Errorf("%w\n%s", err, strings.Join(target.Logs(), "\n"))
	}
	return found, proved, nil
}

// low are the rules with an experiment that the gate lets pass.
var low = map[string]bool{"session-id-accepted-in-header": true}

// start brings the application up, with a database of its own where it wants one.
func (p *proof) start(ctx context.Context, t *testing.T) (*launch.Target, error) {
	process := p.recipe.Target.Process
	environment := map[string]secret.Text{}
	if p.recipe.Database != nil {
		dsn, err := p.database(ctx, t)
		if err != nil {
			return nil, err
		}
		environment["DATABASE_URL"] = secret.New(dsn)
	}
	port, err := launch.FreePort()
	if err != nil {
		return nil, err
	}
	fill := func(text string) string { return strings.ReplaceAll(text, "${PORT}", fmt.Sprint(port)) }
	for name, value := range process.Environment {
		environment[name] = secret.New(fill(value))
	}
	var command []string
	for _, word := range process.Command {
		command = append(command, fill(word))
	}
	ready := launch.Ready{}
	if method, path, found := strings.Cut(p.recipe.Target.Ready, " "); found {
		ready = launch.Ready{Method: method, Path: path}
	}
	return launch.Start(ctx, launch.Process{Command: command, Directory: filepath.Join(p.folder(), process.Directory),
		Environment: environment, Ready: ready, Port: port, StartTimeout: time.Minute})
}

// The proofs share one PostgreSQL; each has a database in it.
var (
	running *launch.Database
	server  = sync.OnceValue(func() (err error) {
		running, err = launch.Postgres(context.Background(), "")
		return err
	})
)

func (p *proof) database(ctx context.Context, t *testing.T) (string, error) {
	if err := server(); err != nil {
		return "", err
	}
	admin, err := pgx.Connect(ctx, running.DSN.Reveal())
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{p.Name}.Sanitize()); err != nil {
		return "", err
	}
	config := admin.Config().Copy()
	config.Database = p.Name
	if p.store, err = pgx.ConnectConfig(ctx, config); err != nil {
		return "", err
	}
	t.Cleanup(func() { _ = p.store.Close(context.Background()) })
	for _, file := range []string{p.recipe.Database.Schema, p.recipe.Database.Seed} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.folder(), file))
		if err != nil {
			return "", err
		}
		if _, err := p.store.PgConn().Exec(ctx, string(text)).ReadAll(); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
	}
	return fmt.Sprintf("postgresql://%s:%s@%s:%d/%s", config.User, config.Password, config.Host, config.Port, p.Name), nil
}

// install brings in every set of dependencies once, two at a time.
func install(t *testing.T, all []*story) {
	t.Helper()
	sets := map[string]*story{}
	for _, s := range all {
		command := s.plain.Target.Process.Command
		if len(command) < 2 || filepath.Base(command[0]) != "serve" {
			t.Fatalf("%s: the command is %v, not serve", s.Name, command)
		}
		sets[filepath.Join(s.folder(), s.plain.Target.Process.Directory, pins(command))] = s
	}
	t.Run("install", func(t *testing.T) {
		for _, file := range slices.Sorted(maps.Keys(sets)) {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				s := sets[file]
				command := s.plain.Target.Process.Command
				arguments := append(strings.Fields(pins(command)), "--install")
				run := exec.CommandContext(t.Context(), command[0], arguments...)
				run.Dir = filepath.Join(s.folder(), s.plain.Target.Process.Directory)
				if out, err := run.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
}

// pins is the dependency file that serve is told; "" where it has its own.
func pins(command []string) string {
	if slices.Contains([]string{".txt", ".json", ".mod"}, filepath.Ext(command[1])) {
		return command[1]
	}
	return ""
}

func TestMain(m *testing.M) {
	code := m.Run()
	if running != nil {
		_ = running.Close()
	}
	os.Exit(code)
}
