package demoapi

import (
	"fmt"
	"slices"
	"strings"
)

// The switches. A value is the id of the rule that its flaw breaks.
const (
	notRotated      = "session-id-not-rotated-on-login"
	arbitrary       = "arbitrary-session-id-accepted"
	permissive      = "permissive-session-creation"
	acceptedInQuery = "session-id-accepted-in-query"
	acceptedInJSON  = "session-id-accepted-in-json-body"
	acceptedInForm  = "session-id-accepted-in-form-field"
	acceptedInHead  = "session-id-accepted-in-header"
	acceptedInPath  = "session-id-accepted-in-path"
	dangling        = "session-fixation-dangling-id"
	oldKept         = "pre-login-session-not-invalidated"
	crossUser       = "cross-user-session-reuse"
	fromNetwork     = "session-identity-from-network"
	logoutKept      = "logout-session-not-invalidated"
	below32Bits     = "session-id-insufficient-length"
	below64Bits     = "session-id-insufficient-length/below-64-bits"
	below128Bits    = "session-id-insufficient-length/below-128-bits"
	noSecure        = "session-cookie-missing-secure"
	noHTTPOnly      = "session-cookie-missing-httponly"
	sameSiteNone    = "session-cookie-samesite"
	sameSiteAbsent  = "session-cookie-samesite/absent"
	noPrefix        = "session-cookie-prefix-missing"
	withDomain      = "session-cookie-domain-too-broad"
	notDeletable    = "session-cookie-rejected-by-browser"
	persistent      = "session-cookie-persistent"
	issuedTwice     = "duplicate-set-cookie"
	shownInURL      = "session-id-in-url"
	shownInBody     = "session-id-in-response-body"
	tossKept        = "duplicate-session-cookie"
	firstOfTwo      = "duplicate-session-cookie/one-of-two"
	namesDecoded    = "cookie-prefix-bypass"
	attributeInput  = "cookie-attribute-injection"
	unsigned        = "session-cookie-tamperable"
	notPartitioned  = "session-cookie-not-partitioned"
	idsShown        = "session-ids-shown-to-strangers"
	personalOpen    = "personal-data-without-session"
	cacheable       = "session-response-cacheable"
	noStoreMissing  = "session-response-cacheable/no-store-missing"
	idAsPath        = "session-id-path-traversal"
	failsOnLong     = "session-id-malformed-input"
	echoed          = "session-id-reflected-unencoded"
	foreignLogin    = "login-csrf"
	anyOrigin       = "cors-credentials-any-origin"
	nullOrigin      = "cors-credentials-any-origin/null"
	anyOriginLax    = "cors-credentials-any-origin/same-site"
	loginByGET      = "login-over-get"
	privilegeKept   = "session-id-not-rotated-on-privilege-change"
	reauthKept      = "session-id-not-rotated-on-privilege-change/re-authentication"
	passwordKept    = "session-id-not-rotated-on-password-change"
	othersKept      = "password-change-keeps-other-sessions"
	everywhereKept  = "logout-everywhere-incomplete"
	deletedKept     = "session-survives-account-deletion"
	noLimit         = "concurrent-session-limit-not-enforced"
	clientKept      = "logout-client-state-not-cleared"
	resurrected     = "session-resurrection"
	race            = "concurrent-login-race"
	carriedOver     = "pre-login-state-carry-over"
	puzzling        = "session-puzzling"
	unbound         = "oauth-state-not-bound"
	lowEntropy      = "session-id-low-entropy"
	sequential      = "session-id-sequential"
	timestamped     = "session-id-timestamp-based"
	hashed          = "session-id-hash-of-guessable"
	predictable     = "session-id-predictable-prng"
	handedTwice     = "session-id-collision"
	oneForEachUser  = "session-id-collision/same-user"
	derived         = "session-id-derived-from-previous"
	namesUser       = "session-id-contains-user-data"
)

// Flaw is one switch of the API.
type Flaw struct {
	Rule    string   // id of the rule it breaks, which is also its name for New
	Follows []string // rules that break with it by nature
	Summary string   // what the API then does, in one line
}

