// Package reporttest holds finished audits for the tests of the outputs, and
// what these tests share. Nothing outside tests imports it.
package reporttest

import (
	"reflect"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/score"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var notRotated = finding.Rule{
	ID: "session-id-not-rotated-on-login", Title: "The session id issued before login is the signed-in session id after it",
	Family: finding.Fixation, Core: true, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
	Why: "An attacker fetches a session id, plants it in the victim's browser and waits: the login turns the id she knows into the victim's session.",
	Fix: "Make a new random id at every authentication and delete the old record in the same transaction.",
	FastAPI: `session_id = secrets.token_urlsafe(32)
with connection.transaction():
    connection.execute("DELETE FROM sessions WHERE id_hash = %s", (digest(old_id),))
    connection.execute("INSERT INTO sessions (id_hash, user_id) VALUES (%s, %s)", (digest(session_id), user.id))
response.set_cookie("__Host-session_id", session_id, path="/", secure=True, httponly=True, samesite="lax")`,
}

var hostPrefix = finding.Rule{
	ID: "session-id-not-rotated-on-login/host-prefix", Title: "The session id issued before login is kept at login (cookie with the __Host- prefix)",
	Family: finding.Fixation, Core: true, Severity: 68, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
	Why: notRotated.Why, Fix: notRotated.Fix, FastAPI: notRotated.FastAPI,
}

var logout = finding.Rule{
	ID: "logout-session-not-invalidated", Title: "The session id still works after logout",
	Family: finding.Termination, Core: true, Severity: 65, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:L/A:N",
	CWE: []int{613}, ASVS: []string{"v5.0.0-7.4.1"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-06"},
	Why: "Who has copied the session id keeps the account after its owner has left.",
	Fix: "Delete the record of the session on the server at logout; clearing the cookie is not enough.",
}

var prefix = finding.Rule{
	ID: "session-cookie-prefix-missing", Title: "The session cookie's name has no __Host- prefix",
	Family: finding.Cookie, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{346, 565}, ASVS: []string{"v5.0.0-3.3.1", "v5.0.0-3.3.3"}, OWASPAPI: []string{"API8:2023"},
	Why: "A sibling domain can set a cookie of the same name for this one.",
	Fix: "Name the cookie __Host-session_id and set Secure and Path=/ without Domain.",
}

var cleared = finding.Rule{
	ID: "logout-client-state-not-cleared", Title: "Logout leaves the session cookie in the browser",
	Family: finding.Termination, CWE: []int{525, 613}, ASVS: []string{"v5.0.0-14.3.1"}, OWASPAPI: []string{"API8:2023"},
	Why: "A cookie that ended on the server and stays in the browser is untidy, and no weakness.",
	Fix: "Delete the cookie in the answer to the logout.",
}

var secure = finding.Rule{
	ID: "session-cookie-missing-secure", Title: "The session cookie is sent over plain http",
	Family: finding.Cookie, Severity: 53, CWE: []int{614}, ASVS: []string{"v5.0.0-3.3.1"}, OWASPAPI: []string{"API8:2023"},
	Why: "Whoever is on the network path reads the session id.", Fix: "Set Secure.",
}

var plainHTTP = finding.Rule{
	ID: "session-over-plain-http", Title: "Sessions work over plain http",
	Family: finding.Exposure, Severity: 31, CWE: []int{319}, ASVS: []string{"v5.0.0-12.2.1"}, OWASPAPI: []string{"API8:2023"},
	Why: "Whoever is on the network path reads the session id.", Fix: "Redirect to https and send Strict-Transport-Security.",
}

var deletion = finding.Rule{
	ID: "session-survives-account-deletion", Title: "Sessions of a deleted account still work",
	Family: finding.Termination, Severity: 68, CWE: []int{613}, ASVS: []string{"v5.0.0-7.4.2"}, OWASPAPI: []string{"API2:2023"},
	Why: "Deleting the account does not lock its thief out.", Fix: "End every session of the account that is deleted.",
}

var open = finding.Reason{
	Code: finding.NoEnvironment, Text: "the target is plain http",
	Remedy: "put TLS in front of the API and give its https URL",
}

var missing = finding.Reason{
	Code: finding.NoPrecondition, Text: "the recipe has no delete-account step",
	Remedy: "add steps.delete-account to the recipe",
}

var declared = finding.Reason{Text: "accounts are closed by hand"}

var controls = []trace.Control{
	{Name: "K0", Says: "a browser without a session is nobody", Held: true},
	{Name: "K1", Says: "each user can log in and is recognised", Held: true},
	{Name: "K2", Says: "a wrong password does not log in", Skipped: true, Note: "the users have no passwords"},
	{Name: "K5", Says: "an id the server never issued is nobody", Held: true},
}

var legacy = report.Declared{Rule: prefix.ID, Reason: "legacy domain", Until: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)}

