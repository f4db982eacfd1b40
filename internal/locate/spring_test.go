package locate_test

import (
	"strings"
	"testing"
)

func TestSpring(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"src/main/java/shop/AuthController.java": `package shop;

import org.springframework.web.bind.annotation.*;

@RestController
@RequestMapping({"/api", Paths.V1 + "/api"})
public class AuthController {
    private static final String NAME = "sid";
    private final Cookies cookies;

    @PostMapping("/login")
    @ResponseStatus(HttpStatus.OK)
    public Reply login(@RequestBody Login body, HttpServletResponse response) {
        cookies.keep(response, NAME, "x");
        cookies.keep(response, Cookies.FLASH, "y");
        return null;
    }

    @RequestMapping(path = "/logout", method = {RequestMethod.POST, RequestMethod.DELETE})
    void logout(HttpServletResponse response) {
        response.addHeader("Set-Cookie", ResponseCookie.from("sid", "").maxAge(0).build().toString());
    }

    @GetMapping(value = "/users/{id:[0-9]{1,3}}")
    Reply user(@PathVariable long id) { return null; }

    @GetMapping
    Reply all() { return null; }
}
`,
		"src/main/java/shop/Cookies.java": `package shop;
class Cookies {
    static final String FLASH = "flash";
    void keep(HttpServletResponse response, String name, String value) {
        Cookie cookie = new Cookie(name, value);
        response.addCookie(cookie);
    }
}
`,
		"src/main/java/shop/Paths.java":              "package shop;\ninterface Paths { String V1 = \"/v1\"; }\n",
		"src/main/java/shop/Client.java":             "package shop;\n@FeignClient interface Client { @PostMapping(\"/api/login\") Reply signIn(); }\n",
		"src/test/java/shop/AuthControllerTest.java": "package shop;\n@RestController class T { @PostMapping(\"/api/tested\") void tested() {} }\n",
	}
	all := []asked{
		{"POST", "/api/login", "public Reply login(", "sid", "new Cookie(name"},
		{"POST", "/v1/api/login", "public Reply login(", "flash", "new Cookie(name"},
		{"GET", "/api/login", "", "", ""},
		{"DELETE", "/api/logout", "void logout(", "sid", "ResponseCookie.from("},
		{"GET", "/api/users/7", "Reply user(", "sid", ""},
		{"GET", "/api", "Reply all(", "", ""},
		{"POST", "/api/tested", "", "", ""},
	}
	check(t, sources, all)
	for name, text := range sources {
		sources[name] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	check(t, sources, all)
}

func TestSpringTellsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	head := "import org.springframework.x;\n"
	one := head + "@Controller class A { @PostMapping(\"/login\") void login() {} }\n"
	severally(t, map[string]string{"A.java": one, "b/A.java": strings.Replace(one, "class A", "class B", 1)}, "POST", "/login")
	check(t, map[string]string{
		"A.java":     one + "class {{{ @PostMapping( }\n",
		"Odd.java":   head + "// \xff\xfe\n@RestController class Odd { @GetMapping(\"/odd\") void odd() {} }\n",
		"Large.java": head + "@RestController class Large { @GetMapping(\"/large\") void large() {} }\n//" + strings.Repeat(" ", 1<<20),
		"Deep.java":  head + "@RestController class Deep { @GetMapping(" + strings.Repeat("(", 3000) + "\"/deep\"" + strings.Repeat(")", 3000) + ") void deep() { deep(); } }\n",
		"Env.java":   head + "@RestController @RequestMapping(Unknown.PREFIX) class Env { @GetMapping(\"/env\") void env() { env(); } }\n",
	}, []asked{
		{"POST", "/login", "void login(", "", ""},
		{"GET", "/odd", "void odd(", "", ""},
		{"GET", "/large", "", "", ""},
		{"GET", "/deep", "", "", ""},
		{"GET", "/v2/env", "void env(", "sid", ""},
	})
}