var table = []Flaw{
	{Rule: notRotated, Summary: "login upgrades the anonymous session and keeps its id"},
	{Rule: arbitrary, Summary: "login makes an unknown id from the cookie the authenticated one"},
	{Rule: permissive, Summary: "a visit starts an anonymous session under whatever id the cookie holds"},
	{Rule: acceptedInQuery, Summary: "login takes the session id from ?session_id="},
	{Rule: acceptedInJSON, Summary: "login takes the session id from the JSON member session_id"},
	{Rule: acceptedInForm, Summary: "login takes URL-encoded forms, and the session id from their field session_id"},
	{Rule: acceptedInHead, Summary: "login takes the session id from the header X-Session-ID"},
	{Rule: acceptedInPath, Summary: "login takes the session id from /login;jsessionid="},
	{Rule: dangling, Summary: "login issues a new id, and the old one names the new session too"},
	{Rule: oldKept, Summary: "login leaves the old session alive, sharing its visits with the new one"},
	{Rule: crossUser, Summary: "login as somebody else inside a signed-in session keeps its id"},
	{Rule: fromNetwork, Summary: "without a cookie, the address of the last login is taken for its user"},
	{Rule: logoutKept, Summary: "logout clears the cookie and keeps the session"},
	{Rule: below32Bits, Summary: "session ids have 24 bits"},
	{Rule: below64Bits, Summary: "session ids have 48 bits"},
	{Rule: below128Bits, Summary: "session ids have 96 bits"},
	{Rule: noSecure, Follows: []string{noPrefix}, Summary: "the cookie has no Secure, and so no prefix"},
	{Rule: noHTTPOnly, Summary: "the cookie has no HttpOnly"},
	{Rule: sameSiteNone, Summary: "the cookie has SameSite=None, and is partitioned"},
	{Rule: sameSiteAbsent, Summary: "the cookie has no SameSite"},
	{Rule: noPrefix, Summary: "the cookie is called sid"},
	{Rule: withDomain, Follows: []string{noPrefix}, Summary: "the cookie has the API's address as Domain, and so no prefix"},
	{Rule: notDeletable, Follows: []string{clientKept}, Summary: "logout clears the __Host- cookie without Secure, which browsers ignore"},
	{Rule: persistent, Summary: "the cookie lives for 90 days"},
	{Rule: issuedTwice, Summary: "login issues two live ids under one cookie name"},
	{Rule: shownInURL, Summary: "login redirects to a URL that holds the session id"},
	{Rule: shownInBody, Summary: "login repeats the session id in its answer"},
	{Rule: tossKept, Summary: "login with two session cookies upgrades the session of the first"},
	{Rule: firstOfTwo, Follows: []string{noPrefix}, Summary: "of two session cookies the first is believed, and the cookie has no prefix"},
	{Rule: namesDecoded, Summary: "cookie names are percent-decoded"},
	{Rule: attributeInput, Summary: "a visit writes ?lang= into a cookie as it came"},
	{Rule: unsigned, Summary: "the cookie is JSON in base64 that says whose the session is, and nothing signs it"},
	{Rule: notPartitioned, Follows: []string{sameSiteNone}, Summary: "the cookie has SameSite=None and is not partitioned"},
	{Rule: cacheable, Summary: "profiles may be kept by shared caches for a minute"},
	{Rule: idsShown, Summary: "GET /debug/sessions lists the ids of the live sessions to anybody"},
	{Rule: personalOpen, Summary: "GET /customers, which the description at /openapi.json calls secured, answers anybody"},
	{Rule: noStoreMissing, Summary: "profiles come without Cache-Control"},
	{Rule: idAsPath, Summary: "session ids are cleaned like paths before the lookup"},
	{Rule: failsOnLong, Summary: "an id of more than 1 KiB is answered with 500"},
	{Rule: echoed, Summary: "an unknown id is repeated in an HTML page as it came"},
	{Rule: foreignLogin, Summary: "login takes JSON as text/plain, whatever the origin"},
	{Rule: anyOrigin, Follows: []string{sameSiteNone}, Summary: "CORS allows every origin with credentials, and the cookie has SameSite=None"},
	{Rule: nullOrigin, Follows: []string{sameSiteNone}, Summary: "CORS allows the origin null with credentials, and the cookie has SameSite=None"},
	{Rule: anyOriginLax, Summary: "CORS allows every origin with credentials, and the cookie has SameSite=Lax"},
	{Rule: loginByGET, Summary: "login takes its fields from the query of a GET, too"},
	{Rule: privilegeKept, Summary: "giving the password once more opens /admin and keeps the id"},
	{Rule: reauthKept, Summary: "logging in again as the same user keeps the id"},
	{Rule: passwordKept, Summary: "a password change keeps the id of the session it came from"},
	{Rule: othersKept, Summary: "a password change leaves the user's other sessions alive"},
	{Rule: everywhereKept, Summary: "logging out everywhere ends one session"},
	{Rule: deletedKept, Summary: "the sessions of a deleted account live on"},
	{Rule: noLimit, Summary: "the limit of sessions for a user is not kept"},
	{Rule: clientKept, Summary: "logout leaves the cookie in the browser"},
	{Rule: resurrected, Summary: "a slow request writes the session back that was logged out meanwhile"},
	{Rule: race, Summary: "a visit during the login makes the old id lead to the new session"},
	{Rule: carriedOver, Summary: "login keeps the CSRF token of the anonymous session"},
	{Rule: puzzling, Summary: "the password reset notes its user where protected routes look for one"},
	{Rule: unbound, Summary: "the OAuth callback takes a state that another browser began with"},
	{Rule: lowEntropy, Summary: "session ids have 34 characters, each of which is a or b"},
	{Rule: sequential, Summary: "each session id is the one before and a constant step"},
	{Rule: timestamped, Follows: []string{below128Bits}, Summary: "session ids are UUIDv1: the time, and 48 random bits in place of the host"},
	{Rule: hashed, Summary: "session ids are the MD5 of the user name and the time in milliseconds"},
	{Rule: predictable, Summary: "session ids are the output of MT19937, as random.getrandbits(128) in Python"},
	{Rule: handedTwice, Summary: "visitors with the same User-Agent are handed the same anonymous session, as from a cache"},
	{Rule: oneForEachUser, Follows: []string{reauthKept, privilegeKept, passwordKept, othersKept, noLimit}, Summary: "every login of a user is given the same session id"},
	{Rule: derived, Summary: "login hashes the id of the anonymous session to make the new one"},
	{Rule: namesUser, Summary: "session ids begin with the name of their user"},
}