// Vulnerable is an audit with two new findings, a known one and an accepted one.
func Vulnerable() report.Report {
	return report.Report{
		Version: "0.1.0",
		Target:  report.Target{URL: "http://127.0.0.1:8000", Store: "CockroachDB v26.2.5", Name: "uvicorn app:app"},
		Score: score.Of([]score.Item{
			{Rule: notRotated.ID, Family: finding.Fixation, Outcome: finding.Fail, Severity: 81, Lowest: 68},
			{Rule: logout.ID, Family: finding.Termination, Outcome: finding.Fail, Severity: 65, Lowest: 65},
			{Rule: prefix.ID, Family: finding.Cookie, Outcome: finding.Fail, Severity: 31, Lowest: 31},
			{Rule: secure.ID, Family: finding.Cookie, Outcome: finding.NotTested, Lowest: 53},
			{Rule: plainHTTP.ID, Family: finding.Exposure, Outcome: finding.NotTested, Lowest: 31},
		}),
		Gate:     report.Gate{FailUnder: 70, FailOn: "any", Reason: "score 49 is below 70", ExitCode: 1},
		Coverage: report.Coverage{Tested: 4, Applicable: 7},
		Results: []report.Result{
			{Rule: notRotated, Outcome: finding.Fail},
			{Rule: hostPrefix, Outcome: finding.NotTested, Reason: finding.Reason{Code: finding.Decided, Text: "decided by " + notRotated.ID}},
			{Rule: logout, Outcome: finding.Fail},
			{Rule: cleared, Outcome: finding.Pass, Note: "logout deletes the cookie with Max-Age=0"},
			{Rule: deletion, Outcome: finding.NotApplicable, Reason: declared},
			{Rule: prefix, Outcome: finding.Fail},
			{Rule: secure, Outcome: finding.NotTested, Reason: open},
			{Rule: plainHTTP, Outcome: finding.NotTested, Reason: open},
		},
		Findings: []report.Finding{rotation(), afterLogout(), unprefixed()},
		Accepted: []report.Declared{legacy},
		Baseline: report.Baseline{Given: true, Source: ".sessiongate-baseline.json", Gone: []string{cleared.ID}},
		Cookies: []report.Cookie{
			{Name: "session_id", Request: "GET /", Carrier: true, HTTPOnly: true, Path: "/", Times: 31},
			{Name: "csrf", Request: "GET /", Secure: true, SameSite: "Lax", Domain: "localhost", Path: "/", Lifetime: 90 * 24 * time.Hour, Times: 8,
				Rejected: []string{"the domain is a public suffix"}},
		},
		Samples: []report.Sample{{Cookie: "session_id", Count: 26, Capacity: 64, Rising: 13,
			Places: []float64{0, 0, 3.1, 3.3, 3.4, 3.2, 3.3, 3.1, 3.4, 3.3, 0, 3.2, 3.3, 3.1, 3.5, 3.2}}},
		Discovered: []report.Discovered{
			{Step: "login", Request: "POST /login", From: "openapi.json, operationId login_login_post", Note: "the only one that takes a password", Pin: "steps: {login: {request: POST /login}}"},
			{Step: "change-password", Request: "POST /password", From: "openapi.json operationId change", Note: "it changes an account", Pin: "sessiongate init", Unproven: true},
			{Step: "id channel", Request: "query sid", From: "openapi.json operationId login_login_post", Note: "an id is planted there"},
			{Step: "logout", Note: "nothing that is called one answers", Pin: "--logout \"POST /…\""},
		},
		Calibration: report.Calibration{
			Carrier: "cookie session_id", Kind: "server-side session", Controls: controls,
			Victim: "alice", Attackers: "an anonymous visitor and bob",
		},
		Requests: 118, Logins: 14, Duration: 912 * time.Millisecond,
	}
}

