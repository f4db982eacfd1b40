package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	parser "golang.org/x/net/html"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/html"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

func written(t *testing.T, r report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := html.Write(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func reports() map[string]report.Report {
	hostile := reporttest.Hostile()
	hostile.Problem = "" // with one there are no findings on the page
	return map[string]report.Report{"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(),
		"problem": reporttest.Problem(), "hostile": hostile, "hostile problem": reporttest.Hostile(), "empty": {}}
}

// elements lists each element of the page with its attributes.
func elements(t *testing.T, page string) []parser.Token {
	t.Helper()
	var found []parser.Token
	reader := parser.NewTokenizer(strings.NewReader(page))
	for {
		switch reader.Next() {
		case parser.ErrorToken:
			return found
		case parser.StartTagToken, parser.SelfClosingTagToken:
			found = append(found, reader.Token())
		case parser.CommentToken:
			t.Errorf("a comment: %s", reader.Token())
		}
	}
}

func attribute(of parser.Token, name string) string {
	for _, one := range of.Attr {
		if one.Key == name {
			return one.Val
		}
	}
	return ""
}

// A page that loads nothing and runs nothing cannot be made to by a target.
func TestThePageNeedsNothingAndRunsNothing(t *testing.T) {
	t.Parallel()
	allowed := regexp.MustCompile(`^(html|head|meta|title|style|body|a|header|p|h[1-4]|small|div|svg|circle|text|rect|b|span|dl|dt|dd|nav|ul|ol|li|main|section|article|code|pre|details|summary|table|thead|tbody|tfoot|tr|th|td|i|figure|figcaption|footer)$`)
	for name, r := range reports() {
		for _, element := range elements(t, written(t, r)) {
			if !allowed.MatchString(element.Data) {
				t.Errorf("%s: the element %s", name, element)
			}
			for _, one := range element.Attr {
				if strings.HasPrefix(one.Key, "on") || one.Key == "style" || one.Key == "src" ||
					one.Key == "href" && !strings.HasPrefix(one.Val, "#") {
					t.Errorf("%s: the attribute %s=%q of %s", name, one.Key, one.Val, element.Data)
				}
			}
		}
	}
}

func TestThePolicyIsThatOfTheStyle(t *testing.T) {
	t.Parallel()
	page := written(t, reporttest.Vulnerable())
	style, err := os.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(page, "<style>")
	shown, _, _ := strings.Cut(rest, "</style>")
	if diff := cmp.Diff(string(style), shown); diff != "" {
		t.Errorf("another style than that of the policy (-want +got):\n%s", diff)
	}
	sum := sha256.Sum256(style)
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	for _, element := range elements(t, page) {
		if element.Data == "meta" && attribute(element, "http-equiv") == "Content-Security-Policy" {
			if got := attribute(element, "content"); got != want {
				t.Errorf("the policy is %q, want %q", got, want)
			}
			return
		}
	}
	t.Error("there is no policy")
}

func TestLinksLeadSomewhereAndIDsAreUnique(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		ids, links := map[string]int{}, []string{}
		for _, element := range elements(t, written(t, r)) {
			if id := attribute(element, "id"); id != "" {
				ids[id]++
			}
			if target, is := strings.CutPrefix(attribute(element, "href"), "#"); is {
				links = append(links, target)
			}
			for label := range strings.FieldsSeq(attribute(element, "aria-labelledby")) {
				links = append(links, label)
			}
		}
		for id, times := range ids {
			if times > 1 {
				t.Errorf("%s: %d elements are called %q", name, times, id)
			}
		}
		for _, link := range links {
			if ids[link] == 0 {
				t.Errorf("%s: nothing is called %q", name, link)
			}
		}
	}
}

// A text of the target adds no element and no attribute to the page of a
// harmless one.
func TestHostileTextsAddNoStructure(t *testing.T) {
	t.Parallel()
	shape := func(r report.Report) []string {
		var seen []string
		for _, element := range elements(t, written(t, r)) {
			line := element.Data
			for _, one := range element.Attr {
				line += " " + one.Key
			}
			seen = append(seen, line)
		}
		return seen
	}
	good, bad := reporttest.Seasoned(" harmless"), reporttest.Hostile()
	good.Discovered, bad.Discovered = unfound(good), unfound(bad)
	good.Problem, bad.Problem = "", ""
	if diff := cmp.Diff(shape(good), shape(bad)); diff != "" {
		t.Errorf("(-harmless +hostile):\n%s", diff)
	}
	for name, r := range reports() {
		page := written(t, r)
		reporttest.Inert(t, page)
		if strings.Contains(page, "<script") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: %s", name, page)
		}
	}
}

