package catalog_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestIDSample(t *testing.T) {
	t.Parallel()
	check(t, idSampleExamples())
}

// drawnIn tells a sample: visits, then logins of jars that hold the id of a
// visit each, users in pairs. The ids are asked for with the number of their
// exchange, which is issued that many seconds after the trace began.
type drawnIn struct {
	visits, logins int
	visitID        func(seq int) string
	loginID        func(seq int, old, user string) string
	reads          bool // copies of the victim's ids are read
	crowd          int
}

func (d drawnIn) lines() string {
	var told strings.Builder
	seq := 0
	next := func(format string, args ...any) {
		seq++
		fmt.Fprintf(&told, format+"\n", args...)
	}
	told.WriteString("round one after the other\n")
	var held []string
	for i := range d.visits {
		id := d.visitID(seq + 1)
		held = append(held, id)
		next("visitor %d | visit | sets %s", i/4+1, id)
	}
	for i := range d.logins {
		user, carries, old := "alice", "", ""
		if i/2%2 == 1 {
			user = "bob"
		}
		if i < len(held) {
			old = held[len(held)-1-i]
			carries = " | carries " + old
		}
		id := d.loginID(seq+1, old, user)
		next("visitor 1 | login | as %s%s | sets %s", user, carries, id)
		if d.reads && i < 2 {
			next("victim | identity after the login | carries %s | alice", id)
		}
	}
	told.WriteString("round side by side\n")
	for range d.crowd {
		next("visitor in a crowd, 1 | visit | sets %s", d.visitID(seq+1))
	}
	return told.String()
}

func randomVisit(seq int) string { return hexID(seq, 40) }

func randomLogin(seq int, _, _ string) string { return hexID(seq+100, 40) }

// ordinary is the sample of a good generator.
func ordinary() drawnIn {
	return drawnIn{visits: 16, logins: 5, visitID: randomVisit, loginID: randomLogin, crowd: 6}
}

func (d drawnIn) by(visits, logins int) drawnIn {
	d.visits, d.logins = visits, logins
	return d
}

func (d drawnIn) read() drawnIn {
	d.reads = true
	return d
}

func (d drawnIn) visiting(id func(seq int) string) drawnIn {
	d.visitID = id
	return d
}

func (d drawnIn) signingIn(id func(seq int, old, user string) string) drawnIn {
	d.loginID = id
	return d
}

// logins tells logins only, of alice, with what an id is made of its number.
func logins(n int, id func(seq int) string) string {
	return drawnIn{logins: n, loginID: func(seq int, _, _ string) string { return id(seq) }}.lines()
}

// seconds is the time of an exchange in seconds since 1970.
func seconds(seq int) int64 { return began.Unix() + int64(seq) }

// seeded are '%032x' % random.getrandbits(128) of CPython after
// random.seed(int(time.time())) at the first seconds of a trace.
var seeded = []string{"13cd38d0a7de98e82926c6150e40109e", "49f060bb4bb4e17d7122777362b9b597", "4f37891f8a24bc0db136bbb5383e1b5c", "efd31481c3599850200d21886af5bb25", "7f5b641575de00854c511114e7e6bcad"}

