package discover

import "github.com/sessiongate/sessiongate/internal/recipe"

// convention is where an operation is from that nobody has described.
const convention = "convention"

// conventions are the operations that APIs have under these names without
// saying so. Each is tried at most once, so the likelier stand first.
func conventions() []operation {
	credentials := []field{{name: "username", required: true}, {name: "password", required: true, secret: true}}
	var all []operation
	add := func(method string, body recipe.BodyKind, fields []field, paths ...string) {
		for _, path := range paths {
			all = append(all, operation{method: method, path: path, words: words(path), from: convention, body: body, fields: fields})
		}
	}
	add("POST", recipe.JSONBody, credentials, "/login", "/api/login", "/auth/login", "/api/auth/login", "/api/v1/auth/login", "/signin", "/session", "/api/session")
	add("POST", recipe.FormBody, credentials, "/token", "/auth/token", "/api/token")
	add("GET", recipe.NoBody, nil, "/me", "/profile", "/users/me", "/api/me", "/auth/me", "/api/auth/me", "/api/users/me", "/account", "/user", "/whoami", "/api/user", "/api/profile", "/userinfo")
	add("POST", recipe.NoBody, nil, "/logout", "/api/logout", "/auth/logout", "/api/auth/logout", "/signout")
	return all
}

// specPaths are where descriptions are served, the likelier first.
var specPaths = []string{"/openapi.json", "/swagger.json", "/v3/api-docs", "/api/openapi.json", "/swagger/v1/swagger.json", "/openapi.yaml"}

// docPaths are pages that load one.
var docPaths = []string{"/docs", "/swagger-ui/index.html", "/api/docs"}

// specFiles are where repositories keep one, relative to the recipe's folder.
var specFiles = []string{"openapi.json", "openapi.yaml", "openapi.yml", "swagger.json", "swagger.yaml", "swagger.yml",
	"docs/openapi.json", "docs/openapi.yaml", "docs/openapi.yml", "docs/swagger.json", "docs/swagger.yaml",
	"api/openapi.json", "api/openapi.yaml", "api/openapi.yml", "spec/openapi.yaml", "schema/openapi.yaml"}
