package demoapi

import (
	"errors"
	"testing"
)

func TestTheStoreIsBounded(t *testing.T) {
	t.Parallel()
	store := newSessions(set{below32Bits: true}) // ids that do collide
	seen := map[string]bool{}
	for range maxSessions {
		id, _, err := store.visit(caller{})
		if err != nil || seen[id] {
			t.Fatalf("session %d: %v, seen before: %t", len(seen), err, seen[id])
		}
		seen[id] = true
	}
	if _, _, err := store.visit(caller{}); !errors.Is(err, errFull) {
		t.Errorf("visit: %v", err)
	}
	if _, err := store.login(Alice, caller{}, "", 0); !errors.Is(err, errFull) {
		t.Errorf("login: %v", err)
	}
	for id := range seen {
		store.logout(caller{id: id})
		break
	}
	if _, err := store.login(Alice, caller{}, "", 0); err != nil {
		t.Errorf("login after a logout: %v", err)
	}
}

func TestTheStoreHoldsNoID(t *testing.T) {
	t.Parallel()
	store := newSessions(set{})
	id, _, err := store.visit(caller{})
	if err != nil {
		t.Fatal(err)
	}
	here, held := store.byID[digestOf(id)]
	if !held || here.user != "" || *here.visits != 1 || len(store.byID) != 1 {
		t.Errorf("held under the digest: %t, sessions: %d", held, len(store.byID))
	}
}
