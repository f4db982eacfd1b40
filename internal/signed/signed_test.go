package signed_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/signed"
)

// tokens were issued by the frameworks themselves with keys of their tutorials:
// two of bob's and one of alice's, which differ in user and sid (sub and jti).
var tokens = map[string]struct {
	scheme string
	issued [3]string
}{
	"Flask": {"Flask's session", [3]string{
		"eyJ1c2VyIjoiYm9iIiwic2lkIjoiMTExMSJ9.awfbhg.zNbuxN4UVDc9rkQJvD5qgV00QOg",
		"eyJ1c2VyIjoiYm9iIiwic2lkIjoiMjIyMiJ9.awfbhg.yUktK6T98Q0297ZDiwxYUlKOsZk",
		"eyJ1c2VyIjoiYWxpY2UiLCJzaWQiOiIzMzMzIn0.awfbhg.irKiD7pl9LEyXTt6gYzeUYD-ag0",
	}},
	"Flask, compressed": {"Flask's session", [3]string{
		".eJyrViotTi1SslJKyk9S0lEqzkwBsg2BAMgpSARxKkYB0UCpFgBBpZZi.awfbhg.GnharZMtRH_jg_QR8krnkW5ZpyA",
		".eJyrViotTi1SslJKyk9S0lEqzkwBso2AAMgpSARxKkYB0UCpFgBGi5Zm.awfbhg.icZn7Tg7efbQEni6PEqggqHWbjM",
		".eJyrViotTi1SslJKzMlMTlXSUSrOTAHyjIEAyClIBHEqRgHRQKkWAFW3lzU.awfbhg.r8RQWqCd6FCjJXYf38xwvix21M0",
	}},
	"Starlette": {"Starlette's session", [3]string{
		"eyJ1c2VyIjogImJvYiIsICJzaWQiOiAiMTExMSJ9.awfbhg.OXFJYfnA9kCYhFu3IK2-iJBahak",
		"eyJ1c2VyIjogImJvYiIsICJzaWQiOiAiMjIyMiJ9.awfbhg.D4j3tu8JIOHYm4duaX9mded_Gdo",
		"eyJ1c2VyIjogImFsaWNlIiwgInNpZCI6ICIzMzMzIn0=.awfbhg.Ak9uNjJ58T8U5wXlbc_q2QVEwXA",
	}},
	"Django": {"Django's signed session", [3]string{
		"eyJ1c2VyIjoiYm9iIiwic2lkIjoiMTExMSJ9:1xWTdG:Zy_g5wkpOhbV9mSiGTuG03Z7THyhujpl4-nIwqdpV5o",
		"eyJ1c2VyIjoiYm9iIiwic2lkIjoiMjIyMiJ9:1xWTdG:ogHpUekY8n0OcIa7SwRrXeZvSxozGIfzvXXyeGebcf4",
		"eyJ1c2VyIjoiYWxpY2UiLCJzaWQiOiIzMzMzIn0:1xWTdG:mmspOU66WmIm1SVNZutTKaICkzf7MzR_pHbG0vJocc0",
	}},
	"HS256": {"JWT HS256", [3]string{
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJib2IiLCJqdGkiOiIxMTExIn0.bhMmjl6txJuTsCnQCntC1FJy3HwRVvGD1saQFcGeQ5s",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJib2IiLCJqdGkiOiIyMjIyIn0.BPGYEd8v7CWj9ib1IjEiZeZHOtdLnawd-OOQGXnYV_U",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImp0aSI6IjMzMzMifQ.TorrVnUuTJ5b-jIAALRh-un2nGk_jO-V2Ueav04bFzg",
	}},
	"HS384": {"JWT HS384", [3]string{
		"eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJib2IiLCJqdGkiOiIxMTExIn0._RqVuP92gWg6pY5ZkjpC1swDw1tuYHn7b9N32Y0uqasyWkxNel8cMWDreIaAqp9N",
		"eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJib2IiLCJqdGkiOiIyMjIyIn0.M6bPiAfJi4tc1idifqWJRFrK8VSsT2_7-hXuvR3aoQKKUvbkIRmUdV34mmaX7b1C",
		"eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImp0aSI6IjMzMzMifQ.I-tmAxcYAz5lp-zcTsdgvx7HOUbg7Op9265BxZduN92STdnaTXkLRjqalotISqGU",
	}},
	"HS512": {"JWT HS512", [3]string{
		"eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJib2IiLCJqdGkiOiIxMTExIn0.9jjMQT7ncHpEFYnbxjeOIjYolL6KOZlcFZqss0UWdwnsNI52tQdgS9W8JBWWGgkAKrQXLNDAdYVwBInpIEoOIA",
		"eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJib2IiLCJqdGkiOiIyMjIyIn0.atw41JN9nSbviaqXyYDFEKCIlBTT46LQep-b950o1dj679yjdSahBLO1Mpx6cpM9UWrBNFdRiN7L9Q02p1gVXA",
		"eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImp0aSI6IjMzMzMifQ.hQbupI_MnKNGYqUsk35vDZwqlVuLILzK7i6AV0HsFH8-SP2Lq1bENCFCf2m7r7A8UKuNSoh3bpi5fDFpQI61CA",
	}},
	"Express": {"Express' signed cookie", [3]string{
		"s%3Aj%3A%7B%22user%22%3A%22bob%22%2C%22sid%22%3A%221111%22%7D.JRhQZ0H01QGuCgzKF%2FThNxNleckQ%2BMy6JyeYF2rDC3A",
		"s%3Aj%3A%7B%22user%22%3A%22bob%22%2C%22sid%22%3A%222222%22%7D.JKletzjKjB4uZxI40Fq90erQrxxyZcco1yPH7qix2w8",
		"s%3Aj%3A%7B%22user%22%3A%22alice%22%2C%22sid%22%3A%223333%22%7D.kBanMTkg%2BGpyIU74xgchNYurCfxbecQaU2lOEDdYKTA",
	}},
}

