package cookie

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// longest is how far into the future browsers let a cookie live (section 5.5).
const longest = 400 * 24 * time.Hour

// Lifetime is how long a browser keeps the cookie from now on: Max-Age before
// Expires, at most 400 days, 0 when it is to be deleted. It is not persistent
// without either attribute; then d is 0 and the cookie lives as long as the
// browser session.
func (c Cookie) Lifetime(now time.Time) (d time.Duration, persistent bool) {
	d, persistent = c.Requested(now)
	return min(d, longest), persistent
}

// Requested is Lifetime without the 400 days: what the server asked for. It
// ends at the longest time.Duration, which is 292 years.
func (c Cookie) Requested(now time.Time) (d time.Duration, persistent bool) {
	if c.HasMaxAge {
		const most = math.MaxInt64 / int64(time.Second)
		return time.Duration(min(max(c.MaxAge, 0), most)) * time.Second, true
	}
	if c.HasExpires {
		return max(c.Expires.Sub(now), 0), true
	}
	return 0, false
}

// Deletes reports whether the line removes the cookie instead of setting it.
func (c Cookie) Deletes(now time.Time) bool {
	d, persistent := c.Requested(now)
	return persistent && d == 0
}

var months = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// date is the state of the cookie-date algorithm: what was found, and whether
// it was, for 0 is a number like any other to most of the productions.
type date struct {
	clock             [3]int // hour, minute, second
	day, month, year  int
	hasClock, hasDay  bool
	hasMonth, hasYear bool
}

// parseDate is the algorithm of section 5.1.1. It takes tokens in any order and
// ignores weekday, time zone and whatever else it does not know, so that no
// format of package time can stand in for it.
func parseDate(text string) (time.Time, bool) {
	var found date
	for _, token := range strings.FieldsFunc(text, isDelimiter) {
		found.take(token)
	}
	return found.time()
}

func isDelimiter(r rune) bool {
	return r == '\t' || ' ' <= r && r <= '/' || ';' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
}

// take gives the token to the first production that is still open and fits. The
// order is part of the algorithm: "10" is a day until there is one.
func (d *date) take(token string) {
	if !d.hasClock {
		if d.clock, d.hasClock = clock(token); d.hasClock {
			return
		}
	}
	if !d.hasDay {
		if d.day, _, d.hasDay = number(token, 1, 2); d.hasDay {
			return
		}
	}
	if !d.hasMonth {
		if d.month, d.hasMonth = month(token); d.hasMonth {
			return
		}
	}
	if !d.hasYear {
		d.year, _, d.hasYear = number(token, 2, 4)
	}
}

func (d *date) time() (time.Time, bool) {
	if !d.hasClock || !d.hasDay || !d.hasMonth || !d.hasYear {
		return time.Time{}, false
	}
	year := d.year
	switch {
	case year >= 70 && year <= 99:
		year += 1900
	case year <= 69:
		year += 2000
	}
	hour, minute, second := d.clock[0], d.clock[1], d.clock[2]
	if year < 1601 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	result := time.Date(year, time.Month(d.month), d.day, hour, minute, second, 0, time.UTC)
	// time.Date carries 30 February over into March: there is no such date.
	return result, result.Day() == d.day
}

func clock(token string) (fields [3]int, ok bool) {
	for i := range fields {
		if i > 0 {
			if token, ok = strings.CutPrefix(token, ":"); !ok {
				return fields, false
			}
		}
		if fields[i], token, ok = number(token, 1, 2); !ok {
			return fields, false
		}
	}
	return fields, true
}

func month(token string) (int, bool) {
	token = lower(token)
	for i, name := range months {
		if strings.HasPrefix(token, name) {
			return i + 1, true
		}
	}
	return 0, false
}

// number reads all digits at the beginning of the token. What follows them is
// no digit then, as every production demands.
func number(token string, least, most int) (value int, rest string, ok bool) {
	rest = strings.TrimLeft(token, "0123456789")
	digits := token[:len(token)-len(rest)]
	if len(digits) < least || len(digits) > most {
		return 0, "", false
	}
	value, err := strconv.Atoi(digits)
	return value, rest, err == nil
}
