package personal_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
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
		"passwords in clear":  {"/users", `[{"username":"alice","password":"hunter2secret"},{"username":"bob","password":"correct4horse"}]`, 2, []string{"password"}},
		"names to log in with": {"/users", `[{"id":1,"username":"alice","email":"alice@kestrel.io","role":"admin"},{"id":2,"username":"bob","email":"bob@kestrel.io","role":"user"}]`,
			2, []string{"email", "username"}},
		"users beside other things": {"/state", `{"users":[{"login":"alice","email":"alice@kestrel.io"},{"login":"bob","email":"bob@kestrel.io"}],"posts":[]}`, 2, []string{"email", "login"}},
		"given names":               {"/users", `[{"firstName":"Ann","email":"ann@kestrel.io"},{"firstName":"Bo","email":"bo@kestrel.io"}]`, 2, []string{"email", "firstName"}},
		"a name in small letters":   {"/customers", `[{"name":"ann lee","email":"ann@kestrel.io"}]`, 1, []string{"email", "name"}},
		"an address with parts":     {"/users", `[{"name":"Ann Lee","address":{"street":"Mill Lane 12","geo":{"latitude":1}}}]`, 1, []string{"name", "street"}},
		"several addresses":         {"/users", `[{"name":"Ann Lee","addresses":[{"street":"Mill Lane 12"},{"street":"Ash Road 4"}]}]`, 1, []string{"name", "street"}},
		"a customer as the author":  {"/posts", `[{"customer":{"name":"Ann Lee","birthday":"1987-04-12"}}]`, 1, []string{"birthday", "name"}},
		"an author's address":       {"/authors", `[{"name":"Ann Lee","email":"ann@kestrel.io","street":"Mill Lane 12"}]`, 1, []string{"email", "name", "street"}},
		"a party of four":           {"/orders", `[{"name":"Ann Lee","phone":"+44 20 7946 0358","party_size":4}]`, 1, []string{"name", "phone"}},
		"a birthday and a number":   {"/find", `[{"name":"Ann Lee","birthday":"1987-04-12","phone":"+44 20 7946 0358"}]`, 1, []string{"birthday", "name", "phone"}},
		"the same twice":            {"/users", `[{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"},{"email":"ann.lee@kestrel.io","phone":"+44 20 7946 0358"}]`, 1, []string{"email", "phone"}},
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
		"drivers":                 {"/drivers", `[{"driverId":"hamilton","givenName":"Lewis","familyName":"Hamilton","dateOfBirth":"1985-01-07","nationality":"British"}]`},
		"players":                 {"/players", `[{"id":1,"name":"Lionel Messi","dateOfBirth":"1987-06-24","position":"Attacker"}]`},
		"actors":                  {"/actors", `[{"name":"Brad Pitt","birthday":"1963-12-18"}]`},
		"people of a film":        {"/person/popular", `[{"name":"Brad Pitt","birthday":"1963-12-18"}]`},
		"names and birthdays":     {"/search", `[{"name":"Brad Pitt","birthday":"1963-12-18"}]`},
		"authors' birthdays":      {"/authors", `[{"first_name":"Stephen","last_name":"King","birth_date":"1947-09-21"}]`},
		"a ledger's addresses":    {"/nfts", `[{"token":"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48","owner":"0x1111d19D4a2e9Eb0cE3606eB48"}]`},
		"sessions of a congress":  {"/sessions", `[{"sessionId":"KubeCon-EU-2024-1A3F","title":"x","owner":"jane"}]`},
		"a slug":                  {"/sessions", `[{"sessionId":"MySummerConference2024Edition","owner":"jane"},{"sessionId":"opening-keynote-2024","owner":"bo"}]`},
		"commits":                 {"/commits", `[{"author":{"name":"Jane Doe","email":"jane@kestrel.io"},"committer":{"name":"Jane Doe","email":"jane@kestrel.io"}}]`},
		"a network":               {"/wifi", `[{"address":"Main Street 5","password":"coffee2024"}]`},
		"speakers":                {"/speakers", `[{"name":"Jane Doe","email":"jane@kestrel.io","phone":"+1 202 224 3121"}]`},
		"a parliament":            {"/members", `[{"name":"Jane Doe","phone":"+1 202 224 3121","email":"jane@senate.gov"}]`},
		"a parliament's parties":  {"/members", `[{"name":"Jane Doe","phone":"+44 20 7219 3000","email":"jane@kestrel.io","party":"Greens"},{"name":"Bo Ray","phone":"+44 20 7219 3001","office":"Member of Parliament"}]`},
		"one name to log in with": {"/users", `[{"id":1,"username":"alice","email":"alice@kestrel.io"}]`},
		"names of a repository":   {"/contributors", `[{"login":"alice","email":"alice@kestrel.io"},{"login":"bob","email":"bob@kestrel.io"}]`},
		"a shop's address":        {"/find", `[{"name":"Kestrel Mitte","phone":"+44 20 7946 0358","address":{"street":"Mill Lane 12"}}]`},
		"a list to write to":      {"/lists", `[{"name":"weekly digest","email":"lists-17@kestrel.io"}]`},
		"where it was ordered":    {"/orders", `[{"restaurant":{"name":"Kestrel","phone":"+44 20 7946 0358"}},{"restaurant":{"name":"Linnet","phone":"+44 20 7946 0461"}}]`},
		"a login for everybody":   {"/docs", `{"username":"demo","password":"demo1234"}`},
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

// An id drawn at random is told from words: of a thousand of each form nearly all.
func TestIDsAtRandomAreKnown(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte{1})
	bytes := func(n int) []byte {
		drawn := make([]byte, n)
		_, _ = random.Read(drawn)
		return drawn
	}
	for form, draw := range map[string]func() string{
		"hex":              func() string { return hex.EncodeToString(bytes(16)) },
		"base64":           func() string { return base64.RawURLEncoding.EncodeToString(bytes(32)) },
		"base64, 128 bits": func() string { return base64.RawURLEncoding.EncodeToString(bytes(16)) },
		"base32":           func() string { return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(bytes(16)) },
		"UUID": func() string {
			b := bytes(16)
			return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
		},
		"with a prefix": func() string { return "sk_live_" + base64.RawURLEncoding.EncodeToString(bytes(24)) },
	} {
		const all = 1000
		known := 0
		for range all {
			known += shared("/state", `[{"user":"ann","session_id":"`+draw()+`"}]`).People
		}
		if known < all*95/100 {
			t.Errorf("%s: %d of %d", form, known, all)
		}
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
