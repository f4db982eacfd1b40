package demoapi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
)

// maxSessions bounds the store: whoever can reach the API can start sessions.
const maxSessions = 100_000

var errFull = errors.New("the session store is full, try again later")

// digest is the form in which an id is stored: who reads the store cannot use
// what is found there.
type digest [sha256.Size]byte

func digestOf(id string) digest { return sha256.Sum256([]byte(id)) }

type session struct {
	user    string   // "" while anonymous
	visits  *int     // a pointer, because a flaw lets two sessions share it
	adopted bool     // began under an id that the server had not issued
	names   []digest // the ids that lead here; more than one only by a flaw
	sudo    bool
	csrf    string   // made when it is asked for
	oauth   string   // the state of the login this browser began
	next    *session // what a login made of it
	born    int
}

// sessions is the store, and decides what becomes of an id. Safe for
// concurrent use.
type sessions struct {
	flaw set

	mu      sync.Mutex
	byID    map[digest]*session
	network map[string]string // address of the last login -> its user
	oauth   map[string]grant  // by state
	births  int
	agents  map[string]string // User-Agent -> the id that its visitors are handed
	users   map[string]string // user -> the id of each of her logins
	shown   []string          // ids in the order they began, by a flaw
	weak    generators
}

// grant is what the identity provider vouches for.
type grant struct{ code, user string }

func newSessions(flaw set) *sessions {
	return &sessions{flaw: flaw, byID: map[digest]*session{}, network: map[string]string{}, oauth: map[string]grant{},
		agents: map[string]string{}, users: map[string]string{}}
}

// visit counts a visit. issued is the id of a session it had to start, or "".
func (s *sessions) visit(from caller) (issued string, visits int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here, issued, err := s.current(from)
	if err != nil {
		return "", 0, err
	}
	*here.visits++
	return issued, *here.visits, nil
}

// current is the caller's session, an anonymous one where there is none yet.
// issued is its id if it had to begin, or "".
func (s *sessions) current(from caller) (here *session, issued string, err error) {
	if here = s.find(from.id); here != nil {
		return here, "", nil
	}
	if s.full() {
		return nil, "", errFull
	}
	adopt := from.id != "" && (s.flaw[permissive] || s.flaw[arbitrary])
	if issued = from.id; !adopt {
		issued = s.idAtVisit(from)
	}
	if shared := s.find(issued); shared != nil {
		return shared, issued, nil
	}
	here = &session{visits: new(int), adopted: adopt}
	s.name(here, issued)
	return here, issued, nil
}

// login starts a session of the user. chosen is an id that the client asked
// for outside the cookie, or ""; limit is how many sessions the user may have, 0
// for any number. It returns every id issued; the last one is what the browser
// will keep.
func (s *sessions) login(user string, from caller, chosen string, limit int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full() {
		return nil, errFull
	}
	if s.flaw[fromNetwork] && len(s.network) < maxSessions {
		s.network[from.address] = user
	}
	old := s.find(from.id)
	now, id := old, from.id
	kept := from.kept && old != nil && old.user == ""
	if chosen != "" || !kept && !s.keeps(old, user) {
		now, id = s.replace(user, old, from, chosen)
	}
	now.user = user
	if limit > 0 && !s.flaw[noLimit] {
		s.trim(user, limit)
	}
	if !s.flaw[issuedTwice] {
		return []string{id}, nil
	}
	second := s.freshID(user)
	s.name(now, second)
	return []string{second, id}, nil
}

// trim ends the oldest sessions of a user beyond the limit.
func (s *sessions) trim(user string, limit int) {
	own := s.of(user)
	slices.SortFunc(own, func(a, b *session) int { return a.born - b.born })
	for _, oldest := range own[:max(0, len(own)-limit)] {
		s.end(oldest)
	}
}

// of are the sessions of a user, each once.
func (s *sessions) of(user string) []*session {
	var own []*session
	for _, here := range s.byID {
		if here.user == user && !slices.Contains(own, here) {
			own = append(own, here)
		}
	}
	return own
}

