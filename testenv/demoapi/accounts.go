package demoapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"sync"
)

// maxAccounts bounds what strangers can register.
const maxAccounts = 10_000

var (
	errTaken = errors.New("the username is taken")
	errMany  = errors.New("there are too many accounts")
)

// accounts are the users and the digests of their passwords. A real API would
// salt and stretch them; here they are public. Safe for concurrent use.
type accounts struct {
	mu        sync.Mutex
	passwords map[string]digest
}

func newAccounts() *accounts {
	return &accounts{passwords: map[string]digest{
		Alice: sha256.Sum256([]byte(AlicePassword)),
		Bob:   sha256.Sum256([]byte(BobPassword)),
	}}
}

func (a *accounts) authentic(user, password string) bool {
	a.mu.Lock()
	want, known := a.passwords[user]
	a.mu.Unlock()
	given := sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && known
}

func (a *accounts) register(user, password string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.passwords[user]; taken {
		return errTaken
	}
	if len(a.passwords) >= maxAccounts {
		return errMany
	}
	a.passwords[user] = sha256.Sum256([]byte(password))
	return nil
}

func (a *accounts) change(user, password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.passwords[user] = sha256.Sum256([]byte(password))
}

func (a *accounts) remove(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.passwords, user)
}
