package tap

import "slices"

// longestName is how long a name may be that is remembered. Drivers use about
// twenty bytes; only a hostile client has more.
const longestName = 256

// shelf remembers values by name. When it is full the oldest name goes.
type shelf[V any] struct {
	places, room int // how many names, how many bytes

	byName map[string]shelved[V]
	order  []string
	used   int
}

type shelved[V any] struct {
	value V
	size  int
}

func (s *shelf[V]) put(name string, value V, size int) {
	if len(name) > longestName || size > s.room {
		s.remove(name)
		return
	}
	if s.byName == nil {
		s.byName = map[string]shelved[V]{}
	}
	old, known := s.byName[name]
	if !known {
		s.order = append(s.order, name)
	}
	s.byName[name] = shelved[V]{value, size}
	s.used += size - old.size
	for len(s.order) > s.places || s.used > s.room {
		// The value just put fits by itself, so it may only be passed over once.
		oldest := s.order[0]
		if oldest == name {
			s.order = append(s.order[1:], name)
			oldest = s.order[0]
		}
		s.remove(oldest)
	}
}

// get returns the zero value for a name that is not there.
func (s *shelf[V]) get(name string) V { return s.byName[name].value }

func (s *shelf[V]) remove(name string) {
	old, known := s.byName[name]
	if !known {
		return
	}
	s.used -= old.size
	delete(s.byName, name)
	if i := slices.Index(s.order, name); i >= 0 {
		s.order = slices.Delete(s.order, i, i+1)
	}
}
