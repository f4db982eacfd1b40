package discover

import (
	"slices"
	"strings"
)

// ranking says how well an operation fits a step; 0 and less is not at all.
type ranking func(operation) int

// rank are the operations that fit, best first, at most as many as wanted. It
// reads and never asks.
func rank(operations []operation, fits ranking, most int) []operation {
	type rated struct {
		operation
		points int
	}
	var all []rated
	for _, op := range operations {
		if points := fits(op); points > 0 && usable(op) {
			all = append(all, rated{op, points})
		}
	}
	slices.SortStableFunc(all, func(a, b rated) int { return b.points - a.points })
	var best []operation
	for _, one := range all[:min(len(all), most)] {
		best = append(best, one.operation)
	}
	return best
}

// says reports whether the operation's name holds one of the words, also where
// it is written in two parts: sign-in, log_out.
func (o operation) says(wanted ...string) bool {
	for i, word := range o.words {
		if slices.Contains(wanted, word) {
			return true
		}
		if i > 0 && slices.Contains(wanted, o.words[i-1]+word) {
			return true
		}
	}
	return false
}

// usable reports whether a request can be made without knowing more.
func usable(o operation) bool {
	return strings.HasPrefix(o.path, "/") && !strings.HasPrefix(o.path, "//") && len(o.path) <= 200 &&
		!strings.ContainsAny(o.path, "{}$#<>\\\"")
}

// stems begin the words for what cannot be taken back.
var stems = []string{"delet", "remov", "destr", "eras", "purg", "truncat", "deactivat", "disabl", "terminat", "closur", "closin", "suspen", "cancel", "unregist",
	"unsubscrib", "withdraw", "transact", "purchas", "payment", "payout", "refund", "transfer", "revok", "revoc", "invalidat", "expir", "flush", "clear", "evict",
	"rotat", "regenerat", "anonymi", "migrat", "reindex", "crash", "panic", "shutdown", "restart", "reboot", "seed"}

func stemmed(words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.ContainsFunc(stems, func(stem string) bool { return strings.HasPrefix(word, stem) })
	})
}

// harmful is never tried: what it does cannot be taken back, or concerns others.
// The summary of a login may say when its session expires, and so is read for
// the plainest words only.
func harmful(o operation) bool {
	return o.method == "DELETE" || stemmed(words(o.path+" "+o.id)) || o.says("delete", "deletes", "remove", "removes", "destroy", "erase", "wipe", "purge", "drop", "truncate",
		"pay", "payment", "payments", "transfer", "transfers", "purchase", "buy", "checkout", "order", "orders", "withdraw", "refund", "send",
		"cancel", "close", "deactivate", "disable", "unsubscribe", "shutdown", "restart", "reset", "revoke", "ban", "block", "kill")
}

// role is what a field of a login or a registration is for.
type role int

const (
	other role = iota
	userName
	email
	password
	newPassword
	sessionID
	oneTime // a code that nobody here has
)

func (f field) role() role {
	name := strings.Join(words(f.name), "")
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
	}
	secret := f.secret || has("password", "passwd", "passphrase") || slices.Contains([]string{"pass", "pwd", "pw", "secret", "pin"}, name)
	switch {
	case secret && has("new"):
		return newPassword
	case secret:
		return password
	case namesSession(f.name) && !f.isSwitch():
		return sessionID
	case slices.Contains([]string{"otp", "totp", "code", "mfacode", "captcha", "twofactorcode", "recaptcha"}, name):
		return oneTime
	case f.email || name == "email" || name == "mail" || name == "emailaddress" || strings.HasSuffix(name, "useremail"):
		return email
	case slices.Contains([]string{"username", "user", "login", "userid", "loginid", "identifier", "account", "accountname", "loginname",
		"principal", "handle", "uname", "nickname", "usernameoremail", "emailorusername"}, name), strings.HasSuffix(name, "username"):
		return userName
	}
	return other
}

// isSwitch reports whether a field holds yes or no.
func (f field) isSwitch() bool {
	_, is := f.sample.(bool)
	return is
}

// flat are the fields with those inside of objects.
func flat(fields []field) []field {
	var all []field
	for _, one := range fields {
		all = append(all, one)
		all = append(all, flat(one.fields)...)
	}
	return all
}

func (o operation) has(wanted role) bool {
	return slices.ContainsFunc(flat(o.fields), func(f field) bool { return f.role() == wanted })
}

func points(when bool, worth int) int {
	if when {
		return worth
	}
	return 0
}