func parse(t *testing.T, id string) signed.Token {
	t.Helper()
	token, readable := signed.Parse(id)
	if !readable {
		t.Fatalf("%s cannot be read", id)
	}
	return token
}

// The forged token says bob, has the id of alice's session, and is signed as
// the framework would: the key is found again in it.
func TestForgeriesWithAKnownKey(t *testing.T) {
	t.Parallel()
	for name, test := range tokens {
		own, again, other := parse(t, test.issued[0]), parse(t, test.issued[1]), parse(t, test.issued[2])
		key, found := own.FindKey()
		if !found {
			t.Errorf("%s: the key is not found", name)
			continue
		}
		forged := key.Forge(own.Borrow(again, other))
		if !strings.Contains(forged.Name, test.scheme+")") {
			t.Errorf("%s: forged by %q", name, forged.Name)
		}
		if _, found := parse(t, forged.Value).FindKey(); !found {
			t.Errorf("%s: the signature of %s is not right", name, forged.Value)
		}
		payload := readable(t, forged.Value)
		if !strings.Contains(payload, "bob") || !strings.Contains(payload, "3333") || strings.Contains(payload, "1111") || !strings.Contains(payload, "sgcanary") {
			t.Errorf("%s: forged %s", name, payload)
		}
	}
}

// readable is the text of an id with all of its base64 decoded.
func readable(t *testing.T, id string) string {
	t.Helper()
	var text strings.Builder
	for _, part := range strings.FieldsFunc(id, func(r rune) bool { return r == '.' || r == ':' }) {
		if decoded, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			text.Write(decoded)
		}
	}
	return text.String() + id
}

func TestForgeriesWithoutAKey(t *testing.T) {
	t.Parallel()
	for name, test := range tokens {
		made := parse(t, test.issued[0]).Altered()
		want := 2
		if strings.HasPrefix(name, "HS") {
			want = 6
		}
		if len(made) != want {
			t.Errorf("%s: %d forgeries, want %d", name, len(made), want)
		}
		seen := map[string]bool{test.issued[0]: true}
		for _, forgery := range made {
			if seen[forgery.Value] || forgery.Name == "" {
				t.Errorf("%s: %q is not new: %s", name, forgery.Name, forgery.Value)
			}
			seen[forgery.Value] = true
			if strings.HasSuffix(forgery.Name, "signature") && strings.HasPrefix(forgery.Name, "a changed payload under") != strings.HasSuffix(forgery.Value, last(test.issued[0])) {
				t.Errorf("%s: %q has the signature of %s", name, forgery.Name, forgery.Value)
			}
		}
	}
}

func last(id string) string { return id[strings.LastIndexAny(id, ".:")+1:] }

func TestJWTsWithoutASignature(t *testing.T) {
	t.Parallel()
	for _, forgery := range parse(t, tokens["HS256"].issued[0]).Altered() {
		alg, is := strings.CutPrefix(forgery.Name, "a JWT of the algorithm ")
		if !is {
			continue
		}
		parts := strings.Split(forgery.Value, ".")
		header, err := base64.RawURLEncoding.DecodeString(parts[0])
		if err != nil || len(parts) != 3 || parts[2] != "" || !strings.Contains(string(header), `"alg":"`+alg+`"`) {
			t.Errorf("%s: %s (%v)", forgery.Name, forgery.Value, err)
		}
	}
}

func TestUnsignedSessions(t *testing.T) {
	t.Parallel()
	const plain = `{"user":"bob","sid":"1111","n":12345678901234567890}`
	for name, id := range map[string]string{
		"base64": base64.StdEncoding.EncodeToString([]byte(plain)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(plain)),
		"JSON": plain, "escaped": "%7B%22user%22%3A%22bob%22%7D", "quoted": `"` + base64.StdEncoding.EncodeToString([]byte(plain)) + `"`,
	} {
		made := parse(t, id).Altered()
		if len(made) != 1 || made[0].Name != "a changed payload, which nothing signs" {
			t.Errorf("%s: %+v", name, made)
		}
		if _, found := parse(t, id).FindKey(); found {
			t.Errorf("%s: a key of nothing", name)
		}
	}
	own := parse(t, plain)
	if got := own.Borrow(own, own).Altered()[0].Value; !strings.Contains(got, "12345678901234567890") {
		t.Errorf("a number is rounded: %s", got)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ".", "a.b.c", "gAAAAABh-encrypted", "s%3Aopaque.signature", "0123456789abcdef", "e30", "%zz", "W10.x", ".eJyrViotTi1SslJKyk9S0lEqzkwBsg.x", `""`, "{", "s:j:.x"} {
		if token, readable := signed.Parse(id); readable {
			t.Errorf("%q is read as %+v", id, token)
		}
	}
	if _, found := parse(t, tokens["HS256"].issued[0][:80]+"."+"AAAA").FindKey(); found {
		t.Error("a key is found for a signature that is none")
	}
}

// FuzzParse: an id is the target's own text.
func FuzzParse(f *testing.F) {
	for _, test := range tokens {
		f.Add(test.issued[0], test.issued[1])
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		token, readable := signed.Parse(one)
		other, also := signed.Parse(two)
		if !readable || !also || len(one) > 1<<14 {
			return
		}
		made := token.Borrow(other, other).Altered()
		if key, found := token.FindKey(); found {
			made = append(made, key.Forge(token))
		}
		for _, forgery := range made {
			if forgery.Value == one {
				t.Errorf("%s: nothing is changed", forgery.Name)
			}
		}
	})
}
