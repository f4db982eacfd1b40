package locate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// railsParsers serve all the applications of a test, since compiling a grammar
// takes most of the time.
func railsParsers(t testing.TB) *syntax.Parsers {
	t.Helper()
	parsers, err := syntax.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parsers.Close() })
	return parsers
}

// rails are the routes of an application.
func rails(t testing.TB, parsers *syntax.Parsers, sources map[string]string) []route {
	t.Helper()
	return rubyRoutes(t, parsers, sources, readRails)
}

func rubyRoutes(t testing.TB, parsers *syntax.Parsers, sources map[string]string, read func(context.Context, *files) []route) []route {
	t.Helper()
	folder := t.TempDir()
	for name, text := range sources {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := walk(t.Context(), folder, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = files.root.Close() }()
	files.parsers = parsers
	return read(t.Context(), files)
}

// railsLine is the line of the handler, "" for none.
func railsLine(t testing.TB, parsers *syntax.Parsers, sources map[string]string, method, path string) string {
	t.Helper()
	found, reason := choose(rails(t, parsers, sources), method, path, "")
	switch {
	case reason.Code != Found:
		return string(reason.Code)
	case found.place.Line > strings.Count(sources[found.place.File], "\n")+1:
		t.Errorf("%s is outside", found.place)
	}
	return strings.TrimSpace(strings.Split(sources[found.place.File], "\n")[found.place.Line-1])
}

// railsWith is an application with these routes and one controller.
func railsWith(routes string) map[string]string {
	return map[string]string{
		"config/routes.rb":                       "Rails.application.routes.draw do\n" + routes + "\nend\n",
		"app/controllers/sessions_controller.rb": "class SessionsController < ApplicationController\n  def create; end\n  def new; end\n  def show; end\n  def index; end\nend\n",
	}
}

const sessionsCreate = "def create; end"

// What cannot be told may answer what follows it.
func TestRailsTellsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	parsers := railsParsers(t)
	login := "\npost 'login', to: 'sessions#create'\n"
	for name, one := range map[string]struct {
		routes  string
		handler string
	}{
		"alone":                         {login, sessionsCreate},
		"after a macro":                 {"use_something" + login, "none"},
		"after a macro with a block":    {"localized do\nget 'x', to: 'y#z'\nend" + login, "none"},
		"before a macro":                {login + "use_something", sessionsCreate},
		"after a macro elsewhere":       {"namespace(:x) { use_something }" + login, sessionsCreate},
		"after a library's":             {"ActiveAdmin.routes(self)" + login, "none"},
		"after a call of a library":     {"require 'x'\nRails.logger.info('x')\nSidekiq::Web.use(X)" + login, sessionsCreate},
		"after its own method":          {"def more\n get 'x', to: 'y#z'\nend\nmore" + login, "none"},
		"after a mount":                 {"mount X::Engine => '/x'" + login, sessionsCreate},
		"after a mount at the root":     {"mount X::Engine, at: '/'" + login, "none"},
		"after a mount somewhere":       {"mount X::Engine, at: X.path" + login, "none"},
		"after a mount of a part":       {"mount X, at: '/log'" + login, sessionsCreate},
		"after all":                     {"match '*path', to: 'sessions#new', via: :post" + login, "def new; end"},
		"after all of another verb":     {"match '*path', to: 'sessions#new', via: :get" + login, sessionsCreate},
		"after a redirect":              {"post 'login', to: redirect('/x')" + login, "none"},
		"after an engine's":             {"match 'login', to: X, via: :all" + login, "none"},
		"after an unknown path":         {"post X::PATH, to: 'sessions#new'" + login, "none"},
		"after an unknown option":       {"post 'x', **options" + login, "none"},
		"after a part of a path":        {"post \"/#{x}/end\", to: 'sessions#new'" + login, sessionsCreate},
		"a loop over a list":            {"%w[login out].each { |name| post name, to: 'sessions#create' }", sessionsCreate},
		"a loop over a constant":        {"A = [:login].freeze\nA.each do |name|\n post name, controller: 'sessions', action: 'create'\nend", sessionsCreate},
		"a loop over what is read":      {"X.all.each { |name| post name, to: 'sessions#create' }", "none"},
		"after such a loop":             {"X.all.each { |name| post name, to: 'sessions#new' }" + login, "none"},
		"a loop over both":              {"[*x, 'login'].each { |name| post name, to: 'sessions#create' }", "none"},
		"a value of a variable":         {"a = 'login'\npost a, to: 'sessions#create'", sessionsCreate},
		"a variable that changes":       {"a = 'out'\na = 'login'\npost a, to: 'sessions#create'", "none"},
		"a variable of a condition":     {"a = 'login' if x\npost a, to: 'sessions#create'", "none"},
		"a condition":                   {"if Rails.env.production?\n" + login + "end", sessionsCreate},
		"a condition as a suffix":       {"post('login', to: 'sessions#create') unless x", sessionsCreate},
		"both of a condition":           {"if x\npost 'login', to: 'sessions#new'\nelse" + login + "end", "several"},
		"after a condition":             {"post('login', to: 'sessions#new') if x" + login, "several"},
		"after a return":                {"return if x\npost 'login', to: 'sessions#create'\npost 'login', to: 'sessions#new'", "several"},
		"a constraint":                  {"constraints(X.new) do" + login + "end", sessionsCreate},
		"after a constraint":            {"constraints(subdomain: 'x') do\npost 'login', to: 'sessions#new'\nend" + login, "several"},
		"authenticated, before a macro": {"authenticate :user do" + login + "end\nuse_something", sessionsCreate},
		"authenticated":                 {"authenticate :user do" + login + "end", sessionsCreate},
		"in comments":                   {"# post 'login', to: 'sessions#create'\n=begin\npost 'login', to: 'sessions#create'\n=end", "none"},
		"in a string":                   {"x = \"post 'login', to: 'sessions#create'\"", "none"},
		"in a heredoc":                  {"x = <<~A\n  post 'login', to: 'sessions#create'\nA", "none"},
		"none of a resource":            {"resources :login, controller: 'sessions', only: []", "none"},
		"some of a resource":            {"resources :login, controller: 'sessions', only: X", sessionsCreate},
		"after some of a resource":      {"resources :login, controller: 'sessions', only: X\npost 'login', to: 'sessions#new'", "several"},
		"except":                        {"resources :login, controller: 'sessions', except: [:create]", "none"},
		"a module that is unknown":      {"scope module: X do" + login + "end", "none"},
		"a path that is unknown":        {"scope ENV['PREFIX'] do" + login + "end", sessionsCreate},
		"after one":                     {"scope ENV['PREFIX'] do\npost 'login', to: 'sessions#new'\nend" + login, "several"},
		"a controller of its own":       {"scope module: 'admin' do" + login + "end", "none"},
		"a slash":                       {"scope module: 'admin' do\npost 'login', to: '/sessions#create'\nend", sessionsCreate},
		"a file that is not there":      {"draw :other" + login, "none"},
		"a file that is outside":        {"draw '../../x'" + login, "none"},
		"a concern that is unknown":     {"resources :x, concerns: :y" + login, sessionsCreate},
		"a concern":                     {"concern :c do\n post :login, to: 'sessions#create', on: :collection\nend\nresources :login, only: [], path: '' do\n concerns :c\nend", sessionsCreate},
		"metaprogramming":               {"[:post].each { |verb| send(verb, 'login', to: 'sessions#create') }", "none"},
		"evaluated":                     {"instance_eval(File.read('x'))" + login, "none"},
		"a lambda given":                {"scope(&x)" + login, "none"},
		"a syntax error":                {"post 'login' to: 'sessions#create'", "none"},
		"an action that is a path":      {"post ':controller/:action', to: X\npost ':action', controller: 'sessions'", "none"},
		"match without a verb":          {"match 'login', to: 'sessions#create'", sessionsCreate},
		"a symbol":                      {"controller(:sessions) { post :login, action: :create }", sessionsCreate},
	} {
		t.Run(name, func(t *testing.T) {
			if line := railsLine(t, parsers, railsWith(one.routes), "POST", "/login"); line != one.handler {
				t.Errorf("%q, want %q", line, one.handler)
			}
		})
	}
}