var (
	loginWords    = []string{"login", "signin", "logon", "authenticate", "authorize"}
	registerWords = []string{"register", "signup", "registration", "join", "enroll"}
	logoutWords   = []string{"logout", "signout", "logoff", "signoff"}
)

func isLogin(o operation) int {
	named := o.says(loginWords...)
	switch {
	case o.method != "POST", harmful(o), o.has(newPassword), o.says(registerWords...), o.says(logoutWords...),
		o.says("forgot", "verify", "refresh", "change", "otp", "mfa", "totp", "resend", "confirm", "invite"):
		return 0
	case !named && !o.token && !o.has(password) && !o.conventional():
		return 0
	}
	return points(named, 40) + points(o.token, 35) + points(o.has(password), 40) + points(o.has(userName) || o.has(email), 10) +
		points(o.says("session", "sessions", "auth", "token"), 10) + points(o.public, 5) - points(o.has(oneTime), 15) -
		points(o.says("admin"), 20) - points(o.secured, 10) - points(o.says("user", "users") && !named && !o.token, 45) + 1
}

// conventional operations are known by nothing but their place.
func (o operation) conventional() bool { return o.from == convention }

func isRegister(o operation) int {
	switch {
	case o.method != "POST", harmful(o), !o.has(password) && !o.conventional(), o.has(newPassword), o.says(loginWords...), o.says(logoutWords...):
		return 0
	}
	return points(o.says(registerWords...), 50) + points(o.says("users", "user", "account", "accounts") && !o.says("me"), 20) +
		points(o.says("create"), 10) - points(o.secured, 25) - points(o.says("admin", "token"), 30)
}

func isIdentity(o operation) int {
	if o.method != "GET" || harmful(o) || o.says(logoutWords...) || o.public || o.page != "" && !o.conventional() {
		return 0
	}
	names := slices.ContainsFunc(o.answers, func(name string) bool {
		kind := field{name: name}.role()
		return kind == userName || kind == email
	})
	likely := o.says("me", "whoami", "profile", "userinfo", "self", "current", "myself")
	return points(o.secured, 30) + points(likely, 40) + points(o.says("account", "user", "session"), 15) + points(names, 20) +
		points(o.says("dashboard", "home", "settings", "private", "protected", "secret"), 10) - points(o.says("admin", "health", "docs", "login", "register"), 30) -
		5*min(len(o.parameters), 3)
}

func isLogout(o operation) int {
	if o.method == "DELETE" || !o.says(logoutWords...) && !o.says("revoke") || o.says("all", "everywhere", "others") {
		return 0
	}
	return points(o.method == "POST", 20) + points(o.says(logoutWords...), 20) + points(o.method == "GET", 1)
}

// stepUpWords name what asks a signed-in user for the password once more. To
// confirm alone is to confirm anything: a closure, a purchase.
var stepUpWords = []string{"sudo", "elevate", "elevation", "stepup", "reauthenticate", "reauthentication", "reauth",
	"confirmpassword", "passwordconfirm", "passwordconfirmation", "confirmidentity", "confirmaccess", "verifypassword"}

// isElevation leaves out what confirms something else with a password, such as
// another address of the account.
func isElevation(o operation) int {
	if o.method != "POST" || harmful(o) || stemmed(o.words) || !o.has(password) || o.has(newPassword) || o.has(userName) || o.has(email) ||
		o.says("email", "mail", "phone", "invite", "change", "forgot") || o.says(registerWords...) || o.says(logoutWords...) {
		return 0
	}
	return points(o.says(stepUpWords...), 30)
}

// isPrivileged rates pages that a step up may open; below 0 is what is none.
func isPrivileged(o operation) int {
	if o.method != "GET" || harmful(o) || stemmed(o.words) || o.public || o.page != "" || o.conventional() || o.says(logoutWords...) || o.says(loginWords...) {
		return -100
	}
	return points(o.says(stepUpWords...), 30) + points(o.says("admin", "administration", "privileged"), 30) +
		points(o.says("settings", "security", "billing", "account", "secrets", "sensitive", "keys"), 20) + points(o.secured, 5) - points(o.says("health", "docs"), 30) -
		5*min(len(o.parameters), 3)
}

func isPasswordChange(o operation) int {
	if o.method == "GET" || harmful(o) || !o.has(newPassword) && !o.has(password) || o.says("forgot", "reset", "recover", "admin") {
		return 0
	}
	return points(o.has(newPassword), 30) + points(o.says("changepassword", "passwordchange", "updatepassword"), 20) -
		points(!o.says("password"), 25)
}
