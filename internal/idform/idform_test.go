package idform_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/idform"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// named are the values of the forms with this name.
func named(id, name string) []string {
	var values []string
	for _, form := range idform.Of(secret.New(id)) {
		if form.Name == name {
			values = append(values, form.Value)
		}
	}
	return values
}

func TestForms(t *testing.T) {
	t.Parallel()
	const (
		token = "3f9a2c7be1d04f5589aa10b2c3d4e5f6"
		uuid  = "3f9a2c7b-e1d0-4f55-89aa-10b2c3d4e5f6"
		jwt   = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiJhYmNkZWYifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
	)
	bytes, _ := hex.DecodeString(token)
	for name, test := range map[string]struct {
		id, form string
		want     []string
	}{
		"raw":                         {token, "raw", []string{token}},
		"short":                       {"abc", "raw", []string{"abc"}},
		"short has no digest":         {"abc", "sha256 hex", nil},
		"empty":                       {"", "raw", nil},
		"percent":                     {"a%2Fb%2Bc+d", "url-decoded", []string{"a/b+c+d"}},
		"nothing to decode":           {token, "url-decoded", nil},
		"bad percent":                 {"a%zzbcdef", "url-decoded", nil},
		"express":                     {"s%3A" + token + ".sig%2Bnature", "before the signature", []string{token}},
		"express, dot in the id":      {"s:ab.cdef.signature", "before the signature", []string{"ab.cdef"}},
		"express, short id":           {"s:abc.signature", "before the signature", nil},
		"itsdangerous":                {token + ".signature", "before the signature", []string{token}},
		"itsdangerous with time":      {token + ".Zx1c2Q.signature", "before the signature", []string{token + ".Zx1c2Q", token}},
		"a word and a dot":            {"session." + token, "before the signature", nil},
		"the header of a JWT":         {jwt, "before the signature", []string{jwt[:strings.LastIndexByte(jwt, '.')]}},
		"hex":                         {token, "hex-decoded", []string{string(bytes)}},
		"upper-case hex":              {strings.ToUpper(token), "hex-decoded", []string{string(bytes)}},
		"hex for a UUID column":       {token, "uuid with dashes", []string{uuid}},
		"UUID":                        {uuid, "uuid without dashes", []string{token}},
		"UUID as bytes":               {uuid, "hex-decoded", []string{string(bytes)}},
		"upper-case UUID":             {strings.ToUpper(uuid), "uuid with dashes", []string{uuid}},
		"base64":                      {base64.StdEncoding.EncodeToString([]byte("Zm9v~" + uuid)), "base64-decoded", []string{"Zm9v~" + uuid}},
		"base64 without padding":      {base64.RawURLEncoding.EncodeToString([]byte("~~~???" + uuid)), "base64-decoded", []string{"~~~???" + uuid}},
		"base64 with escaped padding": {"YWJjZGVmZw%3D%3D", "base64-decoded", []string{"abcdefg"}},
		"hex of it":                   {"fx7Q'ab12", "hex-encoded", []string{"667837512761623132"}},
		"signed, in hex":              {"s:" + token + ".signature", "hex-decoded", []string{string(bytes)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, named(test.id, test.form)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	// From the test suites of the RFCs, so that no digest is mistaken for another.
	const id = "message digest"
	for form, want := range map[string]string{
		"md5 hex":    "f96b697d7cb7938d525a2f31aaf161d0",
		"sha1 hex":   "c12252ceda8be8994d5fa0290a47231c1d16aae3",
		"sha256 hex": "f7846f55cf23e14eebeab5b4e1550cad5b509e3348fbc4efa3a1413d393cb650",
		"sha512 hex": "107dbf389d9e9f71a3a95f6c055b9251bc5268c2be16d6c13492ea45b0199f33" +
			"09e16455ab1e96118e8a905d5597b72038ddb372a89826046de66687bb420e7c",
	} {
		if got := named(id, form); !slices.Contains(got, want) || !slices.Contains(got, strings.ToUpper(want)) {
			t.Errorf("%s: %q", form, got)
		}
		name, _, _ := strings.Cut(form, " ")
		sum, _ := hex.DecodeString(want)
		for spelling, value := range map[string]string{
			" bytes": string(sum), " base64": base64.StdEncoding.EncodeToString(sum),
		} {
			if got := named(id, name+spelling); !slices.Contains(got, value) {
				t.Errorf("%s%s: %q", name, spelling, got)
			}
		}
	}
}

func TestDigestsOfEverySpelling(t *testing.T) {
	t.Parallel()
	const raw, decoded, token = "s%3Aabcdefghij.signature%3D", "s:abcdefghij.signature=", "abcdefghij"
	got := named(raw, "sha256 bytes")
	var want []string
	for _, value := range []string{raw, decoded, token} {
		sum := sha256.Sum256([]byte(value))
		want = append(want, string(sum[:]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyDigestsAreIrreversible(t *testing.T) {
	t.Parallel()
	for _, form := range idform.Of(secret.New("s%3A3f9a2c7be1d04f5589aa10b2c3d4e5f6.signature")) {
		isDigest := strings.HasPrefix(form.Name, "sha") || strings.HasPrefix(form.Name, "md5")
		if form.Reversible == isDigest {
			t.Errorf("%s: reversible %t", form.Name, form.Reversible)
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, seed := range []string{"", "x", "s:a.b", "%", "%00%ff.......", "eyJ.eyJ.x", "===="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		forms := idform.Of(secret.New(id))
		if (len(forms) == 0) != (id == "") {
			t.Fatalf("%d forms", len(forms))
		}
		seen := map[string]bool{}
		for i, form := range forms {
			if seen[form.Value] {
				t.Errorf("%s twice", form.Name)
			}
			seen[form.Value] = true
			if (i == 0) != (form.Name == "raw") || i > 0 && len(form.Value) < 6 {
				t.Errorf("form %d is %s, %d bytes", i, form.Name, len(form.Value))
			}
		}
	})
}
