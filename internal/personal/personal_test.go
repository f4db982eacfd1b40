package personal_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/personal"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func shared(path, body string) personal.Found {
	return personal.Shared(path, secret.New(body), secret.New(body))
}

func TestWhatIsPersonal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, body string
		people     int
		fields     []string
	}{
		"address and number": {"/users", `[{"id":1,"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"},{"id":2,"email":"bo.ray@kestrel.io","phone":"+44 20 7946 0461"}]`,
			2, []string{"email", "phone"}},
		"within a page":       {"/customers", `{"items":[{"fullName":"Ann Lee","dateOfBirth":"1987-04-12"}],"total":1}`, 1, []string{"dateOfBirth", "fullName"}},
		"a password's hash":   {"/backup", `{"rows":[{"login":"ann","password":"$2b$12$abcdefghijklmnopqrstuuXcVbNmQwErTyUiOpAsDfGhJkLzXcVbN"}]}`, 1, []string{"password"}},
		"another's session":   {"/state", `[{"user":"ann","session_id":"f3a9c1d07b2e4f6a8c5d"}]`, 1, []string{"session_id"}},
		"an identity number":  {"/me", `{"last_name":"Lee","ssn":"219-09-9999"}`, 1, []string{"last_name", "ssn"}},
		"a bank account":      {"/payees", `[{"surname":"Lee","iban":"DE89 3704 0044 0532 0130 00"}]`, 1, []string{"iban", "surname"}},
		"a patient's address": {"/patients", `[{"name":"Ann Lee","street":"Mill Lane 12"}]`, 1, []string{"name", "street"}},
		"the same twice":      {"/users", `[{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"},{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"}]`, 1, []string{"email", "phone"}},
		"a name to be hidden": {"/users", `[{"e*mail":"ann.lee@kestrel.io","phone\u001b[31m":"+44 20 7946 0358","<b>dob":"1987-04-12","dob":"1987-04-12","mail":"ann.lee@kestrel.io"}]`,
			1, []string{"an e-mail address", "dob", "mail"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(personal.Found{People: c.people, Fields: c.fields}, shared(c.path, c.body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Each of these is public on purpose, or says nothing of anybody.
func TestWhatIsNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"an address alone":        {"/users", `[{"id":1,"email":"ann.lee@kestrel.io"}]`},
		"products":                {"/products", `[{"name":"Blue Chair","price":"19.90","hash":"0cc175b9c0f1b6a831c399e269772661"}]`},
		"shops":                   {"/find", `[{"name":"Kestrel Mitte","phone":"+44 20 7946 0358","address":"Mill Lane 12"}]`},
		"restaurants":             {"/places", `[{"name":"Kestrel","email":"mitte@kestrel.io","phone":"+44 20 7946 0358","cuisine":"thai"}]`},
		"companies":               {"/companies", `[{"name":"Kestrel","email":"mitte@kestrel.io","phone":"+44 20 7946 0358"}]`},
		"a blog":                  {"/posts", `[{"title":"On hats","author":{"name":"Ann Lee","email":"ann.lee@kestrel.io"}}]`},
		"a team":                  {"/team", `[{"name":"Ann Lee","email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"}]`},
		"a postal code":           {"/shops", `[{"name":"Kestrel Mitte","pin":"560001","phone":"+44 20 7946 0358"}]`},
		"authors":                 {"/authors", `[{"name":"Ann Lee","bio":"Writes."}]`},
		"a contact page":          {"/contact", `{"email":"we@kestrel.io","phone":"+44 20 7946 0358"}`},
		"a contact in a document": {"/version", `{"info":{"contact":{"name":"Kestrel Team","email":"api@kestrel.io"}}}`},
		"a contact by its names":  {"/", `{"contactEmail":"we@kestrel.io","contactPhone":"+44 20 7946 0358"}`},
		"a role's address":        {"/users", `[{"email":"info@kestrel.io","phone":"+44 20 7946 0358"}]`},
		"examples":                {"/users", `[{"email":"ann@example.com","phone":"555-0123"},{"email":"bo@kestrel.test","phone":"1234567"}]`},
		"masked":                  {"/users", `[{"email":"a***@kestrel.io","phone":"+44 20 **** 0358","ssn":"XXX-XX-9999"}]`},
		"empty":                   {"/users", `[{"email":"","phone":null,"ssn":"null"}]`},
		"a status":                {"/status", `{"status":"ok","version":"1.2","uptime":123456789}`},
		"a key for everybody":     {"/config", `{"api_key":"AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY","name":"Kestrel"}`},
		"messages of a form":      {"/i18n", `{"email":"E-mail","password":"At least 8 characters","phone":"Phone"}`},
		"a schema":                {"/schema", `{"email":{"type":"string"},"phone":{"type":"string"},"dob":{"type":"string"}}`},
		"HTML":                    {"/users", `<p>ann.lee@kestrel.io, +44 20 7946 0358</p>`},
		"a text":                  {"/users", `"ann.lee@kestrel.io"`},
		"nothing":                 {"/users", ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := shared(c[0], c[1]); got.People > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestWhatEachIsToldOfItselfIsNotShared(t *testing.T) {
	t.Parallel()
	of := func(name, id string) secret.Text {
		return secret.New(`{"username":"` + name + `","session_id":"` + id + `"}`)
	}
	if got := personal.Shared("/session", of("visitor-1", "f3a9c1d07b2e4f6a8c5d"), of("visitor-2", "0b2e4f6a8c5df3a9c1d0")); got.People > 0 {
		t.Errorf("%+v", got)
	}
}

func TestALongListIsReadAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	list := `[{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"},{"email":"bo.ray@kestrel.io","phone":"+44 20 79`
	if got := shared("/users", list); got.People != 1 || !got.More {
		t.Errorf("%+v", got)
	}
}

func TestHostileDocumentsEnd(t *testing.T) {
	t.Parallel()
	person := `{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"}`
	deep := strings.Repeat(`{"a":[`, 200_000)
	for name, body := range map[string]string{
		"deep":        deep + person,
		"deep closed": strings.Repeat("[", 9000) + person + strings.Repeat("]", 9000),
		"wide":        "[" + strings.Repeat("0,", 400_000) + person + "]",
		"long names":  `{"` + strings.Repeat("email", 100_000) + `":"ann.lee@kestrel.io"}`,
		"long values": `{"dob":"1987-04-12","email":"` + strings.Repeat("a", 1<<20) + `@kestrel.io"}`,
		"no JSON":     `[{"email":}]`,
	} {
		if got := shared("/users", body); got.People > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzShared(f *testing.F) {
	f.Add("/users", `[{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"}]`)
	f.Fuzz(func(t *testing.T, path, body string) {
		found := shared(path, body)
		for _, field := range found.Fields {
			if len(field) > 40 || strings.ContainsAny(field, "<>*`|\x1b\n@") {
				t.Errorf("the field %q is told", field)
			}
		}
	})
}