func rotation() report.Finding {
	return report.Finding{
		Rule: notRotated, Location: finding.Location{File: "app/auth.py", Line: 42},
		Fingerprint: "39fa2ee980eb94b0:1", Status: report.New,
		Flow: []finding.Step{
			{Location: finding.Location{File: "app/auth.py", Line: 45}, Says: "session_id comes from a cookie"},
			{Location: finding.Location{File: "app/store.py", Line: 12}, Says: "written to the INSERT into sessions"},
			{Location: finding.Location{File: "app/auth.py", Line: 49}, Says: "set as the cookie session_id"},
		},
		Replay: `id=$(curl -si http://127.0.0.1:8000/ | sed -n 's/^set-cookie: session_id=\([^;]*\).*/\1/Ip')
curl -s -b "session_id=$id" --json "{\"username\":\"alice\",\"password\":\"$ALICE_PASSWORD\"}" http://127.0.0.1:8000/login
curl -s -b "session_id=$id" http://127.0.0.1:8000/me`,
		Finding: finding.Finding{
			Rule: notRotated.ID, Subject: "cookie session_id", Step: "login",
			Message: "The id issued before login is kept by the login: the attacker's jar, frozen before alice logged in, reads alice's profile afterwards; an anonymous session made at the same time does not.",
			Evidence: []finding.Evidence{
				{Actor: "attacker", Request: "GET /", Status: 200, Note: "gets session id «3f9a2c»", Exchange: 11},
				{Actor: "victim", Request: "POST /login", Status: 200, Note: "logs in as alice while carrying «3f9a2c» and is given no other id", Exchange: 13},
				{Actor: "attacker", Request: "GET /me", Status: 200, Note: "is taken for alice with «3f9a2c»", Exchange: 15},
				{Actor: "control", Request: "GET /me", Status: 401, Note: "is nobody with «77c0de»", Exchange: 16},
			},
		},
	}
}

func afterLogout() report.Finding {
	return report.Finding{
		Rule: logout, Location: finding.Location{File: ".sessiongate.yml", Line: 17},
		Fingerprint: "b1946ac92492d234:1", Status: report.Known,
		Doubt:  "2 handlers fit: app/auth.py:61, old/auth.py:12",
		Replay: `curl -s -b "session_id=$SESSION_ID" http://127.0.0.1:8000/me`,
		Finding: finding.Finding{
			Rule: logout.ID, Subject: "cookie session_id", Step: "logout",
			Message: "The id that alice had before she logged out still reads her profile.",
			Evidence: []finding.Evidence{
				{Actor: "victim", Request: "POST /logout", Status: 204, Note: "logs out", Exchange: 40},
				{Actor: "victim, kept copy", Request: "GET /me", Note: "no answer within 5 s; asked again", Exchange: 41},
				{Actor: "victim, kept copy", Request: "GET /me", Status: 200, Note: "is still taken for alice", Exchange: 42},
			},
		},
	}
}

func unprefixed() report.Finding {
	return report.Finding{
		Rule: prefix, Location: finding.Location{File: "app/auth.py", Line: 42},
		Fingerprint: "0cc175b9c0f1b6a8:1", Status: report.Accepted, Declared: legacy,
		Finding: finding.Finding{
			Rule: prefix.ID, Subject: "cookie session_id", Step: "login",
			Message: "The cookie session_id carries the session and its name has no __Host- prefix.",
		},
	}
}

