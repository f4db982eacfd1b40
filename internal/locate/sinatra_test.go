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
