package personal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// member is one text or number of an object.
type member struct{ name, value string }

// document is what was read of an answer.
type document struct {
	people []person
	cut    bool // it did not end, or was not read to its end
}

// read goes through JSON and takes what can be read of it: an answer of many people
// may have been cut before its end. Anything else says nothing.
func read(body string, about []string) document {
	r := &reader{about: about, tokens: json.NewDecoder(strings.NewReader(body))}
	r.tokens.UseNumber()
	if start := strings.TrimLeft(body, " \t\r\n"); start == "" || start[0] != '{' && start[0] != '[' {
		return document{}
	}
	err := r.value(nil, 0)
	r.found.cut = err != nil
	return r.found
}

type reader struct {
	about  []string // the words of the address
	tokens *json.Decoder
	nodes  int
	found  document
	loose  []member // of an address, to be said of whom it belongs to
}

var errEnough = errors.New("it has more than is read")

// value reads a value that stands within members of these names.
func (r *reader) value(within []string, depth int) error {
	token, err := r.tokens.Token()
	if err != nil {
		return err
	}
	return r.from(token, within, depth)
}

func (r *reader) from(token json.Token, within []string, depth int) error {
	if r.nodes++; r.nodes > mostNodes || len(r.found.people) >= mostPeople {
		return errEnough
	}
	open, compound := token.(json.Delim)
	switch {
	case !compound:
		return nil
	case depth >= mostDepth:
		return r.skip()
	case open == '{':
		return r.object(within, depth)
	}
	for r.tokens.More() {
		if err := r.value(within, depth+1); err != nil {
			return err
		}
	}
	_, err := r.tokens.Token()
	return err
}

// object reads the members. One that is held by others is somebody for itself; but
// what an address has in it is said of whom it belongs to.
func (r *reader) object(within []string, depth int) error {
	var members []member
	for r.tokens.More() {
		token, err := r.tokens.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if token, err = r.tokens.Token(); err != nil {
			return err
		}
		if _, compound := token.(json.Delim); !compound {
			r.nodes++
			members = append(members, member{name, text(token)})
			continue
		}
		if err := r.from(token, words(name), depth+1); err != nil {
			return err
		}
		members, r.loose = append(members, r.loose...), nil
	}
	if _, err := r.tokens.Token(); err != nil {
		return err
	}
	if one, is := personOf(members, place{within, r.about}); is {
		r.found.people = append(r.found.people, one)
	} else if says(within, addressWords) {
		for _, one := range members {
			if _, is := kindOf(words(one.name), one.value); is {
				r.loose = append(r.loose, one)
			}
		}
	}
	return nil
}

var addressWords = []string{"address", "addresses", "residence"}

func text(token json.Token) string {
	if token == nil {
		return ""
	}
	return fmt.Sprint(token)
}

// skip passes over the rest of an object or a list without a stack of its own.
func (r *reader) skip() error {
	for open := 1; open > 0; {
		token, err := r.tokens.Token()
		if err != nil {
			return err
		}
		if r.nodes++; r.nodes > mostNodes {
			return errEnough
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}
