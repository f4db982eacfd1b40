package locate_test

import "testing"

func TestSpringTraps(t *testing.T) {
	t.Parallel()
	head := "import org.springframework.web.bind.annotation.*;\n"
	checkTraps(t, map[string]trap{
		"an interface that maps": {map[string]string{
			"src/main/java/Api.java":  head + "@RequestMapping(\"/api\")\ninterface Api extends More {\n@PostMapping(\"/login\")\nReply signIn(Login body);\n@GetMapping(\"/me\")\ndefault Reply me() { return null; }\n}\ninterface More { @GetMapping(\"/more\") Reply more(); }\n",
			"src/main/java/A.java":    head + "@RestController\nclass A extends Base implements Api {\npublic Reply signIn(Login body) { return null; }\npublic Reply more() { return null; } // in A\n}\n",
			"src/main/java/Base.java": head + "abstract class Base { @GetMapping(\"/base\")\nReply base() { return null; }\nvoid unused() {} }\n",
			"src/main/java/C.java":    head + "@FeignClient interface C extends Api {}\n",
		}, []asked{
			{"POST", "/api/login", "public Reply signIn(", "", ""}, {"GET", "/api/me", "default Reply me(", "", ""}, {"GET", "/api/more", "// in A", "", ""},
			{"GET", "/api/base", "Reply base(", "", ""}, {"POST", "/login", "", "", ""},
		}},
		"constants": {map[string]string{
			"src/main/java/Paths.java":   head + "class Paths { static final String ROOT = \"/api\"; static final String LOGIN = ROOT + \"/login\"; static final String SELF = SELF; class Inner { static final String X = \"/x\"; } }\n",
			"src/main/java/A.java":       head + "@RestController class A {\n@PostMapping(Paths.LOGIN) void login() {}\n@PostMapping(Paths.SELF) void self() {}\n@PostMapping(\"${prefix:/v1}/out\") void out() {}\n@PostMapping(Twice.T + \"/t\") void twice() {} }\n",
			"a/src/main/java/Twice.java": "class Twice { static final String T = \"/1\"; }\n",
			"b/src/main/java/Twice.java": "class Twice { static final String T = \"/2\"; }\n",
		}, []asked{{"POST", "/api/login", "void login(", "", ""}, {"POST", "/v2/out", "void out(", "", ""}, {"POST", "/2/t", "void twice(", "", ""}, {"POST", "/x/login", "", "", ""}}},
		"two modules, one with a context path": {map[string]string{
			"api/src/main/java/A.java":                       head + "@RestController class A { @PostMapping(\"/login\") void login() {} @GetMapping(\"/users/{id}\")\nvoid user() {} }\n",
			"api/src/main/resources/application.yml":         "spring:\n  application:\n    name: api\nserver:\n  port: 8080 # not fixed\n  servlet:\n    context-path: \"/api/\" # of all\n",
			"admin/src/main/java/A.java":                     head + "@RestController class A { @PostMapping(\"/login\") void adminLogin() {} @GetMapping(\"/users/me\")\nvoid me() {} }\n",
			"old/src/main/java/B.java":                       head + "@RestController class B { @GetMapping(\"/users/{id}\")\nvoid old() {} }\n",
			"shop/src/main/java/S.java":                      head + "@RestController class S { @GetMapping(\"/cart\") void cart() {} }\n",
			"shop/src/main/resources/application.properties": "# server.servlet.context-path=/no\nserver.servlet.context-path = ${CONTEXT:/shop}\n",
			"main/src/main/kotlin/K.kt":                      "@RestController class K { @PostMapping(\"/login\") fun login() {} }\n",
		}, []asked{
			{"POST", "/api/login", "void login(", "", ""}, {"POST", "/login", "void adminLogin(", "", ""}, {"GET", "/users/me", "", "", ""}, {"GET", "/users/7", "void old(", "", ""},
			{"GET", "/other/cart", "void cart(", "", ""},
		}},
		"profiles, and a prefix that code decides": {map[string]string{
			"a/src/main/java/A.java":      head + "@RestController @Profile(\"dev\") class A { @GetMapping(\"/users/me\")\nvoid me() {} }\n@RestController class B { @GetMapping(\"/users/{id}\")\nvoid user() {} }\n",
			"b/src/main/java/C.java":      head + "@RestController class C { @GetMapping(\"/coded\")\nvoid coded() {} }\n",
			"b/src/main/java/Config.java": head + "class Config { void configurePathMatch(PathMatchConfigurer c) { c.addPathPrefix(prefix(), null); } }\n",
		}, []asked{{"GET", "/users/me", "", "", ""}, {"GET", "/users/7", "void user(", "", ""}, {"GET", "/v3/coded", "void coded(", "", ""}}},
	})
}
