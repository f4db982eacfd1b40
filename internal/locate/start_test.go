package locate_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// A workspace of several applications: the one that is started answers.
func TestTheStartCommandTellsTheApplication(t *testing.T) {
	t.Parallel()
	goLogin := func(name string) string {
		return "package main\nimport (\n\"net/http\"\n\"example.com/a/web\"\n)\nfunc main() { http.HandleFunc(\"/login\", " + name + "); web.Routes() }\nfunc " + name + "(w http.ResponseWriter, r *http.Request) {}\n"
	}
	const node = "const app = require('express')(); require('./routes')(app);\n"
	routes := func(name string) string {
		return "module.exports = (app) => app.post('/login', " + name + ");\nfunction " + name + "(req, res) {}\n"
	}
	controller := func(name string) string {
		return "import org.springframework.x;\n@RestController class A { @PostMapping(\"/login\") void " + name + "() {} }\n"
	}
	sources := map[string]string{
		"go.mod":                      "module example.com/a\n",
		"cmd/api/main.go":             goLogin("goAPI"),
		"cmd/admin/main.go":           goLogin("goAdmin"),
		"web/web.go":                  "package web\nimport \"net/http\"\nfunc Routes() { http.HandleFunc(\"/shared\", shared) }\nfunc shared(w http.ResponseWriter, r *http.Request) {}\n",
		"scripts/tool.py":             strings.ReplaceAll(login, "def login(", "def python_login("),
		"js/package.json":             `{"main": "server.js", "scripts": {"start": "npm run build && node dist/server.js", "admin": "NODE_ENV=x tsx src/admin.ts", "python": "cd .. && python scripts/tool.py"}}`,
		"js/src/server.ts":            "import express from 'express';\nimport { add } from './routes.js';\nadd(express());\n",
		"js/src/routes.ts":            "export function add(app: Express) { app.post('/login', tsLogin); }\nfunction tsLogin(req: Request, res: Response) {}\n",
		"js/src/admin.ts":             "import express from 'express';\nconst app = express();\napp.post('/login', tsAdmin);\nfunction tsAdmin(req: Request, res: Response) {}\n",
		"old/server.js":               node,
		"old/routes.js":               routes("oldLogin"),
		"loads/index.js":              "const app = require('express')(); for (const one of names) require('./routes/' + one)(app);\n",
		"loads/package.json":          "{}",
		"loads/routes/one.js":         routes("loadedLogin"),
		"api/pom.xml":                 "<project><parent><artifactId>root</artifactId></parent><artifactId>shop-api</artifactId><dependencies><dependency><artifactId>shop-web</artifactId></dependency></dependencies></project>",
		"web/pom.xml":                 "<project><artifactId>shop-web</artifactId></project>",
		"api/src/main/java/Main.java": "import org.springframework.x;\nclass Main {}\n",
		"web/src/main/java/A.java":    controller("webLogin"),
		"admin/build.gradle":          "dependencies { }",
		"admin/src/main/java/A.java":  controller("adminLogin"),
		"shop/manage.py":              "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')\n",
		"shop/site/__init__.py":       "",
		"shop/site/settings.py":       "from site.base import *\n",
		"shop/site/base.py":           "ROOT_URLCONF = 'site.urls'\n",
		"shop/site/other.py":          "ROOT_URLCONF = 'site.other_urls'\n",
		"shop/site/wsgi.py":           "os.environ['DJANGO_SETTINGS_MODULE'] = 'site.other'\n",
		"shop/site/urls.py":           "urlpatterns = [path('login', django_login)]\ndef django_login(request): pass\n",
		"shop/site/other_urls.py":     "urlpatterns = [path('login', other_login)]\ndef other_login(request): pass\n",
		"store/config/routes.rb":      "Rails.application.routes.draw do\n  post 'login', to: 'sessions#create'\nend\n",
		"store/app/controllers/sessions_controller.rb":   "class SessionsController < ApplicationController\n  def create; store; end\nend\n",
		"backoffice/config/routes.rb":                    "Rails.application.routes.draw do\n  post 'login', to: 'staff#create'\nend\n",
		"backoffice/app/controllers/staff_controller.rb": "class StaffController < ApplicationController\n  def create; staff; end\nend\n",
		"small/app.rb":       "require 'sinatra'\npost '/login' do\n  'in'\nend\n",
		"shop/site/stray.py": "from flask import Flask\napp = Flask(__name__)\n@app.post('/login')\ndef stray(): pass\n",
	}
	for command, want := range map[string]string{
		"go run ./cmd/api":                                                  "func goAPI(",
		"go run -tags x ./cmd/admin/main.go -port 1":                        "func goAdmin(",
		"sh -c cd cmd && go build -o /bin/api ./api && exec /bin/api":       "func goAPI(",
		"go run example.com/a/cmd/admin":                                    "func goAdmin(",
		"go run .":                                                          "", // nothing stands here
		"go build -o api ./cmd/api ; go build -o admin ./cmd/admin ; ./api": "func goAPI(",
		"go build -o=bin/one ./cmd/api && go build -o bin/two ./cmd/admin && X=1 exec bin/two -p 1": "func goAdmin(",
		"go build ./cmd/api ; go build ./cmd/admin ; ./wait.sh db -- ./api":                         "func goAPI(",
		"go build -o bin/ ./cmd/api ./cmd/admin && bin/admin":                                       "func goAdmin(",
		"go install ./cmd/admin && go install ./cmd/api && admin":                                   "func goAdmin(",
		"go build -o api ./cmd/api ; go build -o admin ./cmd/admin":                                 "", // neither is started
		"go build -o api ./cmd/api ; go build -o admin ./cmd/admin ; ./other":                       "",
		"go build -o api ./cmd/api && ./entrypoint.sh":                                              "func goAPI(", // there is no other
		"go run ./cmd/admin && ./api":                                                               "",
		"go build -o admin ./cmd/admin && ./api":                                                    "",
		"go mod download && go build ./cmd/api":                                                     "func goAPI(",
		"go run ./cmd/admin ; go run ./cmd/api":                                                     "func goAPI(",
		"go build -o admin ./cmd/admin && go run ./cmd/api":                                         "func goAPI(",
		"go run ./cmd/api && go build -o admin ./cmd/admin":                                         "func goAPI(",
		"cd cmd/api && go build && cd ../admin && go build && ./admin":                              "func goAdmin(",
		"python scripts/tool.py":                                                                    "def python_login(",
		"uvicorn scripts.tool:app":                                                                  "def python_login(",
		"npm --prefix js start":                                                                     "function tsLogin(",
		"yarn --cwd js run admin":                                                                   "function tsAdmin(",
		"npm --prefix=js run python":                                                                "def python_login(",
		"npx tsx js/src/server.ts":                                                                  "function tsLogin(",
		"node old/server.js":                                                                        "function oldLogin(",
		"cd old; node --inspect server":                                                             "function oldLogin(",
		"npm --prefix old start":                                                                    "function oldLogin(",
		"node loads":                                                                                "function loadedLogin(",
		"mvn -pl api spring-boot:run":                                                               "void webLogin(",
		"./gradlew :admin:bootRun":                                                                  "void adminLogin(",
		"java -Xmx1g -jar api/target/api.jar":                                                       "void webLogin(",
		"java -jar admin/build/libs/admin.jar --x":                                                  "void adminLogin(",
		"python shop/manage.py runserver":                                                           "def django_login(",
		"env DJANGO_SETTINGS_MODULE=site.other python shop/manage.py runserver":                     "def other_login(",
		"gunicorn --chdir shop shop.site.wsgi:application":                                          "def other_login(",
		"cd store && bundle exec rails server -p 1":                                                 "def create; store",
		"cd backoffice; bin/rails s":                                                                "def create; staff",
		"cd small && ruby app.rb":                                                                   "post '/login' do",
		"bundle exec puma":                                                                          "", // two of Rails
		"make run":                                                                                  "",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			place, reason := workspace(t, sources, locate.Start{Command: strings.Fields(command)}).Handler("POST", "/login", "")
			if want := standing(t, sources, want); place != want || want.Line == 0 && reason.Code != locate.SeveralFit {
				t.Errorf("%s %s, want %s", place, reason, want)
			}
		})
	}
	for folder, want := range map[string]string{"js": "", "old": "function oldLogin(", "cmd/api": "func goAPI(", "scripts": "def python_login(", "admin": "void adminLogin(", "store": "def create; store", "nothing": ""} {
		t.Run("in "+folder, func(t *testing.T) {
			t.Parallel()
			place, reason := workspace(t, sources, locate.Start{Folder: folder}).Handler("POST", "/login", "")
			if want := standing(t, sources, want); place != want || want.Line == 0 && reason.Code != locate.SeveralFit {
				t.Errorf("%s %s, want %s", place, reason, want)
			}
		})
	}
	started := workspace(t, sources, locate.Start{Command: []string{"go", "run", "./cmd/api"}})
	if place, reason := started.Handler("POST", "/shared", ""); place.File != "web/web.go" {
		t.Errorf("what it imports: %s %s", place, reason)
	}
}

func TestHostileStartCommands(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"main.py": login, "package.json": `{"scripts": {"start": "npm start && npm start", "a": "npm run b", "b": "npm run a"}, "main": "../../x"}`,
		"wide/package.json": `{"scripts": {"start": "` + strings.Repeat("npm start;", 150) + `"}}`, "broken/package.json": `{"scripts": [`,
	}
	for _, command := range []string{
		"npm start", "npm run a", "npm --prefix wide start", "npm --prefix ../.. start", "npm --prefix broken start", "node ../../../etc/passwd", "node .", "go run ../..", "go run -C", "java -jar ../target/x.jar",
		"mvn -pl", "; ; cd ; cd .. && npm", strings.Repeat("npm && ", 10_000), "python -m", "npm -w", "\x00\xff",
	} {
		workspace(t, sources, locate.Start{Folder: "../x", Command: strings.Fields(command)}).Handler("POST", "/login", "")
	}
}
