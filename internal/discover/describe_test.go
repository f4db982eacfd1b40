package discover

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const head = `{"openapi":"3.1.0","paths":{"/login":{"post":{"operationId":"signIn",`

// awkward are descriptions as they are met, and as somebody would make them to
// hurt. None is worth more than one clear sentence, or what can be read of it.
var awkward = map[string]struct {
	text string
	want int // operations; -1: a sentence
}{
	"a cycle of schemas": {head + `"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}},
		"components":{"schemas":{"A":{"properties":{"b":{"$ref":"#/components/schemas/B"},"password":{}}},"B":{"properties":{"a":{"$ref":"#/components/schemas/A"}}}}}}`, 1},
	"a reference to itself":       {head + `"requestBody":{"$ref":"#/components/x"}}}},"components":{"x":{"$ref":"#/components/x"}}}`, 1},
	"allOf of itself":             {head + `"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/s"}}}}}}},"s":{"allOf":[{"$ref":"#/s"},{"$ref":"#/s"},{"$ref":"#/s"}]}}`, 1},
	"a reference to nothing":      {head + `"requestBody":{"$ref":"#/nowhere"}}}}}`, 1},
	"another document":            {head + `"requestBody":{"$ref":"https://example.com/x.json#/a"}}}}}`, 1},
	"nothing":                     {"", -1},
	"null":                        {"null", -1},
	"a list":                      {"[]", -1},
	"a text":                      {`"openapi"`, -1},
	"a page":                      {"<!doctype html><html></html>", -1},
	"half of one":                 {head, -1},
	"a byte order mark":           {"\ufeff" + head + `"tags":[]}}}}`, 1},
	"UTF-16":                      {"\xff\xfe{\x00\"\x00", -1},
	"binary":                      {"\x00\x01\x02\x03\xff", -1},
	"YAML":                        {"openapi: 3.0.0\npaths:\n  /login:\n    post:\n      summary: Log in\n", 1},
	"YAML of Windows":             {"openapi: 3.0.0\r\npaths:\r\n  /login:\r\n    post:\r\n      summary: Log in\r\n", 1},
	"YAML with tabs":              {"openapi: 3.0.0\npaths:\n\t/login:\n", -1},
	"YAML that unfolds":           {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f]\n", -1},
	"YAML without paths":          {"openapi: 3.0.0\n", -1},
	"lists in lists":              {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), -1},
	"objects in objects":          {strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), -1},
	"paths as a list":             {`{"openapi":"3.0.0","paths":["/login"]}`, -1},
	"paths as null":               {`{"openapi":"3.0.0","paths":null}`, -1},
	"a path that is a text":       {`{"openapi":"3.0.0","paths":{"/login":"post"}}`, 0},
	"an operation that is a list": {`{"openapi":"3.0.0","paths":{"/login":{"post":[1]}}}`, 0},
	"parameters as an object":     {head + `"parameters":{"in":"query"}}}}}`, 1},
	"security as a text":          {head + `"security":"yes"}}}}`, 1},
	"a type that is a list":       {head + `"requestBody":{"content":{"application/json":{"schema":{"properties":{"n":{"type":["integer","null"]}},"required":["n"]}}}}}}}}`, 1},
	"required as a boolean":       {head + `"requestBody":{"content":{"application/json":{"schema":{"properties":{"n":{"type":"string","required":true}},"required":true}}}}}}}}`, 1},
	"an operationId as a number":  {`{"openapi":"3.0.0","paths":{"/login":{"post":{"operationId":7}}}}`, 1},
	"a body without content":      {head + `"requestBody":{}}}}}`, 1},
	"an unknown version":          {`{"openapi":"9.9","paths":{"/login":{"post":{"summary":"x"}}}}`, 1},
	"no version":                  {`{"paths":{"/login":{"post":{"summary":"x"}}}}`, 1},
	"a name twice":                {`{"paths":{"/login":{"post":{"summary":"x"}},"/login":{"post":{"summary":"y"}}}}`, 2},
	"a server with variables":     {`{"openapi":"3.0.0","servers":[{"url":"https://{host}/{base}"}],"paths":{"/login":{"post":{"summary":"x"}}}}`, 1},
	"a huge number":               {head + `"requestBody":{"content":{"application/json":{"schema":{"properties":{"n":{"type":"integer","minimum":1e999999}},"required":["n"]}}}}}}}}`, 1},
	"Swagger 2 with a form": {`{"swagger":"2.0","basePath":"/api/","paths":{"/login":{"post":{"parameters":[
		{"in":"formData","name":"username","required":true},{"in":"formData","name":"password","required":true}]}}}}`, 1},
	"a path that ends the line": {"{\"paths\":{\"/login\\r\\nHost: x\":{\"post\":{\"summary\":\"x\"}}}}", 1},
}

func TestAwkwardDescriptions(t *testing.T) {
	t.Parallel()
	if len(awkward) < 30 {
		t.Fatalf("%d only", len(awkward))
	}
	for name, one := range awkward {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			made, err := describe("openapi.json", []byte(one.text))
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			switch {
			case one.want < 0 && err == nil:
				t.Errorf("nothing was said of it; it has %d operations", len(made.operations))
			case one.want < 0 && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 120):
				t.Errorf("no clear sentence: %q", err)
			case one.want >= 0 && (err != nil || len(made.operations) != one.want):
				t.Errorf("%d operations, %v", len(made.operations), err)
			}
			for _, op := range made.operations { // must not panic, nor make a request that is none
				if step, ok := op.step(forLogin); ok && strings.ContainsAny(step.Requests[0].Path.String(), "\r\n ") {
					t.Errorf("the path %q", step.Requests[0].Path)
				}
			}
		})
	}
}

func many(operations, padding int) []byte {
	var page strings.Builder
	page.WriteString(`{"openapi":"3.0.0","paths":{`)
	for i := range operations {
		fmt.Fprintf(&page, "\"/things/%d/read\":{\"get\":{\"operationId\":\"read%d\",\"description\":%q,\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/T\"}}}}}},\n", i, i, strings.Repeat("x", padding))
	}
	page.WriteString(`"/login":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/T"}}}}}}},
		"components":{"schemas":{"T":{"type":"object","required":["username","password"],"properties":{"username":{"type":"string"},"password":{"type":"string"},"next":{"$ref":"#/components/schemas/T"}}}}}}`)
	return []byte(page.String())
}

// The figures of the issue: a thousand operations, and a document of 3 MB.
func TestLargeDescriptionsAreQuick(t *testing.T) {
	const limit = 4 * time.Second // a third of a second on two cores; the race detector takes five times as long
	for _, data := range [][]byte{many(1000, 100), many(1000, 3000)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		made, err := describe("openapi.json", data)
		if err != nil {
			t.Fatal(err)
		}
		best := rank(made.operations, isLogin, 1)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if len(best) != 1 || best[0].path != "/login" {
			t.Errorf("the login is %v", best)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; took > limit || spent > 100<<20 {
			t.Errorf("%d bytes took %s and %d MiB", len(data), took, spent>>20)
		}
	}
}

func TestHarmfulOperationsAreNoCandidates(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"POST /login/delete", "POST /account/removeSession", "POST /pay/login", "POST /transfer-login", "DELETE /session"} {
		method, path, _ := strings.Cut(line, " ")
		op := operation{method: method, path: path, words: words(path), fields: []field{{name: "password"}}}
		if isLogin(op) > 0 || isRegister(op) > 0 || isLogout(op) > 0 && op.method == "DELETE" {
			t.Errorf("%s would be tried", line)
		}
	}
}