// Flaws lists every switch.
func Flaws() []Flaw {
	flaws := slices.Clone(table)
	for i := range flaws {
		flaws[i].Follows = slices.Clone(flaws[i].Follows)
	}
	return flaws
}

// Demo is the case this project was founded for: a login that believes any id
// it is handed, a cookie that scripts and eavesdroppers can read, a logout that
// ends nothing.
func Demo() []string {
	return []string{acceptedInJSON, acceptedInQuery, acceptedInHead, notRotated, arbitrary,
		noSecure, noHTTPOnly, logoutKept}
}

// set holds the switches that are on.
type set map[string]bool

func newSet(rules []string) (set, error) {
	flaw := set{}
	for _, rule := range rules {
		if !slices.ContainsFunc(table, func(f Flaw) bool { return f.Rule == rule }) {
			return nil, fmt.Errorf("unknown flaw %q: choose from %s", rule, strings.Join(nearest(rule), ", "))
		}
		flaw[rule] = true
	}
	return flaw, nil
}

// nearest are the names that share the most words with the given one. Words
// serve better than letters here: the names are long, and people remember parts.
func nearest(name string) []string {
	words := func(name string) []string {
		return strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '/' })
	}
	wanted := words(name)
	var best []string
	most := 0
	for _, flaw := range table {
		shared := 0
		for _, word := range words(flaw.Rule) {
			if slices.Contains(wanted, word) {
				shared++
			}
		}
		if shared > most {
			best, most = nil, shared
		}
		if shared == most {
			best = append(best, flaw.Rule)
		}
	}
	return best
}
