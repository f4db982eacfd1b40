// Package browser is the HTTP side of a stage: actors with a jar each, which
// record everything and sanitise nothing. It follows a redirect only where the
// recipe says so, and decides nothing about what it sees.
package browser

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The bounds on what a target may cost us.
const (
	defaultTimeout = 10 * time.Second
	maxBody        = 1 << 20   // read of an answer, for captures
	keptBody       = 64 << 10  // of it kept in the trace
	maxHeader      = 256 << 10 // of an answer
	maxHops        = 10
	maxSetCookies  = 100
	maxIdle        = time.Minute // of a connection that a late dial left behind
)

// Options describe the target to its browsers.
type Options struct {
	Base *url.URL // of the target; http or https
	// Cleartext is the same API over plain http; nil is port 80 of an https
	// target on port 443, and nothing beside any other.
	Cleartext *url.URL
	Steps     recipe.Steps
	Users     []recipe.User
	Session   recipe.Session
	Timeout   time.Duration // of one request; zero is ten seconds
	Version   string        // of the tool, for the User-Agent
	Redactor  *secret.Redactor
	Most      int // requests that may be sent; 0: any number
	// Witness sees the session store; nil where there is none to see.
	Witness Witness
	// Recognise tells who an answer of the identity step is for. It may be
	// taught while browsers are open.
	Recognise func(trace.Response) trace.Who
}

// Witness sees what the API does with its session store.
type Witness interface {
	// Watch names ids whose statements are to be kept.
	Watch(ids ...secret.Text)
	// Look finds the places where the store holds an id, in any form.
	Look(ctx context.Context, id secret.Text) ([]trace.Cell, error)
	// Alter changes the rows of an id and names the columns it changed.
	Alter(ctx context.Context, id secret.Text, change probe.Alteration) (columns []string, err error)
}

// World opens the stages of one run against one target.
type World struct {
	options Options
	session carrierSource
	seq     atomic.Int64
	limited atomic.Bool
	logins  atomic.Int64

	mu     sync.Mutex
	madeUp []recipe.User     // by NewUser
	paths  map[string]string // cookie name -> the Path that the target last gave it
}

// New returns a world. Nothing is sent yet.
func New(options Options) *World {
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	if options.Cleartext == nil && options.Base.Scheme == "https" && (options.Base.Port() == "" || options.Base.Port() == "443") {
		plain := *options.Base
		plain.Scheme, plain.Host = "http", strings.TrimSuffix(options.Base.Host, ":443")
		options.Cleartext = &plain
	}
	return &World{options: options, session: sourceOf(options.Session), paths: map[string]string{}}
}

// Requests is the number of requests sent so far.
func (w *World) Requests() int { return int(w.seq.Load()) }

// spent reports whether no request may be sent any more.
func (w *World) spent() bool { return w.options.Most > 0 && w.Requests() >= w.options.Most }

// Logins is the number of times the login step was begun.
func (w *World) Logins() int { return int(w.logins.Load()) }

// Open returns a stage whose exchanges carry the flow's name.
func (w *World) Open(flow string, facts trace.Facts) *Stage {
	return &Stage{world: w, flow: flow, facts: facts, record: &record{}}
}

// root is the path of the base URL, which stands before every path of the recipe.
func (w *World) root() string { return strings.TrimSuffix(w.options.Base.EscapedPath(), "/") }

// origin is what the browsers take the target for. It is always a secure one:
// X-Forwarded-Proto says that a proxy ends TLS in front of a plain-http target,
// so the jar behaves as behind that proxy.
func (w *World) origin(path string) cookie.Origin {
	at := *w.options.Base
	at.Path = path
	origin := cookie.OriginOf(&at)
	origin.Secure = true
	return origin
}

// path is where a cookie of that name is planted: where the target itself puts
// it, so that its own takes the place of the planted one as it would in a browser
// whose attacker chose well. A second one beside it only locks the victim out.
func (w *World) path(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cmp.Or(w.paths[name], "/")
}

// placed remembers where the target put a cookie.
func (w *World) placed(name, path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.paths[name]; path != "" && (known || len(w.paths) < maxSetCookies) {
		w.paths[name] = path
	}
}

// protected is where the identity step goes: what is carried there is what
// authenticates, whatever Path a cookie has.
func (w *World) protected() cookie.Origin {
	requests := w.options.Steps["identity"].Requests
	if len(requests) == 0 {
		return w.origin(w.root() + "/")
	}
	return w.origin(w.root() + shownPath(requests[len(requests)-1].Path))
}

// shown is how messages call a path that a redirect gave: by itself where it
// stands in the recipe, else by where it came from. A server may write session
// ids into its paths.
func (w *World) shown(path, from string) string {
	for _, step := range w.options.Steps {
		if slices.ContainsFunc(step.Requests, func(r recipe.Request) bool { return shownPath(r.Path) == path }) {
			return path
		}
	}
	return strings.TrimSuffix(from, redirected) + redirected
}

const redirected = " (redirected)"

func (w *World) user(name string) (recipe.User, bool) {
	for _, user := range slices.Concat(w.options.Users, w.strangers()) {
		if user.Name == name {
			return user, true
		}
	}
	return recipe.User{}, false
}

func (w *World) strangers() []recipe.User {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.madeUp)
}

// recognise tells who an answer is for. A made-up user, whom nobody could teach
// beforehand, is known by her name: nothing else holds it.
func (w *World) recognise(response trace.Response) trace.Who {
	who := w.options.Recognise(response)
	if who.Kind == trace.SignedIn || response.Status >= 300 {
		return who
	}
	for _, user := range w.strangers() {
		if response.Body.Contains(secret.New(user.Username)) {
			return trace.Who{Kind: trace.SignedIn, User: user.Name}
		}
	}
	return who
}

