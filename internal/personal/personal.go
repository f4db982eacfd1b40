// Package personal reads in an answer what it says of people, and tells the names
// of the fields and a number: never a value. It is strict, since an address alone
// may be a shop's: what it takes for a person's has two kinds of data in the form
// of their kind, or a secret. Who may see it is for others to judge.
package personal

import (
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
	if len(people) == 1 && people[0].contact {
		return Found{} // the organisation's own
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

// personOf is what an object says of somebody; false where that is not enough. The
// words are those of the names it stands within, and of the address.
func personOf(members []member, about []string) (person, bool) {
	made := person{contact: says(about, contactWords) && !says(about, peopleWords)}
	kinds := map[kind]bool{}
	owned, business := false, says(about, businessPlaces)
	for _, one := range members {
		name := words(one.name)
		business = business || says(name, businessWords)
		owned = owned || says(name, ownerWords) && !isPlaceholder(one.value)
		if kind, is := kindOf(name, one.value); is {
			kinds[kind] = true
			made.data = append(made.data, datum{kind, shown(one.name, kind), one.value})
			made.contact = made.contact || says(name, contactWords)
		}
	}
	if kinds[hash] || kinds[token] && owned {
		return made, true
	}
	if kinds[token] { // a key that everybody is given, as that of a map
		made.data = slices.DeleteFunc(made.data, func(d datum) bool { return d.kind == token })
		delete(kinds, token)
	}
	return made, len(kinds) >= 2 && isSomebody(kinds, owned || says(about, peopleWords), business) && !isByline(kinds, about)
}

// isSomebody reports whether it is a person and no shop: a name, a number and an
// address are what each of them has.
func isSomebody(kinds map[kind]bool, said, business bool) bool {
	own := kinds[birth] || kinds[national] || kinds[surname] || kinds[password]
	return own || said || !business && (kinds[email] || kinds[bank])
}

// isByline reports whether a name and an address are an author's, who gave them to
// be read.
func isByline(kinds map[kind]bool, about []string) bool {
	return says(about, bylineWords) && len(kinds) == 2 && kinds[email] && (kinds[fullName] || kinds[surname])
}
