package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report/tame"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Answer is one answer of an API as somebody copied it, without a connection.
type Answer struct {
	Lines   []string // header lines, "Name: value"; a status line may be among them
	Cookies []string // values of Set-Cookie header fields, with or without the field's name
	Request string   // what was asked, "GET /me"; "" is unknown
	URL     string   // of the API; "" is one over https
	Session []string // names of the cookies that authenticate; none: each that is set may be one
	// ShowsUser says that the body shows a signed-in user's data.
	ShowsUser bool
	At        time.Time // when it came; decides what an Expires means
}

// Checked is what an Answer shows by itself. Its texts hold no cookie's value.
type Checked struct {
	Session  []string // the cookies that were taken for the session's
	Findings []Shown  // worst first
	Held     []string // rules that this answer does not break; another one may
	Open     []Open
	Ignored  []string // why browsers ignore a Set-Cookie line as a whole
}

// Shown is a weakness that the answer has.
type Shown struct {
	Rule                   finding.Rule
	Subject, Message, Line string // Line is what it rests on, with tags for values
}

// Open is a rule that the answer does not decide.
type Open struct{ Rule, Why string }

// What an answer may be at most. Browsers and servers stop far below.
const (
	mostLines   = 200
	longestLine = 16 << 10
)

// elsewhere stands for an API whose address is not told: a public one over https.
const elsewhere = "https://api.example"

// CheckAnswer lets the catalogue's judges read one answer. Its error is about
// what was given.
func CheckAnswer(given Answer) (Checked, error) {
	exchange, err := given.read()
	if err != nil {
		return Checked{}, err
	}
	made, redactor := Checked{}, &secret.Redactor{}
	lines, ignored := given.parse(exchange)
	for _, set := range lines {
		redactor.Add(set.Value)
		if !slices.Contains(made.Session, set.Name) {
			made.Session = append(made.Session, set.Name)
		}
	}
	exchange.Response.SetCookie = lines
	if len(given.Session) > 0 {
		made.Session = slices.Clone(given.Session)
	}
	shown := func(text string) string { return tame.Line(redactor.Clean(text)) }
	for _, one := range catalog.OneAnswer(made.Session, exchange) {
		rule := one.Probe.Rule
		switch one.Verdict.Outcome {
		case finding.Pass:
			made.Held = append(made.Held, rule.ID)
		case finding.NotTested:
			made.Open = append(made.Open, Open{rule.ID, shown(one.Verdict.Reason.Text)})
		}
		for _, found := range one.Verdict.Findings {
			exact, _ := catalog.Rule(found.Rule)
			message := "The answer" + strings.TrimPrefix(found.Message, exchange.Request.Line())
			if given.Request != "" {
				message = found.Message
			}
			made.Findings = append(made.Findings, Shown{exact, shown(found.Subject), shown(message), shown(found.Evidence[0].Note)})
		}
	}
	slices.SortStableFunc(made.Findings, func(a, b Shown) int { return int(b.Rule.Severity) - int(a.Rule.Severity) })
	for i := range made.Session {
		made.Session[i] = shown(made.Session[i])
	}
	for _, why := range ignored {
		made.Ignored = append(made.Ignored, shown(why))
	}
	return made, nil
}

// read makes the exchange, but for its cookies.
func (a Answer) read() (trace.Exchange, error) {
	if len(a.Lines)+len(a.Cookies) == 0 {
		return trace.Exchange{}, errors.New("there is no line to check: give the Set-Cookie lines or the headers of one answer")
	}
	if len(a.Lines)+len(a.Cookies) > mostLines {
		return trace.Exchange{}, fmt.Errorf("there are more than %d lines: give those of one answer", mostLines)
	}
	for _, line := range slices.Concat(a.Lines, a.Cookies) {
		if len(line) > longestLine {
			return trace.Exchange{}, fmt.Errorf("a line is longer than %d bytes, which no server sends", longestLine)
		}
	}
	base := a.URL
	if base == "" {
		base = elsewhere
	}
	address, err := url.Parse(base)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return trace.Exchange{}, errors.New("the url is not an address such as https://api.example.com")
	}
	made := trace.Exchange{Seq: 1, Actor: "the client", Step: "login", Began: a.At,
		Request: trace.Request{Path: address.EscapedPath(), URL: secret.New(address.Scheme + "://" + address.Host)}}
	if method, path, _ := strings.Cut(strings.TrimSpace(a.Request), " "); method != "" {
		path, _, _ = strings.Cut(strings.TrimSpace(path), "?")
		if !strings.HasPrefix(path, "/") || strings.ToUpper(method) != method {
			return trace.Exchange{}, errors.New(`the request is not a method and a path, such as "GET /me"`)
		}
		made.Request.Method, made.Request.Path = method, path
	}
	if a.ShowsUser {
		made.Who = trace.Who{Kind: trace.SignedIn, User: "the user"}
	}
	made.Response = trace.Response{Status: 200, Header: a.header()}
	return made, nil
}

// header are the fields among the lines, cookies excluded.
func (a Answer) header() []trace.Field {
	var fields []trace.Field
	for _, line := range a.Lines {
		name, value, found := strings.Cut(line, ":")
		if found && !strings.EqualFold(strings.TrimSpace(name), setCookie) {
			fields = append(fields, trace.Field{Name: strings.TrimSpace(name), Value: secret.New(strings.TrimSpace(value))})
		}
	}
	return fields
}

const setCookie = "Set-Cookie"

// parse reads every Set-Cookie line, wherever it was given.
func (a Answer) parse(from trace.Exchange) (lines []trace.SetCookie, ignored []string) {
	address, err := url.Parse(from.Request.URL.Reveal() + from.Request.Path)
	if err != nil {
		return nil, []string{"the request's path cannot be read"}
	}
	origin := cookie.OriginOf(address)
	given := slices.Clone(a.Cookies)
	for _, line := range a.Lines {
		if name, value, found := strings.Cut(line, ":"); found && strings.EqualFold(strings.TrimSpace(name), setCookie) {
			given = append(given, value)
		}
	}
	for i, line := range given {
		if name, value, found := strings.Cut(line, ":"); found && strings.EqualFold(strings.TrimSpace(name), setCookie) {
			line = value
		}
		parsed, err := cookie.Parse(strings.TrimSpace(line))
		if err != nil {
			ignored = append(ignored, fmt.Sprintf("Set-Cookie line %d: %s", i+1, err))
			continue
		}
		from := origin
		if a.URL == "" && parsed.HasDomain { // of a host that is not told, it is taken to be right
			from.Host = "api." + parsed.Domain
		}
		lines = append(lines, trace.SetCookie{Cookie: parsed, Rejections: parsed.Rejections(from)})
	}
	return lines, ignored
}
