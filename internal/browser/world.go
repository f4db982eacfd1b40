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
	Base     *url.URL // of the target; http or https
	Steps    recipe.Steps
	Users    []recipe.User
	Session  recipe.Session
	Timeout  time.Duration // of one request; zero is ten seconds
	Version  string        // of the tool, for the User-Agent
	Redactor *secret.Redactor
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
}

// World opens the stages of one run against one target.
type World struct {
	options Options
	session carrierSource
	seq     atomic.Int64
	limited atomic.Bool
	logins  atomic.Int64

	mu    sync.Mutex
	paths map[string]string // cookie name -> the Path that the target last gave it
}

// New returns a world. Nothing is sent yet.
func New(options Options) *World {
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	return &World{options: options, session: sourceOf(options.Session), paths: map[string]string{}}
}

// Requests is the number of requests sent so far.
func (w *World) Requests() int { return int(w.seq.Load()) }

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
	for _, user := range w.options.Users {
		if user.Name == name {
			return user, true
		}
	}
	return recipe.User{}, false
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
	open      []*http.Transport
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

// watch makes ids known to the redactor and, before they are sent, to the tap.
func (w *World) watch(ids ...secret.Text) {
	w.options.Redactor.Add(ids...)
	if w.options.Witness != nil {
		w.options.Witness.Watch(ids...)
	}
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

// identify writes down who an answer was for, once it is known to be the last
// of an identity step.
func (s *Stage) identify(seq int, moment string, who trace.Who) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	for i := range s.record.exchanges {
		if s.record.exchanges[i].Seq == seq {
			s.record.exchanges[i].Moment, s.record.exchanges[i].Who = moment, who
		}
	}
}
