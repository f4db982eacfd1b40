// Package personal reads in an answer what it says of people, and tells the names
// of the fields and a number: never a value. It is strict, since an address alone
// may be a shop's: what it takes for a person's has two kinds of data in the form
// of their kind, or a secret. Who may see it is for others to judge.
package personal

import (
	"maps"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Found is what answers say of people. The zero value: nothing.
type Found struct {
	People int      // objects that say it, each counted once
	Fields []string // the names of the fields, sorted, each once
	More   bool     // the answers were cut, or longer than what is read
}

// What is read of an answer and told of it at most.
const (
	mostDepth  = 24
	mostNodes  = 50_000
	mostPeople = 1000
	mostFields = 8
	longest    = 4096 // bytes of a value
)

// Shared is what two strangers are both told of people: the same values in the same
// kinds of fields. What each is told of itself differs, and is none. The path is
// that of the address, whose words may say what it is about.
func Shared(path string, one, other secret.Text) Found {
	about := words(path)
	first, second := read(one.Reveal(), about), read(other.Reveal(), about)
	told := map[string]bool{}
	for _, one := range second.people {
		told[one.key()] = true
	}
	people := slices.DeleteFunc(first.people, func(p person) bool {
		key := p.key()
		known := told[key]
		delete(told, key) // each is counted once
		return !known
	})
	if len(people) == 1 && (people[0].contact || people[0].thin) {
		return Found{} // the organisation's own, or too little
	}
	found := Found{People: len(people), More: first.cut}
	for _, one := range people {
		for _, datum := range one.data {
			if !slices.Contains(found.Fields, datum.field) {
				found.Fields = append(found.Fields, datum.field)
			}
		}
	}
	slices.Sort(found.Fields)
	found.Fields = found.Fields[:min(len(found.Fields), mostFields)]
	return found
}

// person is an object that says what only somebody's own record says.
type person struct {
	data    []datum
	contact bool // it stands under a name such as contact or support
	thin    bool // a name to be called by and one way to be reached: in a list of people, their directory
}

type datum struct {
	kind  kind
	field string // its name, or a word for the kind where a name cannot be shown
	value string
}

// key is the same for the same data.
func (p person) key() string {
	var parts []string
	for _, one := range p.data {
		parts = append(parts, string(one.kind)+"\x00"+one.value)
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x01")
}

// place is where an object stands: the words of the member that holds it, and those
// of the address it was read from.
type place struct{ within, path []string }

func (p place) says(wanted []string) bool { return says(p.within, wanted) || says(p.path, wanted) }

// publishes reports whether the place is about people whom the public knows. What
// holds the object says it better than the address.
func (p place) publishes() bool {
	return says(p.within, bylineWords) || says(p.path, bylineWords) && !says(p.within, userWords)
}

// portrait is what the members of an object say.
type portrait struct {
	kinds                   map[kind]bool
	data                    []datum
	owned, business, office bool
	contact                 bool
}

func portray(members []member, at place) portrait {
	made := portrait{kinds: map[kind]bool{}, business: at.says(businessPlaces), contact: at.says(contactWords) && !at.says(peopleWords)}
	for _, one := range members {
		name := words(one.name)
		made.business = made.business || says(name, businessWords)
		made.office = made.office || holdsOffice(name, one.value)
		made.owned = made.owned || says(name, ownerWords) && !isPlaceholder(one.value)
		if kind, is := kindOf(name, one.value); is {
			if kind == fullName && isSmall(one.value) && !at.says(peopleWords) {
				continue
			}
			made.kinds[kind] = true
			made.data = append(made.data, datum{kind, shown(one.name, kind), one.value})
			made.contact = made.contact || says(name, contactWords)
		}
	}
	return made
}

// without is the same but for kinds that say nothing here.
func (p portrait) without(kinds ...kind) portrait {
	p.data = slices.DeleteFunc(slices.Clone(p.data), func(d datum) bool { return slices.Contains(kinds, d.kind) })
	p.kinds = maps.Clone(p.kinds)
	for _, one := range kinds {
		delete(p.kinds, one)
	}
	return p
}

func (p portrait) person() person { return person{data: p.data, contact: p.contact} }

// only reports whether the object has no other kinds than these.
func (p portrait) only(kinds ...kind) bool {
	for one := range p.kinds {
		if !slices.Contains(kinds, one) {
			return false
		}
	}
	return true
}

// personOf is what an object says of somebody; false where that is not enough.
func personOf(members []member, at place) (person, bool) {
	p := portray(members, at)
	if secrets := p.without(given, handle); secrets.tellsSecret() {
		return secrets.person(), true
	}
	p = p.without(token) // a key that everybody is given, as that of a map
	if !p.kinds[email] {
		p = p.without(password) // of a network or a door, which belongs to nobody
	}
	known := p.without(given, handle)
	switch {
	case known.isPublic(at):
		return person{}, false
	case len(known.kinds) >= 2:
		return known.person(), known.isSomebody(at)
	}
	one := p.person()
	one.thin = true
	return one, p.isListed(at)
}

// tellsSecret reports whether somebody's password or session is told.
func (p portrait) tellsSecret() bool {
	return p.kinds[hash] || p.owned && (p.kinds[token] || p.kinds[password])
}

// isListed reports whether it is an entry of a directory of people.
func (p portrait) isListed(at place) bool {
	return (p.kinds[given] || p.kinds[handle]) && (p.kinds[email] || p.kinds[phone]) && at.says(peopleWords) && !p.business
}

// isSomebody reports whether it is a person and no shop: a name, a number and an
// address are what each of them has. A name and a birthday are what is known of
// everybody whom the public knows.
func (p portrait) isSomebody(at place) bool {
	if p.only(fullName, surname, birth) {
		return p.owned || at.says(userWords)
	}
	own := p.kinds[birth] || p.kinds[national] || p.kinds[surname] || p.kinds[password]
	return own || p.owned || at.says(peopleWords) || !p.business && (p.kinds[email] || p.kinds[bank])
}

// isPublic reports whether what is said is there to be read: of an author or a player,
// or of who holds a public office.
func (p portrait) isPublic(at place) bool {
	return at.publishes() && p.only(fullName, surname, email, phone, birth) ||
		p.office && p.only(fullName, surname, email, phone, birth, address)
}
