package audit

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/sessiongate/sessiongate/internal/trace"
)

// Faces tells who an answer of the identity step is for. What it looks for is
// learned from the answers themselves, never configured (K4): values that a
// user's answers have in common and that neither strangers nor other users get.
// Before it has learned it recognises nobody. It is safe for concurrent use.
type Faces struct{ known atomic.Pointer[gallery] }

type gallery struct {
	stranger int // the status that strangers get
	users    []portrait
}

type portrait struct {
	user  string
	marks []string
	all   bool // every mark must be there: each names the user
}

// Bounds on what is read of an answer, which a hostile target chose.
const (
	maxMarks = 2000
	maxDepth = 32
)

// Learned reports whether users can be told apart.
func (f *Faces) Learned() bool { return f.known.Load() != nil }

// Who recognises an answer.
func (f *Faces) Who(response trace.Response) trace.Who {
	known := f.known.Load()
	if known == nil {
		return trace.Who{}
	}
	switch {
	case response.Status == 0 || response.Status >= 500:
		return trace.Who{Kind: trace.Broken}
	case response.Status == 429:
		return trace.Who{Kind: trace.TooMany}
	}
	seen := features(response.Body.Reveal())
	for _, face := range known.users {
		if face.matches(seen) {
			return trace.Who{Kind: trace.SignedIn, User: face.user}
		}
	}
	if response.Status >= 300 || response.Status == known.stranger {
		return trace.Who{Kind: trace.Anonymous}
	}
	return trace.Who{Kind: trace.Unknown}
}

func (p portrait) matches(seen map[string]bool) bool {
	found := 0
	for _, mark := range p.marks {
		if seen[mark] {
			found++
		}
	}
	if p.all {
		return found == len(p.marks)
	}
	return 2*found > len(p.marks)
}

// sitting is what one user's identity step answered, several times.
type sitting struct {
	user, username string
	answers        []trace.Response
}

// learn fills the gallery, or says which two cannot be told apart.
func (f *Faces) learn(strangers []trace.Response, sittings []sitting) error {
	made := &gallery{}
	for _, answer := range strangers {
		made.stranger = answer.Status
	}
	foreign := func(own string) map[string]bool {
		all := map[string]bool{}
		for _, answer := range strangers {
			add(all, features(answer.Body.Reveal()))
		}
		for _, other := range sittings {
			if other.user == own {
				continue
			}
			for _, answer := range other.answers {
				add(all, features(answer.Body.Reveal()))
			}
		}
		return all
	}
	for _, s := range sittings {
		face := paint(s, foreign(s.user))
		if len(face.marks) == 0 {
			return fmt.Errorf("%w: nothing in the answer for %s is missing from the other answers", errNoFaces, s.user)
		}
		made.users = append(made.users, face)
	}
	f.known.Store(made)
	return nil
}

func add(all, more map[string]bool) {
	for feature := range more {
		all[feature] = true
	}
}

// paint keeps what all answers of the user share and nobody else's has. Marks
// that hold the user name are enough by themselves: other values may be the
// session's rather than the user's.
func paint(s sitting, foreign map[string]bool) portrait {
	var shared map[string]bool
	for _, answer := range s.answers {
		seen := features(answer.Body.Reveal())
		if shared == nil {
			shared = seen
			continue
		}
		for feature := range shared {
			if !seen[feature] {
				delete(shared, feature)
			}
		}
	}
	face := portrait{user: s.user}
	var named []string
	for feature := range shared {
		if foreign[feature] {
			continue
		}
		face.marks = append(face.marks, feature)
		if s.username != "" && strings.Contains(strings.ToLower(feature), strings.ToLower(s.username)) {
			named = append(named, feature)
		}
	}
	if len(named) > 0 {
		face.marks, face.all = named, true
	}
	sort.Strings(face.marks)
	return face
}

// features are what an answer says: "path=value" for the leaves of JSON, the
// words of any other text. Their number and depth are bounded.
func features(body string) map[string]bool {
	found := map[string]bool{}
	var document any
	if err := json.Unmarshal([]byte(body), &document); err == nil {
		leaves(found, "", document, 0)
		return found
	}
	words := strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune(" \t\r\n<>\"'=,;(){}", r) })
	for _, word := range words[:min(len(words), maxMarks)] {
		found[word] = true
	}
	return found
}

func leaves(found map[string]bool, path string, node any, depth int) {
	if depth > maxDepth || len(found) >= maxMarks {
		return
	}
	switch value := node.(type) {
	case map[string]any:
		names := make([]string, 0, len(value))
		for name := range value {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			leaves(found, path+"."+name, value[name], depth+1)
		}
	case []any:
		for i, element := range value {
			leaves(found, path+"["+strconv.Itoa(i)+"]", element, depth+1)
		}
	default:
		found[path+"="+fmt.Sprint(value)] = true
	}
}