// unfound leaves the last step without a request: no text of a target is one.
func unfound(r report.Report) []report.Discovered {
	r.Discovered[len(r.Discovered)-1].Request = ""
	return r.Discovered
}

func TestThePageSaysWhatTheReportSays(t *testing.T) {
	t.Parallel()
	page := text(t, written(t, reporttest.Vulnerable()))
	for _, says := range []string{
		"Gate not met", "score 49 is below 70", "grade F", "2 findings · 4 of 7 rules tested",
		"high 8.1", "app/auth.py:42", "known from the baseline",
		"attacker → API: GET /", "answer: 200 gets session id «3f9a2c»", "answer: no answer no answer within 5 s",
		"Make a new random id", "secrets.token_urlsafe(32)", "curl -s -b", "CWE-384",
		"To test it: put TLS in front of the API", "−32.4", "The worst finding caps the score at 49.",
		"session-cookie-missing-secure", "accounts are closed by hand",
		"login: POST /login from openapi.json, operationId login_login_post, the only one that takes a password (to pin it: steps: {login: {request: POST /login}})",
		"logout: none, nothing that is called one answers (to add it: --logout",
		"browsers drop it: the domain is a public suffix", "90 days", "until the browser closes",
		"26 ids of the cookie session_id hold at most 64 bits each. 13 of 25 ids are greater than the one issued before: time does not order them.",
		"New 1", "Known 1", "Gone 1", "accepted: session-cookie-prefix-missing, cookie session_id: legacy domain (until 2027-03-31)",
	} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

func TestWhatWasNotMeasuredHasNoScore(t *testing.T) {
	t.Parallel()
	page := text(t, written(t, reporttest.Problem()))
	for _, says := range []string{"of 100", "grade", "Where the points went", "No attack worked"} {
		if strings.Contains(page, says) {
			t.Errorf("the page says %q", says)
		}
	}
	for _, says := range []string{"Gate undecided", "check the names of the fields in steps.login", "K1: each user can log in and is recognised (POST /login answered 422)"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
}

// The id of the attack is marked wherever it stands, and no other is.
func TestOneIDIsTraced(t *testing.T) {
	t.Parallel()
	marked := regexp.MustCompile(`<span class="id traced">([^<]*)</span>`).FindAllStringSubmatch(written(t, reporttest.Vulnerable()), -1)
	for _, one := range marked {
		if one[1] != "«3f9a2c»" && one[1] != "shown like this" {
			t.Errorf("%s is marked", one[1])
		}
	}
	if len(marked) != 4 { // three rungs and the key
		t.Errorf("%d marks", len(marked))
	}
}

// text is what a reader sees, with single blanks.
func text(t *testing.T, page string) string {
	t.Helper()
	_, body, _ := strings.Cut(page, "<body>")
	var words strings.Builder
	reader := parser.NewTokenizer(strings.NewReader(body))
	for {
		switch reader.Next() {
		case parser.ErrorToken:
			return strings.Join(strings.Fields(words.String()), " ")
		case parser.TextToken:
			words.WriteString(reader.Token().Data)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	if err := html.Write(full{}, reporttest.Hardened()); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
