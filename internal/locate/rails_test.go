package locate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

func railsShop() map[string]string {
	return map[string]string{
		"config/routes.rb": `Rails.application.routes.draw do
  resource :session, only: [:new, :create, :destroy]
  post "login" => "sessions#create"
  namespace :admin do
    resources :sessions, only: :create
    resource :session, only: [:destroy, :show]
  end
  namespace :api do
    namespace :v1 do
      post :token, to: "o_auth#token"
      get :hidden, to: "o_auth#hidden"
      get :shown, to: "o_auth#shown"
    end
  end
  get "made", to: "pages#made"
  get "implicit", to: "pages#implicit"
  get "aliased", to: "pages#aliased"
  get "twice", to: "pages#twice"
  get "other", to: "pages#other"
  get "users/:id", to: "users#show"
end
`,
		"config/initializers/session_store.rb": "# session_store :cookie_store, key: \"_old\"\n" +
			"Rails.application.config.session_store :cookie_store, key: \"_shop_session\", secure: true # its cookie\n",
		"app/controllers/application_controller.rb": `class ApplicationController < ActionController::Base
  include Authentication
  before_action :count_visit
  before_action :locale, only: %i[new show]
  after_action(except: [:destroy]) { cookies.permanent[:seen] = "1" }

  private

  def count_visit
    cookies[:visits] = 1
  end

  def locale
    cookies[:locale] = "en"
  end
end
`,
		"app/controllers/concerns/authentication.rb": `module Authentication
  extend ActiveSupport::Concern

  included do
    after_action :remember, only: :create
  end

  def destroy
    cookies.delete(:sid)
    response.set_header("Set-Cookie", "gone=#{1}; Path=/")
  end

  private

  def keep(name, value, domain: nil)
    cookies.encrypted[name] = { value: value, httponly: true }
  end

  def remember
    cookies.signed.permanent["remember_me"] ||= 1
  end
end
`,
		"app/controllers/sessions_controller.rb": `# def create
class SessionsController < ApplicationController
  NAME = :sid
  skip_before_action :count_visit, only: [:create]

  def new; end

  def create
    text = <<~RUBY
      def create
        cookies[:sid] = 1
      end
    RUBY
    keep(NAME, text)
    flash_it
    self.theme
    response.set_cookie "csrf", { value: 1 }
  end

  def self.destroy; end

  private def flash_it = keep(:flash, 1)

  def theme # of a shop
    response.headers["Set-Cookie"] = "theme=dark; Path=/"
  end
end
`,
		"app/controllers/admin/sessions_controller.rb": `class Admin::SessionsController < ::SessionsController
  def create # of an admin
    super
    cookies[:admin] = 1
  end
end
`,
		"app/controllers/api/v1/o_auth_controller.rb": `module API
  module V1
    class OAuthController < BaseController
      def token; end # a token
      def hidden; end
      private :hidden
      protected
      def shown; end
    end
  end
end
`,
		"app/controllers/api/v1/base_controller.rb": "module API::V1\n  class BaseController < ActionController::API\n    def shown; end # in the base\n  end\nend\n",
		"app/controllers/pages_controller.rb": `class PagesController < ApplicationController
  define_method(:made) { cookies[:made] = 1 }
  alias aliased made
  def twice; end
  def twice; end
  if Rails.env.test?
    def other; end # under a condition
  end
  class Inner
    def implicit; end
  end
end
class OtherController
  def implicit; end
end
`,
		"app/controllers/users_controller.rb":                   "class UsersController < Gem::Controller\n  include Gem::Actions\n  def index; end\nend\n",
		"spec/controllers/sessions_controller_spec.rb":          "class SessionsController\n  def create; end\nend\n",
		"vendor/bundle/x/app/controllers/sessions.rb":           "class SessionsController\n  def create; end\nend\n",
		"tmp/app/controllers/sessions_controller.rb":            "class SessionsController\n  def create; end\nend\n",
		"app/models/session.rb":                                 "class Session\n  def create; end\nend\n",
		"test/dummy/config/routes.rb":                           "Rails.application.routes.draw { post \"login\", to: \"sessions#create\" }\n",
		"engines/blog/config/routes.rb":                         "Blog::Engine.routes.draw { post \"login\", to: \"posts#create\" }\n",
		"engines/blog/app/controllers/blog/posts_controller.rb": "class Blog::PostsController\n  def create; end\nend\n",
	}
}