// Hardened is an audit of a sound API behind plain http.
func Hardened() report.Report {
	return report.Report{
		Version: "0.1.0",
		Target:  report.Target{URL: "http://127.0.0.1:8000", Store: "PostgreSQL 15.18 stand-in"},
		Score: score.Of([]score.Item{
			{Rule: notRotated.ID, Family: finding.Fixation, Outcome: finding.Pass, Lowest: 68},
			{Rule: plainHTTP.ID, Family: finding.Exposure, Outcome: finding.NotTested, Lowest: 31},
			{Rule: deletion.ID, Family: finding.Termination, Outcome: finding.NotTested, Lowest: 68},
		}),
		Gate:     report.Gate{Passed: true, FailUnder: 70, FailOn: "new", Reason: "score 98 is at least 70"},
		Coverage: report.Coverage{Tested: 5, Applicable: 8, CoreUntested: []string{hostPrefix.ID}},
		Cookies:  []report.Cookie{{Name: "__Host-session_id", Request: "GET /", Carrier: true, Secure: true, HTTPOnly: true, SameSite: "Lax", Path: "/", Times: 40}},
		Results: []report.Result{
			{Rule: notRotated, Outcome: finding.Pass},
			{Rule: hostPrefix, Outcome: finding.NotTested, Reason: finding.Reason{Code: finding.Decided, Text: "the cookie has no __Host- prefix"}},
			{Rule: logout, Outcome: finding.Pass},
			{Rule: cleared, Outcome: finding.Pass},
			{Rule: deletion, Outcome: finding.NotTested, Reason: missing},
			{Rule: prefix, Outcome: finding.Pass},
			{Rule: secure, Outcome: finding.Pass},
			{Rule: plainHTTP, Outcome: finding.NotTested, Reason: open},
		},
		Calibration: report.Calibration{
			Carrier: "cookie __Host-session_id", Kind: "server-side session", Controls: controls,
			Victim: "alice", Attackers: "an anonymous visitor and bob",
		},
		Requests: 131, Logins: 17, Duration: 61*time.Second + 40*time.Millisecond,
	}
}

// Problem is an audit that measured nothing.
func Problem() report.Report {
	calibration := finding.Reason{Code: finding.NoCalibration, Text: "nobody could log in"}
	rules := []finding.Rule{notRotated, hostPrefix, logout, cleared, deletion, prefix, secure, plainHTTP}
	failed := report.Report{
		Version: "0.1.0",
		Target:  report.Target{URL: "http://127.0.0.1:8000"},
		Gate:    report.Gate{FailUnder: 70, FailOn: "any", Reason: "nothing could be measured", ExitCode: 3},
		Coverage: report.Coverage{Applicable: len(rules),
			CoreUntested: []string{notRotated.ID, hostPrefix.ID, logout.ID}},
		Calibration: report.Calibration{Victim: "alice", Controls: []trace.Control{
			controls[0],
			{Name: "K1", Says: "each user can log in and is recognised", Note: "POST /login answered 422"},
		}},
		Requests: 4, Logins: 1, Duration: 80 * time.Millisecond,
		Problem: "step login: POST /login answered 422, expected a status below 400: check the names of the fields in steps.login",
	}
	var items []score.Item
	for _, rule := range rules {
		failed.Results = append(failed.Results, report.Result{Rule: rule, Outcome: finding.NotTested, Reason: calibration})
		items = append(items, score.Item{Rule: rule.ID, Family: rule.Family, Outcome: finding.NotTested, Lowest: rule.Severity})
	}
	failed.Score = score.Of(items)
	return failed
}

// Poison is what nobody should ever be able to have printed as it is.
const Poison = " \n::error file=app.py::owned\r\n\t::set-output name=x::y\u2028::add-mask::a ##[error]b" +
	"\x1b[31m\x1b]8;;http://evil\x07\u009b31m\x00\u202e\u200b \xff <script>alert(1)</script> <!-- " +
	"[click](http://evil) ![x](http://evil) | `code` ``` {0} {{x}} \\ \" ' ]]> &amp; "

// Hostile is the vulnerable audit with poison at the end of every text.
func Hostile() report.Report { return Seasoned(Poison) }

// Seasoned is the same with another text than poison, to compare with.
func Seasoned(with string) report.Report {
	made := Vulnerable()
	made.Problem = "stopped early"
	season(reflect.ValueOf(&made).Elem(), with)
	return made
}

// season leaves typed words alone: they are ours, never a target's.
func season(value reflect.Value, with string) {
	switch value.Kind() {
	case reflect.String:
		if value.Type() == reflect.TypeFor[string]() {
			value.SetString(value.String() + with)
		}
	case reflect.Slice:
		own := reflect.MakeSlice(value.Type(), value.Len(), value.Len()) // the rules' lists are shared
		reflect.Copy(own, value)
		for i := range own.Len() {
			season(own.Index(i), with)
		}
		value.Set(own)
	case reflect.Struct:
		if value.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range value.NumField() {
			season(value.Field(i), with)
		}
	}
}
