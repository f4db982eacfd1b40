package store

import (
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/trace"
)

// Time is a moment that a row holds, in a column or in a member of a JSON
// object in it.
type Time struct {
	Column string
	Member []string // path in the object; nil: the column itself
	Role   string   // created, expires or seen
	At     time.Time
}

// Times lists the moments of a row whose role is known by a name: timestamps,
// ISO 8601 and seconds or milliseconds since 1970. A time without a zone is
// taken for UTC. Objects longer than 8 KiB are not read.
func Times(row trace.Row) []Time {
	var found []Time
	for _, column := range row.Columns {
		if column.Null {
			continue
		}
		if c, is := clockOf(column.Value.Reveal()); is && slices.Contains([]string{roleCreated, roleExpires, roleSeen}, column.Role) {
			found = append(found, Time{Column: column.Name, Role: column.Role, At: c.at})
			continue
		}
		for _, m := range membersOf(plainBytes(column)) {
			if c, is := clockOf(m.text); is {
				found = append(found, Time{Column: column.Name, Member: m.path, Role: timeRole(m.path[len(m.path)-1]), At: c.at})
			}
		}
	}
	return found
}

func plainBytes(column trace.Column) string {
	return bytesOf(TableColumn{Type: column.Type}, column.Value.Reveal())
}

// clock is a moment with the way it is written.
type clock struct {
	at     time.Time
	layout string        // "" for an epoch
	unit   time.Duration // of an epoch: second or millisecond
	places int           // of an epoch: digits after the point
}

var (
	dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d(?::?\d\d)?)?$`)
	date     = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	// Ten digits are seconds and thirteen milliseconds from 2001 to 2286.
	epoch = regexp.MustCompile(`^([1-9]\d{9}|[1-9]\d{12})(?:\.(\d{1,9}))?$`)
)

func clockOf(value string) (clock, bool) {
	if parts := dateTime.FindStringSubmatch(value); parts != nil {
		return clockIn(layoutOf(parts[1], parts[2], parts[3]), value)
	}
	if date.MatchString(value) {
		return clockIn(time.DateOnly, value)
	}
	parts := epoch.FindStringSubmatch(value)
	if parts == nil {
		return clock{}, false
	}
	whole, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return clock{}, false
	}
	c := clock{unit: time.Second, places: len(parts[2])}
	part, _ := strconv.ParseInt((parts[2] + "000000000")[:9], 10, 64) // billionths of the unit
	if whole >= 1e12 {
		c.unit = time.Millisecond
		c.at = time.UnixMilli(whole).UTC().Add(time.Duration(part / 1000))
	} else {
		c.at = time.Unix(whole, part).UTC()
	}
	return c, c.write(c.at) == value // not so with more places than a nanosecond has
}

// clockIn leaves out the few spellings that Go does not write, such as -00:00.
func clockIn(layout, value string) (clock, bool) {
	at, err := time.Parse(layout, value)
	c := clock{at: at, layout: layout}
	return c, err == nil && c.write(at) == value
}

// layoutOf keeps as many digits of a second as there were, and the way the zone
// is written.
func layoutOf(separator, fraction, zone string) string {
	layout := time.DateOnly + separator + time.TimeOnly
	if fraction != "" {
		layout += "." + strings.Repeat("0", len(fraction)-1)
	}
	switch len(zone) {
	case 0, 1: // Z stands for itself
		return layout + zone
	case 3:
		return layout + "-07"
	case 5:
		return layout + "-0700"
	}
	return layout + "-07:00"
}

// write spells another moment in the same way.
func (c clock) write(at time.Time) string {
	if c.layout != "" {
		return at.In(c.at.Location()).Format(c.layout)
	}
	whole, rest := at.Unix(), int64(at.Nanosecond())
	if c.unit == time.Millisecond {
		whole, rest = at.UnixMilli(), rest%int64(time.Millisecond)*1000
	}
	written := strconv.FormatInt(whole, 10)
	if c.places > 0 {
		fraction := strconv.FormatInt(1e9+rest, 10)[1:]
		written += "." + fraction[:c.places]
	}
	return written
}

const (
	deepest     = 6   // levels of an object
	mostMembers = 500 // that are read of one
)

// member is a text or number in a JSON object whose name is that of a time.
type member struct {
	path       []string
	text       string
	start, end int // of the text in the object, quotes excluded
}

// membersOf finds the members by position, so that one can be replaced and
// every other byte stays. What is no JSON object has none.
func membersOf(object string) []member {
	if !strings.HasPrefix(strings.TrimLeft(object, " \t\r\n"), "{") || !json.Valid([]byte(object)) {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.UseNumber()
	w := walker{object: object, decoder: decoder}
	w.value(nil)
	return w.found
}

type walker struct {
	object  string
	decoder *json.Decoder
	found   []member
	seen    int
}

// value reads one value. The object is valid, so that Token does not fail.
func (w *walker) value(path []string) {
	token, err := w.decoder.Token()
	if err != nil {
		return
	}
	end := int(w.decoder.InputOffset())
	switch value := token.(type) {
	case json.Delim:
		w.inside(value, path)
	case json.Number:
		w.enter(path, value.String(), end-len(value.String()), end)
	case string:
		w.enter(path, value, end-len(value)-1, end-1)
	}
}

func (w *walker) inside(opening json.Delim, path []string) {
	for w.decoder.More() {
		name := "" // times in lists have none
		if opening == '{' {
			token, _ := w.decoder.Token()
			name, _ = token.(string)
		}
		below := path
		if len(path) <= deepest { // what lies deeper is read past
			below = append(slices.Clone(path), name)
		}
		w.value(below)
	}
	_, _ = w.decoder.Token()
}

func (w *walker) enter(path []string, text string, start, end int) {
	w.seen++
	if w.seen > mostMembers || len(path) == 0 || len(path) > deepest || slices.Contains(path, "") || timeRole(path[len(path)-1]) == "" {
		return
	}
	if start < 0 || w.object[start:end] != text { // written with escapes
		return
	}
	w.found = append(w.found, member{path, text, start, end})
}

// rewritten is the column's value with another moment in the place of the old.
func rewritten(kind, value string, t Time, change func(time.Time) time.Time) (string, bool) {
	plain := bytesOf(TableColumn{Type: kind}, value)
	start, end := 0, len(plain)
	if t.Member != nil {
		members := membersOf(plain)
		at := slices.IndexFunc(members, func(m member) bool { return slices.Equal(m.path, t.Member) })
		if at < 0 {
			return "", false
		}
		start, end = members[at].start, members[at].end
	}
	c, is := clockOf(plain[start:end])
	if !is {
		return "", false
	}
	plain = plain[:start] + c.write(change(c.at)) + plain[end:]
	if kind == "bytea" {
		plain = hex.EncodeToString([]byte(plain))
	}
	return plain, true
}
