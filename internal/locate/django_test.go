package locate_test

import (
	"strings"
	"testing"
)

func TestDjango(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"shop/settings.py": "ROOT_URLCONF = 'shop.urls'\n",
		"shop/urls.py": `from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from accounts import views
import accounts.api as api

api_patterns = [path("token/", csrf_exempt(api.token))]
urlpatterns = [
    path("accounts/", include("accounts.urls")),
    path("api/", include((api_patterns, "api"))),
    re_path(r"^users/(?P<id>[0-9]+)/$", views.user),
]
urlpatterns += [path("health", views.health), path("<slug:page>", views.page)]
`,
		"accounts/__init__.py": "",
		"accounts/urls.py": `from django.urls import path
from .views import Login, logout
app_name = "accounts"
urlpatterns = [path("login/", Login.as_view(), name="login"), path("logout/", view=logout, name="out"), path("out/", logout)]
`,
		"accounts/views.py": `from django.views import View
from .cookies import keep, NAME

class Base(View):
    def post(self, request):
        response = HttpResponse()
        keep(response, NAME, "x")
        keep(response, name="flash", value="y")
        return response

class Login(Base):
    def get(self, request): return HttpResponse()

@require_POST
def logout(request):
    response.delete_cookie("sid")
    response.cookies["out"] = "1"

def user(request, id): pass
def health(request): pass
def page(request, page): pass
`,
		"accounts/cookies.py": `NAME = "sid"
def keep(response, name, value):
    response.set_cookie(name, value, httponly=True)
`,
		"accounts/api.py":         "@api_view(['POST'])\ndef token(request):\n    r.set_signed_cookie(key='token', value=1)\n",
		"accounts/tests/urls.py":  "from accounts import views\nurlpatterns = [path('tested/', views.health)]\n",
		"accounts/test_views.py":  "urlpatterns = [path('tested/', health)]\ndef health(request): pass\n",
		"other/unrelated/urls.py": "urlpatterns = [path('accounts/login/', login)]\ndef login(request): pass\n",
	}
	all := []asked{
		{"POST", "/accounts/login/", "def post(", "sid", "response.set_cookie("},
		{"GET", "/accounts/login/", "def get(", "", ""},
		{"POST", "/accounts/out/", "def logout(", "out", "response.cookies[\"out\"]"},
		{"GET", "/accounts/out/", "", "", ""},
		{"POST", "/api/token/", "def token(", "token", "r.set_signed_cookie("},
		{"GET", "/users/7/", "def user(", "sid", ""},
		{"GET", "/health", "def health(", "", ""},
		{"GET", "/tested/", "def page(", "", ""},
	}
	delete(sources, "accounts/test_views.py")
	check(t, sources, all)
	for name, text := range sources {
		sources[name] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	check(t, sources, all)
}

func TestDjangoTellsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	severally(t, map[string]string{
		"a/urls.py": "urlpatterns = [path('login/', login)]\ndef login(request): pass\n",
		"b/urls.py": "urlpatterns = [path('login/', login)]\ndef login(request): pass\n",
	}, "POST", "/login/")
	check(t, map[string]string{
		"urls.py": "from a import *\nurlpatterns = [path('login/', login), re_path(r'^(a|b)?x[0-9]*$', other), path(deep, deep), path('odd/', odd), path('large/', large),\n" +
			"include('urls'), path('self/', include('urls'))]\ndef login(request): # \xff\n  login(request)\ndef odd(request): pass\ndef other(request): pass",
		"large.py":    "def large(request): pass\n#" + strings.Repeat(" ", 1<<20),
		"test_all.py": "urlpatterns = [path('tested/', tested)]\ndef tested(request): pass\n",
	}, []asked{
		{"POST", "/login/", "def login(", "sid", ""},
		{"POST", "/odd/", "def odd(", "", ""},
		{"POST", "/large/", "", "", ""},
		{"POST", "/tested/", "", "", ""},
	})
}

func TestFlask(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"app.py": "from flask import Flask\nfrom auth import auth\napp = Flask(__name__)\napp.register_blueprint(auth)\napp.register_blueprint(auth, url_prefix='/v2')\n" +
			"@app.get('/health')\ndef health(): pass\n@app.route('/<path:page>')\ndef page(page): pass\n",
		"auth.py": "from flask import Blueprint, make_response\nauth = Blueprint('auth', __name__, url_prefix='/auth')\n" +
			"@auth.route('/login', methods=['GET', 'POST'])\ndef login():\n    response = make_response()\n    response.set_cookie('sid', 'x')\n    return response\n" +
			"def out(): pass\nauth.add_url_rule('/logout', view_func=out, methods=['POST'])\n",
		"test_app.py": "from flask import Flask\napp = Flask(__name__)\n@app.post('/auth/login')\ndef tested(): pass\n",
	}
	all := []asked{
		{"POST", "/auth/login", "def login(", "sid", "response.set_cookie("},
		{"GET", "/v2/login", "def login(", "", ""},
		{"DELETE", "/auth/login", "", "", ""},
		{"POST", "/auth/logout", "def out(", "", ""},
		{"GET", "/health", "def health(", "", ""},
		{"GET", "/a/b", "def page(", "", ""},
	}
	check(t, sources, all)
	sources["other.py"] = "from flask import Flask\napp = Flask(__name__)\n@app.post('/auth/login')\ndef login(): pass\n"
	severally(t, sources, "POST", "/auth/login")
}
