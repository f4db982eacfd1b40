package locate_test

import "testing"

func TestDjangoTraps(t *testing.T) {
	t.Parallel()
	head := "from django.urls import include, path, re_path\n"
	checkTraps(t, map[string]trap{
		"two projects with modules of one name": {map[string]string{
			"one/manage.py": "", "two/manage.py": "",
			"one/site/settings.py":  "ROOT_URLCONF = 'site.urls'\n",
			"two/site/settings.py":  "ROOT_URLCONF = 'site.urls'\n",
			"one/site/urls.py":      head + "from accounts import views\nurlpatterns = [path('one/', include(('accounts.urls', 'a'), namespace='a')), path('users/<int:id>/', views.login)]\n",
			"two/site/urls.py":      head + "import accounts.views\nurlpatterns = [path('two/', include('accounts.urls')), path('users/me/', accounts.views.login)]\n",
			"one/accounts/urls.py":  head + "from .views import login\nurlpatterns = [path('login/', login)]\n",
			"two/accounts/urls.py":  head + "from . import views\nurlpatterns = [path('login/', view=views.login)]\n",
			"one/accounts/views.py": "def login(request): pass # of one\n",
			"two/accounts/views.py": "def login(request): pass # of two\n",
		}, []asked{{"POST", "/one/login/", "# of one", "", ""}, {"POST", "/two/login/", "# of two", "", ""}, {"GET", "/users/me/", "", "", ""}, {"GET", "/users/7/", "# of one", "", ""}}},
		"conditions": {map[string]string{
			"urls.py": head + "try:\n    from a import login\nexcept ImportError:\n    from b import login\nfrom c import *\n" +
				"urlpatterns = [path('login/', login), path('users/<id>/', user)]\nif DEBUG:\n    urlpatterns += [path('users/me/', me)]\n" +
				"urlpatterns.append(path('later/', later))\nurlpatterns += [*more]\nmore = [path('more/', user)]\n",
			"a.py": "def login(request): pass\n", "b.py": "def login(request): pass\n",
			"c.py": "def user(request, id): pass\ndef me(request): pass\ndef later(request): pass\n",
		}, []asked{{"POST", "/login/", "", "", ""}, {"GET", "/later/", "def later(", "", ""}, {"GET", "/users/7/", "def user(", "", ""}, {"GET", "/more/", "def user(", "", ""}}},
		"what is somebody else's": {map[string]string{
			"urls.py": head + "from django.contrib import admin\nfrom lib import views, LoginView\n" +
				"class In(LoginView):\n    def get(self, request): pass # reads\n" +
				"@require_POST\ndef out(request): pass\ndef page(request, page): pass\n" +
				"urlpatterns = [path('admin/', admin.site.urls), path('login/', views.login), path('in/', In.as_view()), path('out/', out), path('auth/', include('lib.urls')),\n" +
				"path('first/<a>/', page), re_path(r'(?P<page>.*)/$', page)]\n",
		}, []asked{
			{"POST", "/login/", "", "", ""}, {"POST", "/admin/login/", "", "", ""}, {"POST", "/auth/login/", "", "", ""}, {"POST", "/in/", "", "", ""}, {"GET", "/in/", "# reads", "", ""},
			{"GET", "/out/", "", "", ""}, {"POST", "/out/", "def out(", "", ""}, {"POST", "/any/thing/", "def page(", "", ""},
		}},
		"regular expressions": {map[string]string{
			"urls.py": head + "def a(request): pass\ndef b(request): pass\ndef c(request): pass\n" +
				"urlpatterns = [re_path(r'^users/(?P<id>[^/]+)/$', a), re_path(r'^files/(?P<path>.*)$', b), re_path('^api/', include([re_path(r'^login/?$', c)]))]\n",
		}, []asked{{"GET", "/users/7/", "def a(", "", ""}, {"GET", "/users/7/8/", "", "", ""}, {"GET", "/files/a/b", "def b(", "", ""}, {"POST", "/api/login", "def c(", "", ""}}},
		"REST framework": {map[string]string{
			"urls.py": head + "from rest_framework.routers import DefaultRouter\nfrom views import Sessions\nrouter = DefaultRouter()\nrouter.register(r'sessions', Sessions, basename='s')\n" +
				"urlpatterns = [path('api/', include(router.urls)), path('own/', Sessions.as_view({'post': 'enter'})), path('<path:all>', rest)]\ndef rest(request, all): pass\n",
			"views.py": "class Sessions(ModelViewSet):\n    def create(self, request): pass\n    def retrieve(self, request, pk): pass\n    def post(self, request): pass\n" +
				"    def enter(self, request): pass\n    @action(detail=False, methods=['post'], url_path='log-in')\n    def login(self, request): pass\n    @action(methods=['get'], detail=True)\n    def cookies(self, request, pk): pass\n",
		}, []asked{
			{"POST", "/api/sessions/", "def create(", "", ""}, {"GET", "/api/sessions/7/", "def retrieve(", "", ""}, {"POST", "/api/sessions/log-in/", "def login(", "", ""},
			{"GET", "/api/sessions/7/cookies/", "def cookies(", "", ""}, {"POST", "/own/", "def enter(", "", ""}, {"DELETE", "/api/sessions/7/", "", "", ""},
			{"GET", "/api/other/", "", "", ""}, {"GET", "/other/", "def rest(", "", ""},
		}},
		"languages": {map[string]string{
			"urls.py": head + "urlpatterns = [path('api/', a)]\nurlpatterns += i18n_patterns(path('login/', login), path('<page>/', page))\ndef a(request): pass\ndef login(request): pass\ndef page(request, page): pass\n",
		}, []asked{{"POST", "/de/login/", "def login(", "", ""}, {"POST", "/api/", "def a(", "", ""}}},
	})
}