func idSampleExamples() []example {
	stateless := func(facts *trace.Facts) { facts.Stateless = true }
	limited := "visitor 1 | visit | 429"
	var all []example
	// known gives the examples of a rule that only differ in what is told.
	known := func(rule string, outcome finding.Outcome, code finding.Code, subject, step string, stories map[string]string) {
		for name, lines := range stories {
			e := example{rule: rule, outcome: outcome, name: name, lines: lines, code: code}
			if outcome == finding.Fail {
				e.subject, e.step, e.reproduced = subject, step, true
			}
			all = append(all, e)
		}
	}
	fail := func(rule, step string, stories map[string]string) {
		known(rule, finding.Fail, "", "cookie session", step, stories)
	}
	pass := func(rule string, stories map[string]string) { known(rule, finding.Pass, "", "", "", stories) }
	open := func(rule string, code finding.Code, stories map[string]string) {
		known(rule, finding.NotTested, code, "", "", stories)
	}

	const sequential = "session-id-sequential"
	counter := func(seq int) string { return fmt.Sprintf("%032x", 1000+seq) }
	fail(sequential, "visit", map[string]string{
		"visits count":                ordinary().visiting(counter).lines(),
		"visits count down by sevens": ordinary().visiting(func(seq int) string { return fmt.Sprintf("u-%06d", 999_000-7*seq) }).lines(),
		"and then a rate limit":       ordinary().visiting(counter).lines() + limited,
	})
	fail(sequential, "login", map[string]string{
		"logins count":          ordinary().signingIn(func(seq int, _, _ string) string { return fmt.Sprint(70_000 + seq) }).lines(),
		"there are only logins": logins(6, counter),
	})
	pass(sequential, map[string]string{
		"":                  ordinary().lines(),
		"logins only":       logins(6, randomVisit),
		"ids that ascend":   ordinary().by(40, 5).visiting(func(seq int) string { return fmt.Sprintf("%08x%s", 70_000+seq, hexID(seq, 24)) }).lines(),
		"one step that fit": ordinary().visiting(func(seq int) string { return fmt.Sprintf("%032x", min(seq, 4)+max(0, seq-4)*seq*7919) }).lines(),
	})
	open(sequential, finding.TooFew, map[string]string{
		"four logins":                     logins(4, counter),
		"visits alone":                    ordinary().by(16, 0).lines(),
		"ids that were not drawn in turn": strings.ReplaceAll(ordinary().visiting(counter).lines(), "one after the other", "side by side"),
	})
	open(sequential, finding.RateLimited, map[string]string{"a rate limit": ordinary().lines() + limited})

	const collision, sameUser = "session-id-collision", "session-id-collision/same-user"
	inFours := func(seq int) string { return hexID(seq/4, 40) }
	perUser := func(_ int, _, user string) string { return hex.EncodeToString([]byte("the-one-of-" + user)) }
	fail(collision, "visit", map[string]string{"visitors share": ordinary().visiting(inFours).lines()})
	fail(collision, "login", map[string]string{
		"users share":           ordinary().signingIn(func(int, string, string) string { return hexID(7, 40) }).lines(),
		"and then a rate limit": ordinary().signingIn(func(int, string, string) string { return hexID(7, 40) }).lines() + limited,
	})
	all = append(all, example{rule: collision, outcome: finding.Fail, name: "once", subject: "cookie session", step: "visit",
		lines: ordinary().lines() + "visitor in a crowd, 2 | visit | sets " + hexID(1, 40)})
	fail(sameUser, "login", map[string]string{"a user keeps hers": ordinary().signingIn(perUser).lines()})
	pass(collision, map[string]string{
		"":                              ordinary().read().lines(),
		"one value for all visitors":    ordinary().read().visiting(func(int) string { return "nobody-yet" }).lines(),
		"logins go on with the old ids": ordinary().by(16, 2).read().lines() + "visitor 9 | login | carries " + hexID(300, 40) + " | sets " + hexID(300, 40),
	})
	pass(sameUser, map[string]string{"": ordinary().read().lines()})
	all = append(all, example{rule: sameUser, outcome: finding.Pass, name: "tokens that say the same", facts: stateless,
		lines: ordinary().read().signingIn(perUser).lines()})
	open(collision, finding.TooFew, map[string]string{"one login": ordinary().by(16, 1).lines(), "nobody looked": ordinary().lines()})
	open(collision, finding.RateLimited, map[string]string{"a rate limit": ordinary().read().lines() + limited})
	open(collision, finding.NoEnvironment, map[string]string{"from a cache": strings.ReplaceAll(ordinary().visiting(inFours).lines(), "| visit |", "| visit | Age: 12 |")})
	open(sameUser, finding.TooFew, map[string]string{"one login": ordinary().by(16, 1).lines()})

	pair := carriedBy(cookieSlot("session"), cookieSlot("proof"))
	proved := func(lines string) string {
		n := 0
		var told strings.Builder
		for line := range strings.Lines(lines) {
			if line = strings.TrimSuffix(line, "\n"); strings.Contains(line, "| sets") {
				n++
				line += " | Set-Cookie: proof=" + hexID(n+500, 32)
			}
			told.WriteString(line + "\n")
		}
		return told.String()
	}
	all = append(all,
		example{rule: sequential, outcome: finding.Pass, name: "a counter beside a secret", facts: pair, lines: proved(ordinary().signingIn(func(seq int, _, _ string) string { return counter(seq) }).visiting(counter).lines())},
		example{rule: collision, outcome: finding.Pass, name: "a pointer beside a secret", facts: pair, lines: proved(ordinary().read().visiting(inFours).lines())},
		example{rule: collision, outcome: finding.Pass, name: "visitors of one second with one empty token", facts: stateless, lines: ordinary().read().visiting(inFours).lines()},
		example{rule: "session-id-insufficient-length", outcome: finding.Pass, name: "signed content", facts: stateless,
			lines: logins(12, func(seq int) string { return fmt.Sprintf("eyJ1IjoxfQ.%s.%s", hexID(seq, 6), hexID(seq+50, 27)) })},
		example{rule: "session-id-insufficient-length/below-64-bits", outcome: finding.Fail, name: "a short id in a signed envelope",
			subject: "cookie session", step: "login", reproduced: true,
			lines: logins(12, func(seq int) string { return "s:" + hexID(seq, 12) + "." + hexID(seq+50, 43) })})

	const derived = "session-id-derived-from-previous"
	digestOf := func(_ int, old, _ string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(old))) }
	fail(derived, "login", map[string]string{
		"a digest":       ordinary().read().signingIn(digestOf).lines(),
		"with a name":    ordinary().read().signingIn(func(_ int, old, user string) string { return fmt.Sprintf("%x", md5.Sum([]byte(user+":"+old))) }).lines(),
		"with an ending": ordinary().read().signingIn(func(_ int, old, _ string) string { return old + ".1" }).lines(),
	})
	pass(derived, map[string]string{
		"": ordinary().read().lines(),
		"one of them was a digest": ordinary().read().signingIn(func(seq int, old, user string) string {
			if seq < 20 {
				return digestOf(seq, old, user)
			}
			return randomLogin(seq, old, user)
		}).lines(),
	})
	open(derived, finding.TooFew, map[string]string{
		"two logins":    ordinary().by(16, 2).read().lines(),
		"nobody looked": ordinary().signingIn(digestOf).lines(),
		"no id before":  drawnIn{logins: 5, loginID: randomLogin, reads: true}.lines(),
	})
	open(derived, finding.RateLimited, map[string]string{"a rate limit": ordinary().read().lines() + limited})
	open(derived, finding.NoCalibration, map[string]string{
		"the victim is nobody": strings.ReplaceAll(ordinary().read().signingIn(digestOf).lines(), "| alice", "| anonymous")})
	open(derived, finding.Decided, map[string]string{"login keeps the id": ordinary().read().signingIn(func(_ int, old, _ string) string { return old }).lines()})

	const lowEntropy = "session-id-low-entropy"
	aOrB := func(seq int) string {
		return strings.Map(func(digit rune) rune { return 'a' + digit%2 }, hexID(seq, 34))
	}
	fail(lowEntropy, "login", map[string]string{
		"two letters":           logins(40, aOrB),
		"behind a prefix":       logins(24, func(seq int) string { return "session-of-the-shop-" + aOrB(seq) }),
		"and then a rate limit": logins(40, aOrB) + limited,
	})
	fail(lowEntropy, "visit", map[string]string{"visits alone": ordinary().by(40, 5).visiting(aOrB).lines()})
	pass(lowEntropy, map[string]string{"": logins(40, randomVisit), "64 bits": logins(20, func(seq int) string { return hexID(seq, 32) })})
	open(lowEntropy, finding.TooFew, map[string]string{"19 logins": logins(19, aOrB), "visits": ordinary().by(40, 5).lines()})
	open(lowEntropy, finding.TooFew, map[string]string{"the figure is between": logins(40, func(seq int) string { return aOrB(seq) + aOrB(seq + 99)[:14] })})
	open(lowEntropy, finding.Decided, map[string]string{"short ids": logins(40, func(seq int) string { return hexID(seq, 12) })})
	open(lowEntropy, finding.RateLimited, map[string]string{"a rate limit": logins(40, randomVisit) + limited})

	const timestamped, timeOrdered = "session-id-timestamp-based", "session-id-timestamp-based/time-ordered"
	objectID := func(seq int) string { return fmt.Sprintf("%08x7c3e5a9d10%06x", seconds(seq), 0xa0b0c0+seq) }
	version7 := func(seq int) string {
		digits := fmt.Sprintf("%012x7%s", 1000*seconds(seq), hexID(seq, 19))
		return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-9" + digits[17:20] + "-" + digits[20:32]
	}
	fail(timestamped, "login", map[string]string{
		"ObjectIds":             logins(12, objectID),
		"seconds and 40 bits":   logins(8, func(seq int) string { return fmt.Sprintf("%d-%s", seconds(seq), hexID(seq, 10)) }),
		"and then a rate limit": logins(12, objectID) + limited,
	})
	fail(timestamped, "visit", map[string]string{"visits alone": ordinary().by(12, 12).visiting(objectID).lines()})
	fail(timeOrdered, "login", map[string]string{"UUIDv7": logins(12, version7)})
	pass(timestamped, map[string]string{
		"":                      logins(12, randomVisit),
		"beside 64 bits":        logins(8, func(seq int) string { return fmt.Sprintf("%d.%s", seconds(seq), hexID(seq, 16)) }),
		"beside 128 bits":       logins(12, func(seq int) string { return fmt.Sprintf("%d.%s", seconds(seq), hexID(seq, 32)) }),
		"a clock an hour ahead": logins(12, func(seq int) string { return objectID(seq + 3600) }),
	})
	pass(timeOrdered, map[string]string{"": logins(12, randomVisit)})
	open(timestamped, finding.TooFew, map[string]string{"seven logins": logins(7, objectID)})
	open(timeOrdered, finding.TooFew, map[string]string{"seven logins": logins(7, version7)})
	open(timestamped, finding.RateLimited, map[string]string{"a rate limit": logins(12, randomVisit) + limited})

	const hashed = "session-id-hash-of-guessable"
	fail(hashed, "login", map[string]string{
		"name and time": drawnIn{logins: 6, loginID: func(seq int, _, user string) string {
			return fmt.Sprintf("%x", md5.Sum(fmt.Append(nil, user, "-", seconds(seq))))
		}}.lines(),
		"a counter, in base64": logins(6, func(seq int) string {
			sum := sha256.Sum256(fmt.Append(nil, 500+seq))
			return base64.RawURLEncoding.EncodeToString(sum[:])
		}),
	})
	fail(hashed, "visit", map[string]string{"visits alone": ordinary().visiting(func(seq int) string { return fmt.Sprintf("%x", md5.Sum(fmt.Append(nil, seq))) }).lines()})
	pass(hashed, map[string]string{
		"": logins(6, func(seq int) string { return hexID(seq, 32) }),
		"two that are known": logins(6, func(seq int) string {
			if seq < 3 {
				return fmt.Sprintf("%x", md5.Sum(fmt.Append(nil, seq)))
			}
			return hexID(seq, 32)
		})})
	open(hashed, finding.TooFew, map[string]string{"two logins": logins(2, randomVisit), "no login": "victim | visit | sets anon#1"})
	open(hashed, finding.Decided, map[string]string{"short ids": logins(6, func(seq int) string { return hexID(seq, 12) })})
	open(hashed, finding.RateLimited, map[string]string{"a rate limit": logins(6, randomVisit) + limited})

	const prng = "session-id-predictable-prng"
	fail(prng, "visit", map[string]string{"seeded with the time": ordinary().by(len(seeded), 5).visiting(func(seq int) string { return seeded[(seq-1)%len(seeded)] }).lines()})
	pass(prng, map[string]string{"": ordinary().by(200, 5).visiting(func(seq int) string { return hexID(seq, 31) + "7" }).lines()})
	open(prng, finding.TooFew, map[string]string{"few ids": ordinary().lines()})
	open(prng, finding.RateLimited, map[string]string{"a rate limit": ordinary().by(200, 5).lines() + limited})

	const userData, subject = "session-id-contains-user-data", "session-id-contains-user-data/subject"
	token := func(claims string) func(int, string, string) string {
		return func(seq int, _, user string) string {
			body := strings.ReplaceAll(strings.ReplaceAll(claims, "USER", user), "SEQ", fmt.Sprint(seq))
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(body)) + "." + hexID(seq, 43)
		}
	}
	naming := drawnIn{logins: 8, loginID: func(seq int, _, user string) string { return user + "-" + hexID(seq, 32) }}
	fail(userData, "login", map[string]string{
		"the name":              naming.lines(),
		"the name, encoded":     naming.signingIn(func(seq int, _, user string) string { return hex.EncodeToString([]byte(user+":")) + hexID(seq, 32) }).lines(),
		"a claim beside sub":    naming.signingIn(token(`{"sub":"7","name":"USER","iat":SEQ}`)).lines(),
		"and then a rate limit": naming.lines() + limited,
		"the address of the profile": "victim | identity | alice | says {\"mail\":\"al@shop.test\"}\n" +
			naming.signingIn(func(seq int, _, user string) string { return user[:2] + "@shop.test:" + hexID(seq, 32) }).lines(),
	})
	fail(subject, "login", map[string]string{"the name in sub": naming.signingIn(token(`{"sub":"USER","iat":SEQ}`)).lines()})
	pass(userData, map[string]string{
		"":                      naming.signingIn(randomLogin).lines(),
		"a number in sub":       naming.signingIn(token(`{"sub":"7","iat":SEQ}`)).lines(),
		"a word in everybody's": naming.signingIn(func(seq int, _, _ string) string { return "alice-shop-" + hexID(seq, 32) }).lines(),
		"some ids that happen to": naming.signingIn(func(seq int, _, user string) string {
			return map[bool]string{true: user, false: "x"}[seq%3 == 0] + hexID(seq, 32)
		}).lines(),
	})
	pass(subject, map[string]string{"": naming.signingIn(randomLogin).lines()})
	open(userData, finding.TooFew, map[string]string{"two logins": naming.by(0, 2).lines()})
	open(subject, finding.TooFew, map[string]string{"two logins": naming.by(0, 2).signingIn(token(`{"sub":"USER","iat":SEQ}`)).lines()})
	open(userData, finding.RateLimited, map[string]string{"a rate limit": naming.signingIn(randomLogin).lines() + limited})
	return all
}