func TestRails(t *testing.T) {
	t.Parallel()
	sources := railsShop()
	all := []asked{
		{"POST", "/login", "def create\n    text", "sid", "cookies.encrypted[name]"},
		{"POST", "/session", "def create\n    text", "flash", "cookies.encrypted[name]"},
		{"POST", "/session.json", "def create\n    text", "csrf", "response.set_cookie"},
		{"POST", "/session/", "def create\n    text", "theme", "response.headers[\"Set-Cookie\"]"},
		{"POST", "/login", "def create\n    text", "remember_me", "cookies.signed.permanent["},
		{"POST", "/login", "def create\n    text", "seen", "after_action(except"},
		{"POST", "/login", "def create\n    text", "visits", ""}, // it is skipped
		{"POST", "/login", "def create\n    text", "locale", ""},
		{"POST", "/login", "def create\n    text", "_shop_session", "Rails.application.config.session_store"},
		{"POST", "/login", "def create\n    text", "_old", ""},
		{"GET", "/session/new", "def new; end", "locale", "cookies[:locale]"},
		{"GET", "/session/new", "def new; end", "visits", "cookies[:visits]"},
		{"DELETE", "/session", "def destroy\n    cookies", "gone", "response.set_header("},
		{"DELETE", "/session", "def destroy\n    cookies", "seen", ""},
		{"DELETE", "/admin/session", "def destroy\n    cookies", "", ""},
		{"GET", "/admin/session", "", "", ""},
		{"POST", "/admin/sessions", "def create # of an admin", "admin", "cookies[:admin]"},
		{"POST", "/admin/sessions", "def create # of an admin", "sid", "cookies.encrypted[name]"},
		{"POST", "/api/v1/token", "def token; end # a token", "", ""},
		{"GET", "/api/v1/hidden", "", "", ""},
		{"GET", "/api/v1/shown", "", "", ""},
		{"GET", "/made", "define_method(:made)", "made", "define_method(:made)"},
		{"GET", "/implicit", "", "", ""},
		{"GET", "/aliased", "", "", ""},
		{"GET", "/other", "def other; end # under a condition", "", ""},
		{"GET", "/users/7", "", "", ""},
		{"PUT", "/login", "", "", ""},
	}
	check(t, sources, all)
	severally(t, sources, "GET", "/twice")
	for name, text := range sources {
		sources[name] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	for i := range all {
		all[i].handler = strings.ReplaceAll(all[i].handler, "\n", "\r\n")
	}
	check(t, sources, all)
}

// Code that is moved is found where it is, whatever stands above it.
func TestRailsFollowsCodeThatIsMoved(t *testing.T) {
	t.Parallel()
	for _, lines := range []int{0, 1, 9} {
		sources := railsShop()
		for name, text := range sources {
			sources[name] = strings.Repeat("# moved\n", lines) + text
		}
		place, reason := workspace(t, sources, locate.Start{}).Handler("POST", "/login", "")
		if want := (locate.Place{File: "app/controllers/sessions_controller.rb", Line: 8 + lines}); place != want {
			t.Errorf("%s %s, want %s", place, reason, want)
		}
	}
}

func TestTwoRailsApplications(t *testing.T) {
	t.Parallel()
	sources := map[string]string{}
	for name, text := range railsShop() {
		sources["shop/"+name] = text
	}
	routes := "Rails.application.routes.draw do\n  post 'login', to: 'sessions#create'\n  get 'only', to: 'sessions#only'\nend\n"
	sources["desk/config/routes.rb"] = routes
	sources["desk/app/controllers/sessions_controller.rb"] = "class SessionsController < ApplicationController\n  def create; end\n  def only; end # of the desk\nend\n"
	severally(t, sources, "POST", "/login")
	check(t, sources, []asked{
		{"GET", "/only", "def only; end # of the desk", "_shop_session", ""},
		{"GET", "/session/new", "def new; end", "_shop_session", "Rails.application.config.session_store"},
	})
}

// What Rails may answer without a handler of the workspace hides its own, and
// others only where its path is told.
func TestRailsBesideExpress(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"web/app.js":           "const app = require('express')();\napp.post('/login', (req, res) => { /* express */ });\napp.post('/old', (req, res) => {});\n",
		"api/config/routes.rb": "Rails.application.routes.draw do\n  post 'old', to: redirect('/login')\n  use_something\n  get 'me', to: 'users#me'\nend\n",
		"api/app/controllers/users_controller.rb": "class UsersController\n  def me; end\nend\n",
	}
	check(t, sources, []asked{
		{"POST", "/login", "/* express */", "", ""},
		{"POST", "/old", "", "", ""},
		{"GET", "/me", "", "", ""},
	})
	sources["api/config/routes.rb"] = "Rails.application.routes.draw do\n  get 'me', to: 'users#me'\n  post '*path', to: 'users#me'\nend\n"
	check(t, sources, []asked{{"GET", "/me", "def me; end", "", ""}})
	severally(t, sources, "POST", "/login")
}

// 300 controllers of ten actions with what they inherit.
func BenchmarkRails(b *testing.B) {
	folder := b.TempDir()
	write := func(name, text string) {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var routes strings.Builder
	for i := range 300 {
		fmt.Fprintf(&routes, "  resources :things%d do\n    get :more, on: :member\n    resources :parts, only: :index\n  end\n", i)
		var text strings.Builder
		fmt.Fprintf(&text, "class Things%dController < ApplicationController\n  before_action :find, only: [:show]\n", i)
		for _, action := range []string{"index", "show", "new", "edit", "create", "update", "destroy", "more", "find", "other"} {
			fmt.Fprintf(&text, "  def %s\n    @thing = Thing.find(params[:id])\n    render json: { id: @thing.id, name: name_of(@thing) }\n  end\n\n", action)
		}
		write(fmt.Sprintf("app/controllers/things%d_controller.rb", i), text.String()+"end\n")
		write(fmt.Sprintf("app/models/thing%d.rb", i), "class Thing < ApplicationRecord\nend\n")
	}
	for name, text := range railsShop() {
		if name != "config/routes.rb" {
			write(name, text)
		}
	}
	write("config/routes.rb", "Rails.application.routes.draw do\n"+routes.String()+"end\n")
	b.ReportAllocs()
	for b.Loop() {
		source, err := locate.Read(b.Context(), folder, locate.Start{}, locate.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if place, reason := source.Handler("GET", "/things299/7/more", ""); place.File != "app/controllers/things299_controller.rb" {
			b.Fatal(place, reason)
		}
	}
}