// keeps reports whether a login goes on in the session it came with.
func (s *sessions) keeps(old *session, user string) bool {
	switch {
	case old == nil:
		return false
	case old.user == "":
		return s.flaw[notRotated] || old.adopted && s.flaw[arbitrary]
	case old.user == user:
		return s.flaw[reauthKept]
	default:
		return s.flaw[crossUser]
	}
}

// replace starts the session that a login goes on in.
func (s *sessions) replace(user string, old *session, from caller, chosen string) (now *session, id string) {
	s.births++
	now = &session{visits: new(int), born: s.births}
	if old != nil && s.flaw[carriedOver] {
		now.csrf = old.csrf
	}
	s.retire(old, now)
	id = s.idAtLogin(user, old, from, chosen)
	s.end(s.find(id)) // only a chosen id can be in use
	s.name(now, id)
	return now, id
}

// retire ends the session that a login leaves behind.
func (s *sessions) retire(old, now *session) {
	switch {
	case old == nil:
	case old.user == "" && s.flaw[dangling]:
		for _, name := range old.names {
			s.byID[name] = now
		}
		now.names = old.names
	case old.user == "" && s.flaw[oldKept]:
		now.visits = old.visits
	default:
		s.end(old)
		old.next = now
	}
}

func (s *sessions) idAtLogin(user string, old *session, from caller, chosen string) string {
	switch {
	case chosen != "":
		return chosen
	case old == nil && from.id != "" && s.flaw[arbitrary]:
		return from.id
	default:
		return s.idOfLogin(user, old, from)
	}
}

// idAtVisit is the id of an anonymous session.
func (s *sessions) idAtVisit(from caller) string {
	if !s.flaw[handedTwice] || from.sentCookie {
		return s.freshID("")
	}
	if s.agents[from.agent] == "" && len(s.agents) < maxSessions {
		s.agents[from.agent] = s.freshID("")
	}
	return s.agents[from.agent]
}

// idOfLogin is the id of a session that a login begins.
func (s *sessions) idOfLogin(user string, old *session, from caller) string {
	switch {
	case old != nil && s.flaw[derived]:
		next := sha256.Sum256([]byte(from.id))
		return base64.RawURLEncoding.EncodeToString(next[:])
	default:
		return s.idOf(user)
	}
}

// idOf is a new id for a session of the user.
func (s *sessions) idOf(user string) string {
	if !s.flaw[oneForEachUser] {
		return s.freshID(user)
	}
	if s.users[user] == "" {
		s.users[user] = s.freshID(user)
	}
	return s.users[user]
}

// user is who the caller is signed in as, or "".
func (s *sessions) user(from caller) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flaw[fromNetwork] && !from.sentCookie {
		return s.network[from.address]
	}
	here := s.find(from.id)
	switch {
	case here == nil:
		return ""
	case s.flaw[unsigned] && here.user != "":
		return from.claims
	}
	return here.user
}

// owner is the user of a session, "guest" of one that nobody signed in to.
func (s *sessions) owner(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if here := s.find(id); here != nil && here.user != "" {
		return here.user
	}
	return "guest"
}

func (s *sessions) logout(from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.network, from.address)
	if !s.flaw[logoutKept] {
		s.end(s.find(from.id))
	}
}

// endAll ends every session of the user.
func (s *sessions) endAll(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, here := range s.of(user) {
		s.end(here)
	}
}

// elevate marks the session of somebody who gave the password again, and
// returns its new id, "" if it keeps the old one.
func (s *sessions) elevate(from caller) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.find(from.id)
	if here == nil {
		return ""
	}
	here.sudo = true
	if s.flaw[privilegeKept] {
		return ""
	}
	return s.rename(here)
}

func (s *sessions) elevated(from caller) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.find(from.id)
	return here != nil && here.sudo
}

// passwordChanged ends the other sessions of the caller's user and returns the
// new id of her own, "" if it keeps the old one.
func (s *sessions) passwordChanged(from caller) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.find(from.id)
	if here == nil {
		return ""
	}
	for _, other := range s.of(here.user) {
		if other != here && !s.flaw[othersKept] {
			s.end(other)
		}
	}
	if s.flaw[passwordKept] {
		return ""
	}
	return s.rename(here)
}

