package locate_test

import (
	"strings"
	"testing"
)

func TestSinatra(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"app.rb": `require "sinatra"
# post "/commented" do
enable :sessions # of the classic one

before { response.set_cookie("seen", "1") }

helpers do
  def keep(name) = response.set_cookie(name, value: 1)
end

post "/login/?" do
  keep("sid")
end

get("/users/:id") { "a user" }
get "/users/new" do
  "never"
end
get "/x/*" do # anything
  pass unless params[:a]
end
get "/x/y" do
  "y"
end
x = <<~A
  post "/heredoc" do
  end
A
not_found { "none" }
`,
		"lib/api.rb": `require "sinatra/base"
module Shop
  class Api < Sinatra::Base
    register Sinatra::Namespace
    use Rack::Session::Cookie, key: "shop.sid", secure: true
    namespace "/v1" do
      post("/token") { response.headers["Set-Cookie"] = "token=#{x}; Path=/" }
    end
    delete "/token", provides: :json do
      keep
    end
    def keep; cookies[:gone] = 1; end
    register Other
    get "/after" do
    end
  end
end
`,
		"client.rb": "post '/login' do\nend\nclass Client < HTTP\n  get '/login' do\n  end\nend\n",
		"test/a.rb": "require 'sinatra'\npost('/login') { }\n",
	}
	all := []asked{
		{"POST", "/login", "post \"/login/?\"", "sid", "def keep(name)"},
		{"POST", "/login/", "post \"/login/?\"", "seen", "before {"},
		{"POST", "/login", "post \"/login/?\"", "rack.session", "enable :sessions"},
		{"GET", "/users/new", "get(\"/users/:id\")", "", ""},
		{"GET", "/x/z", "get \"/x/*\"", "", ""},
		{"POST", "/v1/token", "post(\"/token\")", "token", "post(\"/token\")"},
		{"POST", "/v1/token", "post(\"/token\")", "shop.sid", "use Rack::Session::Cookie"},
		{"DELETE", "/token", "delete \"/token\"", "gone", "def keep; cookies"},
		{"POST", "/commented", "", "", ""},
		{"POST", "/heredoc", "", "", ""},
		{"GET", "/after", "", "", ""},
	}
	check(t, sources, all)
	severally(t, sources, "GET", "/x/y")
	for name, text := range sources {
		sources[name] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	check(t, sources, all)
	sources["config.ru"] = "map '/shop' do\n  run Shop::Api\nend\n"
	check(t, sources, []asked{{"POST", "/shop/v1/token", "post(\"/token\")", "", ""}})
	sources["b/app.rb"] = "require 'sinatra'\npost('/login') { }\n"
	severally(t, sources, "POST", "/login")
}

// What other files add is tried in an order of its own.
func TestSinatraOverFiles(t *testing.T) {
	t.Parallel()
	const base = "require 'sinatra/base'\n"
	checkTraps(t, map[string]trap{
		"a file that is required": {map[string]string{
			"app.rb":          "require 'sinatra'\nrequire_relative 'routes/users'\nbefore { response.set_cookie('seen', '1') }\nget '/:page' do\nend\n",
			"routes/users.rb": "require_relative '../app'\nrequire './routes/more'\nget '/me' do\n  keep\nend\n",
			"routes/more.rb":  "get '/more' do\nend\ndef keep = response.set_cookie('sid', '1')\n",
		}, []asked{
			{"GET", "/me", "get '/me'", "sid", "def keep ="}, {"GET", "/more", "get '/more'", "seen", "before {"}, {"GET", "/other", "get '/:page'", "", ""},
		}},
		"a file that is required after": {map[string]string{
			"app.rb": "require 'sinatra'\nget '/:page' do\nend\nrequire_relative 'users'\n", "users.rb": "require 'sinatra'\nget '/me' do\nend\n",
		}, []asked{{"GET", "/me", "get '/:page'", "", ""}}},
		"a file on the path of libraries": {map[string]string{
			"app.rb": "require 'sinatra'\nrequire 'json'\nget '/a/:b' do\nend\nrequire 'users'\nget '/:page' do\nend\nget '/told' do\nend\n", "lib/users.rb": "get '/me' do\nend\n", "lib/json.rb": "def get(x) = 1\n",
		}, []asked{{"GET", "/me", "", "", ""}, {"GET", "/a/b", "get '/a/:b'", "", ""}}},
		"files that a loop requires": {map[string]string{
			"app.rb": "require 'sinatra'\nget '/told' do\nend\nDir['./routes/*.rb'].each { |file| require file }\nget '/:page' do\nend\n", "routes/users.rb": "get '/me' do\nend\n",
		}, []asked{{"GET", "/me", "", "", ""}, {"GET", "/told", "get '/told'", "", ""}}},
		"a file that is broken": {map[string]string{
			"app.rb": "require 'sinatra'\nrequire_relative 'users'\nget '/:page' do\nend\n", "users.rb": "get '/me' do\n",
		}, []asked{{"GET", "/me", "", "", ""}}},
		"an application that another uses": {map[string]string{
			"app.rb":   base + "class App < Sinatra::Base\n  get '/:page' do\n  end\n  use UsersApp\n  get '/told/you' do\n  end\nend\n",
			"users.rb": "class UsersApp < ApplicationController\n  get '/me' do\n  end\nend\n", "base.rb": base + "class ApplicationController < Sinatra::Base\nend\n",
		}, []asked{{"GET", "/me", "", "", ""}, {"GET", "/other", "", "", ""}, {"GET", "/told/you", "get '/told/you'", "", ""}}},
		"a library that is asked before": {map[string]string{
			"app.rb": base + "class App < Sinatra::Base\n  use Rack::Logger\n  get '/x/:page' do\n  end\nend\nclass Other < Sinatra::Base\n  use OmniAuth::Builder do\n  end\n  post '/:page' do\n  end\nend\n",
		}, []asked{{"GET", "/x/y", "get '/x/:page'", "", ""}, {"POST", "/auth", "", "", ""}}},
		"a class that another file reopens": {map[string]string{
			"app.rb": base + "require_relative 'users'\nclass App < Sinatra::Base\n  get '/:page' do\n  end\nend\n", "users.rb": "class App\n  get '/me' do\n  end\n  post '/login' do\n  end\nend\n",
		}, []asked{{"GET", "/me", "", "", ""}, {"POST", "/login", "post '/login'", "", ""}, {"GET", "/other", "get '/:page'", "", ""}}},
		"a class that its own file reopens": {map[string]string{
			"app.rb": base + "class App < Sinatra::Base\n  get '/me' do\n  end\nend\nclass App\n  get '/:page' do\n  end\nend\n",
		}, []asked{{"GET", "/me", "get '/me'", "", ""}}},
		"a class that is no application": {map[string]string{
			"app.rb": base + "class App < Sinatra::Base\n  get '/:page' do\n  end\nend\n", "client.rb": "class Client < Http\n  get '/me' do\n  end\nend\n",
		}, []asked{{"GET", "/me", "get '/:page'", "", ""}}},
	})
}