// What stands outside of the routes changes what answers.
func TestRailsIsConfiguredElsewhere(t *testing.T) {
	t.Parallel()
	parsers := railsParsers(t)
	login, form := "post 'login', to: 'sessions#create'\n", "resources :sessions, only: [:new, :show]\n"
	for name, one := range map[string]struct {
		routes, file, text string
		method, path, line string
	}{
		"nothing":                 {login + form, "x.rb", "", "GET", "/sessions/new", "def new; end"},
		"an API":                  {"resources :sessions", "config/application.rb", "config.api_only = true\n", "GET", "/sessions/new", "def show; end"},
		"perhaps an API":          {"resources :sessions", "config/application.rb", "config.api_only = ENV['API']\n", "GET", "/sessions/new", "several"},
		"a root in a comment":     {login, "config/application.rb", "  # config.relative_url_root = '/shop'\n", "POST", "/shop/login", "none"},
		"a root":                  {login, "config/application.rb", "config.relative_url_root = ENV['ROOT']\n", "POST", "/shop/login", "def create; end"},
		"a root in config.ru":     {login, "config.ru", "map ENV['ROOT'] do\n run Rails.application\nend\n", "POST", "/shop/login", "def create; end"},
		"a class that is changed": {login, "config/initializers/more.rb", "SessionsController.class_eval do\n  def create; end\nend\n", "POST", "/login", "none"},
		"routes before":           {login + "post 'login', to: 'sessions#new'\n", "lib/more.rb", "Rails.application.routes.prepend { post 'login', to: 'x#y' }\n", "POST", "/login", "several"},
		"a file that is drawn":    {"draw :more", "config/routes/more.rb", login, "POST", "/login", "def create; end"},
		"one that is broken":      {"draw :more\npost 'login', to: 'sessions#new'", "config/routes/more.rb", login + "get(]\n", "POST", "/login", "several"},
		"a controller of a pack":  {"post 'pack', to: 'pack#create'", "packs/a/app/controllers/pack_controller.rb", "class PackController\n  def create; end # of a pack\nend\n", "POST", "/pack", "def create; end # of a pack"},
		"another class":           {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class ParcelController\n  def create; end\nend\n", "POST", "/pack", "none"},
		"a class of a module":     {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "module A\n class PackController\n  def create; end\n end\nend\n", "POST", "/pack", "none"},
		"a model":                 {"post 'pack', to: 'pack#create'", "app/models/pack_controller.rb", "class PackController\n  def create; end\nend\n", "POST", "/pack", "none"},
		"half a class":            {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController\n  def new(\n  end\n  def create; end # whole\nend\n", "GET", "/pack", "none"},
		"two classes":             {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController\n  def create; end\nend\nclass PackController\n  def create; end\nend", "POST", "/pack", "several"},
		"a module of a library":   {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController < SessionsController\n  include Some::Gem\nend", "POST", "/pack", "none"},
		"a module of Rails":       {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController < SessionsController\n  include ActionController::Cookies\nend", "POST", "/pack", "def create; end"},
		"made by a loop":          {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController < SessionsController\n  define_method(x) { }\nend", "POST", "/pack", "none"},
		"what is hidden":          {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController < SessionsController\n  private :create\nend", "POST", "/pack", "none"},
		"a public one":            {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController\n  private\n  def x; end\n  public\n  def create; end # seen\nend", "POST", "/pack", "def create; end # seen"},
		"what is aliased":         {"post 'pack', to: 'pack#create'", "app/controllers/pack_controller.rb", "class PackController < SessionsController\n  alias_method :create, :new\nend", "POST", "/pack", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			sources := railsWith(one.routes)
			sources[one.file] = one.text
			if line := railsLine(t, parsers, sources, one.method, one.path); line != one.line {
				t.Errorf("%q, want %q", line, one.line)
			}
		})
	}
}

func TestHostileRails(t *testing.T) {
	t.Parallel()
	parsers := railsParsers(t)

	login := "\npost 'login', to: 'sessions#create'\n"
	for name, routes := range map[string]string{
		"many routes":          strings.Repeat("get 'aaa/:b/ccc', to: 'sessions#new'\n", 20_000),
		"many forms":           "get 'a" + strings.Repeat("(/:a", 50) + strings.Repeat(")", 50) + "', to: 'sessions#new'",
		"many forms beside":    "get 'a" + strings.Repeat("(/:a)", 50) + "', to: 'sessions#new'",
		"open parentheses":     "get '" + strings.Repeat("(", 4000) + "', to: 'sessions#new'",
		"deep blocks":          strings.Repeat("scope 'a' do\n", 500) + "get 'x', to: 'sessions#new'\n" + strings.Repeat("end\n", 500),
		"deep resources":       strings.Repeat("resources :a do\n", 200) + strings.Repeat("end\n", 200),
		"deep expressions":     "get " + strings.Repeat("(", 20_000) + "1" + strings.Repeat(")", 20_000),
		"loops inside loops":   strings.Repeat("%w[a b c d e f g h].each do |x|\n", 12) + "get x, to: 'sessions#new'\n" + strings.Repeat("end\n", 12),
		"a concern in itself":  "concern(:a) { concerns :a; concerns :a }\nconcerns :a",
		"a file in itself":     "draw :a",
		"doubling":             "a = 'a'\n" + strings.Repeat("b = a + a\n", 50) + doubled(200),
		"a long regex":         "get ':a', to: 'sessions#new', a: /" + strings.Repeat("(a{64}", 50) + strings.Repeat(")", 50) + "/",
		"many regexes":         strings.Repeat("get ':a', to: 'sessions#new', a: /(\\w{60}|b{60})\\d{60}/\n", 5000),
		"a long list":          "%w[" + strings.Repeat("a ", 100_000) + "].each { |x| get x, to: 'sessions#new' }",
		"a variable of itself": "a = a\nget a, to: a\nb = c\nc = b\nget b, to: c",
		"binary":               "get '\xff\xfe\x00\x01\x02', to: 'sessions#new'",
		"a class of itself":    "get 'self', to: 'self#x'",
	} {
		t.Run(name, func(t *testing.T) {
			sources := railsWith(routes + login)
			sources["config/routes/a.rb"] = "draw :a\ndraw :a\n"
			sources["app/controllers/self_controller.rb"] = "class SelfController < SelfController\n  include SelfController\n  def y; end\nend\n"
			began := time.Now()
			all := rails(t, parsers, sources)
			for _, path := range []string{"/login", "/a/a/a", "/self", "/" + strings.Repeat("a", 2000)} {
				found, _ := choose(all, "POST", path, "")
				if found.place != (Place{}) && (path != "/login" || found.place.Line != 2) {
					t.Errorf("%s: %s", path, found.place)
				}
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func doubled(times int) string {
	var made strings.Builder
	for i := range times {
		fmt.Fprintf(&made, "x%d = \"#{x%d}#{x%d}\"\n", i+1, i, i)
	}
	return "x0 = 'a'\n" + made.String() + fmt.Sprintf("get x%d, to: 'sessions#new'", times)
}

// One application of three files that are anything.
func FuzzRails(f *testing.F) {
	for _, routes := range []string{
		"resources :users, only: [:show] do\n member { get :a }\n resources :b, shallow: true\nend\npost 'login' => 'sessions#create'",
		"scope '(:locale)', module: :a, locale: /en|de/ do\n concern(:c) { get :x, on: :collection }\n resource :session, concerns: %i[c]\nend\ndevise_for :users, controllers: { sessions: 'sessions' }",
		"%w[a b].each do |x|\n match \"#{x}/*y(.:format)\", to: 'sessions#create', via: :all, y: /.+/\nend\nmount A => '/b'\ndraw :a\nroot 'sessions#create' if x",
	} {
		f.Add(routes, "before_action :a, only: :create\n def create\n keep(:sid)\n super\n end\n private def keep(name) = cookies.signed[name] = 1\n def a; response.set_header('Set-Cookie', \"a=#{b}\"); end")
	}
	f.Add("post 'login', to: 'sessions#create'", "include SessionsController\n NAME = 'a'\n define_method(:create) { |x| cookies[NAME] ||= x }\n after_action { create }\n alias a b\n if x\n def create; end\n end")
	parsers := railsParsers(f)
	f.Fuzz(func(t *testing.T, routes, controller string) {
		sources := railsWith(routes)
		sources["app/controllers/sessions_controller.rb"] = "class SessionsController < ApplicationController\n" + controller + "\nend\n"
		sources["app/controllers/application_controller.rb"] = "class ApplicationController\n" + controller + "\nend\n"
		sources["config/routes/a.rb"] = routes
		all := rails(t, parsers, sources)
		for _, one := range all {
			stands(t, sources, one.place)
			for _, set := range one.setters {
				stands(t, sources, set.at)
			}
		}
		for _, path := range []string{"/login", "/", "/session", "/users/{id}"} {
			found, reason := choose(all, "POST", path, "")
			if (found.place == Place{}) != (reason.Code != Found) {
				t.Errorf("%s: %v %v", path, found.place, reason)
			}
		}
	})
}

func FuzzSinatra(f *testing.F) {
	f.Add("require 'sinatra'\nenable :sessions\npost('/login/?') { keep(:a) }\ndef keep(x) = cookies[x] = 1\nclass A < Sinatra::Base\n namespace('/a') { get('/:b/*') { pass } }\nend\n")
	parsers := railsParsers(f)
	f.Fuzz(func(t *testing.T, text string) {
		sources := map[string]string{"a.rb": text, "b.rb": "require 'sinatra'\n" + text}
		for _, one := range rubyRoutes(t, parsers, sources, readSinatra) {
			stands(t, sources, one.place)
			for _, set := range one.setters {
				stands(t, sources, set.at)
			}
		}
	})
}

// stands fails for a place that is none of the files'.
func stands(t *testing.T, sources map[string]string, at Place) {
	t.Helper()
	if text, has := sources[at.File]; at != (Place{}) && (!has || at.Line < 1 || at.Line > strings.Count(text, "\n")+1) {
		t.Errorf("%s stands nowhere", at)
	}
}