// rename gives a session a new id, which is the only one from then on.
func (s *sessions) rename(here *session) (id string) {
	s.end(here)
	id = s.idOf(here.user)
	s.name(here, id)
	return id
}

// token is the CSRF token of the caller's session.
func (s *sessions) token(from caller) (issued, token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here, issued, err := s.current(from)
	if err != nil {
		return "", "", err
	}
	if here.csrf == "" {
		here.csrf = rand.Text()
	}
	return issued, here.csrf, nil
}

func (s *sessions) accepts(from caller, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.find(from.id)
	return here != nil && token != "" && here.csrf == token
}

// remember is the flaw of a public flow that notes whom it is about where
// protected routes look who is signed in.
func (s *sessions) remember(from caller, user string) (issued string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here, issued, err := s.current(from)
	if err != nil {
		return "", err
	}
	here.user = user
	return issued, nil
}

// load is the caller's session as a request that takes its time holds it. What
// it returns writes that back, which by a flaw brings a session back that ended
// meanwhile, under the id it had.
func (s *sessions) load(from caller) (save func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.find(from.id)
	if here == nil {
		return func() {}
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		ended := s.find(from.id) == nil
		switch {
		case ended && s.flaw[race] && here.next != nil:
			s.name(here.next, from.id)
		case ended && s.flaw[resurrected] && here.next == nil:
			s.name(here, from.id)
		}
	}
}

// startOAuth notes which browser began a login, and for whom.
func (s *sessions) startOAuth(from caller, state, code, user string) (issued string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.oauth) >= maxSessions {
		return "", errFull
	}
	here, issued, err := s.current(from)
	if err != nil {
		return "", err
	}
	here.oauth = state
	s.oauth[state] = grant{code, user}
	return issued, nil
}

// endOAuth is whom the provider vouches for, once, to the browser that began.
func (s *sessions) endOAuth(from caller, state, code string) (user string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	given, known := s.oauth[state]
	here := s.find(from.id)
	bound := here != nil && here.oauth == state || s.flaw[unbound]
	if !known || given.code != code || !bound {
		return "", false
	}
	delete(s.oauth, state)
	return given.user, true
}

func (s *sessions) find(id string) *session { return s.byID[digestOf(id)] }

func (s *sessions) full() bool { return len(s.byID) >= maxSessions }

func (s *sessions) name(here *session, id string) {
	name := digestOf(id)
	s.byID[name] = here
	here.names = append(here.names, name)
	if s.flaw[idsShown] && len(s.shown) < maxSessions {
		s.shown = append(s.shown, id)
	}
}

func (s *sessions) end(here *session) {
	if here == nil {
		return
	}
	for _, name := range here.names {
		delete(s.byID, name)
	}
	here.names = nil
}

// freshID draws until the id is free: at 24 bits two of them do meet.
func (s *sessions) freshID(user string) string {
	for {
		if id := s.draw(user); s.find(id) == nil {
			return id
		}
	}
}

func (s *sessions) draw(user string) string {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: it ends the process where there is no randomness
	switch {
	case s.flaw[below32Bits]:
		return hex.EncodeToString(raw[:3])
	case s.flaw[below64Bits]:
		return hex.EncodeToString(raw[:6])
	case s.flaw[below128Bits]:
		return hex.EncodeToString(raw[:12])
	case s.flaw[lowEntropy]:
		return aOrB(raw)
	case s.flaw[sequential]:
		return s.weak.count()
	case s.flaw[timestamped]:
		return timeUUID(raw[:6])
	case s.flaw[hashed]:
		return s.weak.hashOf(user)
	case s.flaw[predictable]:
		return s.weak.twisted()
	case s.flaw[namesUser] && user != "":
		return user + "." + base64.RawURLEncoding.EncodeToString(raw)
	default:
		return base64.RawURLEncoding.EncodeToString(raw)
	}
}
