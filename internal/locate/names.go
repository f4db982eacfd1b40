package locate

import (
	"slices"
	"strings"
	"unicode"
)

// wordsOf parts a name: "userSession_id" is user, session, id.
func wordsOf(name string) []string {
	var made strings.Builder
	small := false
	for _, char := range name {
		switch {
		case !unicode.IsLetter(char) && !unicode.IsDigit(char):
			made.WriteByte(' ')
		case unicode.IsUpper(char) && small:
			made.WriteByte(' ')
			made.WriteRune(unicode.ToLower(char))
		default:
			made.WriteRune(unicode.ToLower(char))
		}
		small = unicode.IsLower(char)
	}
	return strings.Fields(made.String())
}

var (
	sessionWords = []string{"session", "sessions", "sess", "sid", "sessid", "sessionid", "jsessionid", "phpsessid", "usersession", "usersessions", "sessionkey"}
	tokenWords   = []string{"token", "tokens", "ticket"}
	// otherTokens are none of a session.
	otherTokens     = []string{"csrf", "xsrf", "device", "push", "fcm", "apns", "reset", "verify", "verification", "invite", "invitation", "captcha", "recaptcha", "totp", "mfa"}
	credentialWords = []string{"username", "user", "login", "email", "mail", "password", "passwd", "pass", "pwd", "phone", "otp", "code", "pin",
		"name", "remember", "grant", "scope", "redirect", "next", "csrf", "xsrf", "captcha", "tenant", "agent", "ip", "forwarded", "locale", "lang", "language"}
	userWords = []string{"user", "users", "account", "owner", "uid", "userid", "username", "member", "customer", "subject", "principal", "login", "email"}
	idColumns = []string{"id", "key", "uuid", "hash", "digest", "ref", "value", "identifier"}
)

func hasWord(name string, words []string) bool {
	return slices.ContainsFunc(wordsOf(name), func(word string) bool { return slices.Contains(words, word) })
}

// isSession reports whether a name is one of a session's id.
func isSession(name string) bool {
	return hasWord(name, sessionWords) || hasWord(name, tokenWords) && !hasWord(name, otherTokens)
}

// isUser reports whether a column says whose a session is.
func isUser(column string) bool { return hasWord(column, userWords) && !isSession(column) }

// isCredential reports whether a value of that name is nothing that a session
// could be taken over with.
func isCredential(name string) bool {
	return hasWord(name, credentialWords) && !hasWord(name, sessionWords)
}
