package demoapi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
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
}

// sessions is the store, and decides what becomes of an id. Safe for
// concurrent use.
type sessions struct {
	flaw set

	mu      sync.Mutex
	byID    map[digest]*session
	network map[string]string // address of the last login -> its user
	agents  map[string]string // User-Agent -> the id that its visitors are handed
	users   map[string]string // user -> the id of each of her logins
	weak    generators
}

func newSessions(flaw set) *sessions {
	return &sessions{flaw: flaw, byID: map[digest]*session{}, network: map[string]string{},
		agents: map[string]string{}, users: map[string]string{}}
}

// visit counts a visit. issued is the id of a session it had to start, or "".
func (s *sessions) visit(from caller) (issued string, visits int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := s.find(from.id)
	if here == nil {
		if s.full() {
			return "", 0, errFull
		}
		adopt := from.id != "" && (s.flaw[permissive] || s.flaw[arbitrary])
		if issued = from.id; !adopt {
			issued = s.idAtVisit(from)
		}
		if shared := s.find(issued); shared != nil {
			*shared.visits++
			return issued, *shared.visits, nil
		}
		here = &session{visits: new(int), adopted: adopt}
		s.name(here, issued)
	}
	*here.visits++
	return issued, *here.visits, nil
}

// login starts a session of the user. chosen is an id that the client asked
// for outside the cookie, or "". It returns every id issued; the last one is
// what the browser will keep.
func (s *sessions) login(user string, from caller, chosen string) ([]string, error) {
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
	if chosen != "" || !s.keeps(old, user) {
		now, id = s.replace(user, old, from, chosen)
	}
	now.user = user
	if !s.flaw[issuedTwice] {
		return []string{id}, nil
	}
	second := s.freshID(user)
	s.name(now, second)
	return []string{second, id}, nil
}

// keeps reports whether a login goes on in the session it came with. A new
// login of the same user is never such a case: that is a weakness of its own.
func (s *sessions) keeps(old *session, user string) bool {
	switch {
	case old == nil:
		return false
	case old.user == "":
		return s.flaw[notRotated] || old.adopted && s.flaw[arbitrary]
	default:
		return old.user != user && s.flaw[crossUser]
	}
}

// replace starts the session that a login goes on in.
func (s *sessions) replace(user string, old *session, from caller, chosen string) (now *session, id string) {
	now = &session{visits: new(int)}
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
	case s.flaw[oneForEachUser]:
		if s.users[user] == "" {
			s.users[user] = s.freshID(user)
		}
		return s.users[user]
	default:
		return s.freshID(user)
	}
}

// user is who the caller is signed in as, or "".
func (s *sessions) user(from caller) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flaw[fromNetwork] && !from.sentCookie {
		return s.network[from.address]
	}
	if here := s.find(from.id); here != nil {
		return here.user
	}
	return ""
}

func (s *sessions) logout(from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.network, from.address)
	if !s.flaw[logoutKept] {
		s.end(s.find(from.id))
	}
}

func (s *sessions) find(id string) *session { return s.byID[digestOf(id)] }

func (s *sessions) full() bool { return len(s.byID) >= maxSessions }

func (s *sessions) name(here *session, id string) {
	name := digestOf(id)
	s.byID[name] = here
	here.names = append(here.names, name)
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
		return hashOf(user)
	case s.flaw[predictable]:
		return s.weak.twisted()
	case s.flaw[namesUser] && user != "":
		return user + "." + base64.RawURLEncoding.EncodeToString(raw)
	default:
		return base64.RawURLEncoding.EncodeToString(raw)
	}
}
