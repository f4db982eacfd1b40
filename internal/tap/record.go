package tap

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	recentCount = 512
	recentBytes = 2 << 20
	keptCount   = 5_000
	keptBytes   = 8 << 20
	// overhead is what a statement weighs beside its text and parameters.
	overhead     = 256
	longestError = 500
)

// Counts are totals since the tap was opened.
type Counts struct {
	Connections int64 // that got as far as naming a user
	Statements  int64
	Errors      int64 // the server's, refused logins included
	// Dropped statements held a watched id, but there was no room left.
	Dropped int64
}

// entry is a statement on its way through the record, which guards it.
type entry struct {
	trace.Statement
	size int
}

func newEntry(connection int, kind trace.StatementKind, text string, parameters []secret.Text) *entry {
	e := &entry{Statement: trace.Statement{Connection: connection, Kind: kind, Text: secret.New(text), Parameters: parameters}}
	e.size = overhead + len(text)
	for _, parameter := range parameters {
		e.size += 16 + parameter.Len()
	}
	return e
}

// record keeps the statements that hold a watched id, and for a while the
// others: an id that the server issues is known only after it was stored.
type record struct {
	mu      sync.Mutex
	watched index
	known   map[secret.Text]bool
	recent  []*entry // oldest first
	held    int      // bytes in recent
	kept    []*entry
	weight  int // bytes in kept
	counts  Counts
	users   []string
}

// watch looks for the ids from now on, and in what is still at hand.
func (r *record) watch(ids []secret.Text) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var fresh index
	for _, id := range ids {
		if id.IsZero() || r.known[id] {
			continue
		}
		if r.known == nil {
			r.known = map[secret.Text]bool{}
		}
		r.known[id] = true
		r.watched.add(id)
		fresh.add(id)
	}
	if fresh.count == 0 {
		return
	}
	for _, e := range r.kept {
		more := fresh.search(e.Text.Reveal(), e.Parameters)
		e.Hits = append(e.Hits, more[:min(len(more), maxHits-len(e.Hits))]...)
		slices.SortStableFunc(e.Hits, func(a, b trace.Hit) int { return cmp.Compare(a.Parameter, b.Parameter) })
	}
	others := r.recent[:0]
	for _, e := range r.recent {
		if e.Hits = fresh.search(e.Text.Reveal(), e.Parameters); e.Hits == nil {
			others = append(others, e)
			continue
		}
		r.held -= e.size
		r.keep(e)
	}
	clear(r.recent[len(others):])
	r.recent = others
}

// add takes a statement in, at this moment of the run.
func (r *record) add(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Statements++
	e.Seq, e.At = r.counts.Statements, time.Now()
	if e.Hits = r.watched.search(e.Text.Reveal(), e.Parameters); e.Hits != nil {
		r.keep(e)
		return
	}
	r.recent = append(r.recent, e)
	r.held += e.size
	for len(r.recent) > recentCount || r.held > recentBytes {
		oldest := r.recent[0]
		r.held -= oldest.size
		r.recent[0] = nil
		r.recent = r.recent[1:]
		oldest.forget()
	}
}

func (r *record) keep(e *entry) {
	if len(r.kept) >= keptCount || r.weight+e.size > keptBytes {
		r.counts.Dropped++
		e.forget()
		return
	}
	r.kept = append(r.kept, e)
	r.weight += e.size
}

// forget lets go of what weighs: a connection may hold the entry for as long
// as the server owes an answer.
func (e *entry) forget() { e.Text, e.Parameters, e.Hits = secret.Text{}, nil, nil }

// fail notes why a statement failed; what was noted first stays.
func (r *record) fail(e *entry, state, message string) {
	if len(message) > longestError {
		message = message[:longestError]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.SQLState == "" && e.Error == "" {
		e.SQLState, e.Error = strings.ToValidUTF8(state, ""), strings.ToValidUTF8(message, "")
	}
}

func (r *record) countError() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Errors++
}

const (
	maxUsers    = 100
	longestUser = 128
)

// login counts a connection and gives it its number.
func (r *record) login(user string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Connections++
	if user != "" && len(user) <= longestUser && len(r.users) < maxUsers && !slices.Contains(r.users, user) {
		r.users = append(r.users, user)
	}
	return int(r.counts.Connections)
}

func (r *record) statements() []trace.Statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	statements := make([]trace.Statement, len(r.kept))
	for i, e := range r.kept {
		statements[i] = e.Statement
		statements[i].Hits = slices.Clone(e.Hits)
	}
	slices.SortFunc(statements, func(a, b trace.Statement) int { return cmp.Compare(a.Seq, b.Seq) })
	return statements
}
