package store

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/sessiongate/sessiongate/internal/trace"
)

// home is a column in which ids of this run were found as whole cells. Without
// a column it stands for the whole table.
type home struct{ table, column string }

// fingerprint stands for a row by its table and key.
type fingerprint [sha256.Size]byte

// ledger is what this Store has found and changed.
type ledger struct {
	mu    sync.Mutex
	homes map[home]bool
	tabs  map[string]bool // tables that are homes
	found map[fingerprint]bool
	kept  map[fingerprint]original
}

func (l *ledger) enter(rows []fingerprint, homes []home) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.homes == nil {
		l.homes, l.tabs, l.found = map[home]bool{}, map[string]bool{}, map[fingerprint]bool{}
	}
	for _, one := range homes {
		l.homes[one], l.tabs[one.table] = true, true
	}
	for _, one := range rows {
		l.found[one] = true
	}
}

// settled reports whether a search that found nothing is an answer: every
// place where ids were found before was searched completely.
func (l *ledger) settled(answered map[home]bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for one := range l.homes {
		if !answered[one] && !answered[home{table: one.table}] {
			return false
		}
	}
	return len(l.homes) > 0
}

func (l *ledger) has(row fingerprint) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found[row]
}

// original is the row as it was before it was first changed.
func (l *ledger) original(row fingerprint) (original, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept, has := l.kept[row]
	return kept, has
}

func (l *ledger) keep(row fingerprint, as original) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[fingerprint]original{}
	}
	l.kept[row] = as
}

func (l *ledger) forget(row fingerprint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.kept, row)
}

func (l *ledger) isHome(table Table) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tabs[table.quoted()]
}

func fingerprintOf(table Table, key []trace.Column) fingerprint {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q", table.quoted())
	for _, column := range key {
		fmt.Fprintf(hash, " %q=%q", column.Name, column.Value.Reveal())
	}
	return fingerprint(hash.Sum(nil))
}