// Stage is what a flow acts on.
type Stage struct {
	world  *World
	flow   string
	round  string
	facts  trace.Facts
	record *record
}

type record struct {
	mu        sync.Mutex
	exchanges []trace.Exchange
	looks     []trace.Look
	altered   []trace.Alteration
	open      []*http.Transport
	limited   atomic.Bool
}

var _ probe.Stage = (*Stage)(nil)

// Facts are what calibration established.
func (s *Stage) Facts() trace.Facts { return s.facts }

// Know replaces the facts, for calibration, which establishes them as it goes.
func (s *Stage) Know(facts trace.Facts) { s.facts = facts }

// Round is the same stage under a name of its own.
func (s *Stage) Round(name string) probe.Stage {
	part := *s
	part.round = name
	return &part
}

// Actor opens a browser with an empty jar and connections of its own.
func (s *Stage) Actor(name string) probe.Actor { return s.open(name, s.connections()) }

func (s *Stage) open(name string, connections *http.Transport) *actor {
	return &actor{stage: s, name: name, agent: "sessiongate/" + s.world.options.Version + " (" + name + ")",
		connections: connections, jar: &cookie.Jar{}, worn: map[trace.Slot]secret.Text{}, captured: map[string]secret.Text{}}
}

// connections are those of one browser. HTTP/1.1 only: HTTP/2 splits Cookie
// headers, and a shared connection would mix the actors. No proxy: what the
// environment names is not part of the experiment.
func (s *Stage) connections() *http.Transport {
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: s.world.options.Timeout}).DialContext,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: maxHeader,
		ResponseHeaderTimeout:  s.world.options.Timeout,
		IdleConnTimeout:        maxIdle,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	s.record.mu.Lock()
	s.record.open = append(s.record.open, transport)
	s.record.mu.Unlock()
	return transport
}

// Exchanges is what was recorded so far, in the order it was sent.
func (s *Stage) Exchanges() []trace.Exchange {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	seen := slices.Clone(s.record.exchanges)
	slices.SortFunc(seen, func(x, y trace.Exchange) int { return x.Seq - y.Seq })
	return seen
}

// Look records what the store holds for each id of the credential.
func (s *Stage) Look(ctx context.Context, moment string, credential trace.Credential) {
	witness := s.world.options.Witness
	if witness == nil {
		return
	}
	for _, held := range credential {
		seen := trace.Look{Flow: s.flow, Round: s.round, Moment: moment, At: time.Now(), ID: held.ID}
		places, err := witness.Look(ctx, held.ID)
		if err != nil {
			seen.Problem = s.world.options.Redactor.Clean(err.Error())
		}
		seen.Places = places
		s.record.mu.Lock()
		s.record.looks = append(s.record.looks, seen)
		s.record.mu.Unlock()
	}
}

// Looks are those recorded so far.
func (s *Stage) Looks() []trace.Look {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return append([]trace.Look(nil), s.record.looks...)
}

// Alter changes the rows of each id of the credential.
func (s *Stage) Alter(ctx context.Context, moment string, credential trace.Credential, change probe.Alteration) bool {
	witness := s.world.options.Witness
	if witness == nil {
		return false
	}
	changed := false
	for _, held := range credential {
		done := trace.Alteration{Flow: s.flow, Round: s.round, Moment: moment, At: time.Now(), ID: held.ID,
			Kind: change.Kind, By: change.By, To: change.To}
		columns, err := witness.Alter(ctx, held.ID, change)
		if err != nil {
			done.Problem = s.world.options.Redactor.Clean(err.Error())
		}
		done.Columns = columns
		changed = changed || err == nil
		s.record.mu.Lock()
		s.record.altered = append(s.record.altered, done)
		s.record.mu.Unlock()
	}
	return changed
}

// Altered are the alterations so far.
func (s *Stage) Altered() []trace.Alteration {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return append([]trace.Alteration(nil), s.record.altered...)
}

// watch makes ids known to the redactor and, before they are sent, to the tap.
func (w *World) watch(ids ...secret.Text) {
	w.options.Redactor.Add(ids...)
	if w.options.Witness != nil {
		w.options.Witness.Watch(ids...)
	}
}

// Limited reports whether a 429, of this stage or of another, kept it from
// sending anything.
func (s *Stage) Limited() bool { return s.record.limited.Load() }

// NewUser makes up an account. It has the form of the recipe's first user name,
// which may have to be an address.
func (s *Stage) NewUser() string {
	name := "sg" + pick(lower+digits, 14)
	made := recipe.User{Name: name, Username: name, Password: s.NewPassword()}
	if len(s.world.options.Users) > 0 {
		if _, domain, is := strings.Cut(s.world.options.Users[0].Username, "@"); is {
			made.Username += "@" + domain
		}
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.madeUp = append(s.world.madeUp, made)
	return name
}

// NewPassword draws a password that usual policies take.
func (s *Stage) NewPassword() secret.Text {
	drawn := secret.New("Sg1!" + pick(lower+upper+digits, 20))
	s.world.options.Redactor.Add(drawn)
	return drawn
}

// Close ends the connections of all browsers of the stage.
func (s *Stage) Close() {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	for _, transport := range s.record.open {
		transport.CloseIdleConnections()
	}
	s.record.open = nil
}

func (s *Stage) add(exchange trace.Exchange) *trace.Exchange {
	exchange.Flow, exchange.Round = s.flow, s.round
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.record.exchanges = append(s.record.exchanges, exchange)
	return &exchange
}

// amend completes what was recorded of an exchange, once it is known.
func (s *Stage) amend(seq int, change func(*trace.Exchange)) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	for i := range s.record.exchanges {
		if s.record.exchanges[i].Seq == seq {
			change(&s.record.exchanges[i])
		}
	}
}
