package cookie_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
)

func TestExpiresReadsCookieDates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Sun, 06 Nov 1994 08:49:37 GMT":        "1994-11-06T08:49:37Z",
		"Sunday, 06-Nov-94 08:49:37 GMT":       "1994-11-06T08:49:37Z",
		"Sun Nov  6 08:49:37 1994":             "1994-11-06T08:49:37Z",
		"6 Nov 1994 8:9:7":                     "1994-11-06T08:09:07Z",
		"08:49:37 1994 6th november":           "1994-11-06T08:49:37Z",
		"08:49:37 6th november 1994":           "1994-11-06T08:49:37Z",
		"Nov 94 08:49:37 6":                    "",                     // 94 is taken for the day
		"1994 06 Nov 08:49:37":                 "1994-11-06T08:49:37Z", // four digits are not a day
		"06 Nov 1994 08:49:37 -0800":           "1994-11-06T08:49:37Z", // zones are ignored
		"06/Nov/1994_08:49:37":                 "1994-11-06T08:49:37Z",
		"06\tNov!\"#$%&'()*+,-./1994 08:49:37": "1994-11-06T08:49:37Z",
		"06;Nov<=>?@1994[\\]^_`08:49:37{|}~":   "", // the semicolon ended the attribute
		"06<=>?@Nov[\\]^_`1994{|}~08:49:37":    "1994-11-06T08:49:37Z",
		"06 NOV 1994 08:49:37":                 "1994-11-06T08:49:37Z",
		"06 novem 1994 08:49:37":               "1994-11-06T08:49:37Z",
		"06 no 1994 08:49:37":                  "",
		"06 xnov 1994 08:49:37":                "",
		"06 Nov 1994 08:49:37x":                "1994-11-06T08:49:37Z",
		"06 Nov 1994 08:49:37:5":               "1994-11-06T08:49:37Z",
		"06 Nov 1994 08:49:370":                "",
		"06 Nov 1994 008:49:37":                "",
		"06 Nov 1994 08:49":                    "",
		"06 Nov 1994 08.49.37":                 "",
		"06 Nov 1994 :49:37":                   "",
		"06 Nov 1994 08:49:37 09:50:38":        "1994-11-06T08:49:37Z", // the first time stands
		"Nov 1994 08:49:37 09:50:38":           "1994-11-09T08:49:37Z", // and another one is a day
		"06 Nov 1994 Dec 08:49:37":             "1994-11-06T08:49:37Z",
		"06 Nov 1994 1995 08:49:37":            "1994-11-06T08:49:37Z",
		"06 07 Nov 1994 08:49:37":              "2007-11-06T08:49:37Z", // the second number is the year
		"006 Nov 1994 08:49:37":                "",                     // 006 is the year then, and nothing the day
		"06 Nov 94 08:49:37":                   "1994-11-06T08:49:37Z",
		"06 Nov 70 08:49:37":                   "1970-11-06T08:49:37Z",
		"06 Nov 99 08:49:37":                   "1999-11-06T08:49:37Z",
		"06 Nov 69 08:49:37":                   "2069-11-06T08:49:37Z",
		"06 Nov 00 08:49:37":                   "2000-11-06T08:49:37Z",
		"06 Nov 069 08:49:37":                  "2069-11-06T08:49:37Z",
		"06 Nov 100 08:49:37":                  "",
		"06 Nov 5 08:49:37":                    "",
		"06 Nov 19945 08:49:37":                "",
		"06 Nov 1994x 08:49:37":                "1994-11-06T08:49:37Z",
		"06 Nov 1600 08:49:37":                 "",
		"06 Nov 1601 08:49:37":                 "1601-11-06T08:49:37Z",
		"06 Nov 9999 23:59:59":                 "9999-11-06T23:59:59Z",
		"0 Nov 1994 08:49:37":                  "",
		"32 Dec 1994 08:49:37":                 "",
		"31 Dec 1994 08:49:37":                 "1994-12-31T08:49:37Z",
		"31 Nov 1994 08:49:37":                 "",
		"29 Feb 2024 08:49:37":                 "2024-02-29T08:49:37Z",
		"29 Feb 2023 08:49:37":                 "",
		"06 Nov 1994 24:00:00":                 "",
		"06 Nov 1994 23:60:00":                 "",
		"06 Nov 1994 12:60:00":                 "",
		"06 Nov 1994 12:00:60":                 "",
		"06 Nov 1994 23:59:60":                 "",
		"06 Nov 1994":                          "",
		"Nov 1994 08:49:37":                    "",
		"06 1994 08:49:37":                     "",
		"06 Nov 08:49:37":                      "",
		"":                                     "",
		"1 jan 2024 0:0:0":                     "2024-01-01T00:00:00Z",
		"1 mar 2024 0:0:0":                     "2024-03-01T00:00:00Z",
		"1 apr 2024 0:0:0":                     "2024-04-01T00:00:00Z",
		"1 may 2024 0:0:0":                     "2024-05-01T00:00:00Z",
		"1 jun 2024 0:0:0":                     "2024-06-01T00:00:00Z",
		"1 jul 2024 0:0:0":                     "2024-07-01T00:00:00Z",
		"1 aug 2024 0:0:0":                     "2024-08-01T00:00:00Z",
		"1 sep 2024 0:0:0":                     "2024-09-01T00:00:00Z",
		"1 oct 2024 0:0:0":                     "2024-10-01T00:00:00Z",
	} {
		got := mustParse(t, "sid=v; Expires="+text)
		var read string
		if got.HasExpires {
			read = got.Expires.Format(time.RFC3339)
		}
		if read != want {
			t.Errorf("%q is %q, want %q", text, read, want)
		}
	}
}

// Of all bytes that an attribute can hold, these and no others end a token.
func TestExpiresSplitsAtDelimiters(t *testing.T) {
	t.Parallel()
	const delimiters = "\t !\"#$%&'()*+,-./<=>?@[\\]^_`{|}~"
	for b := range 256 {
		separator := string([]byte{byte(b)})
		parsed, err := cookie.Parse("sid=v; Expires=06" + separator + "Nov 1994 08:49:37")
		if err != nil {
			continue // a control character
		}
		if parsed.HasExpires != strings.Contains(delimiters, separator) {
			t.Errorf("%q: a date was read is %t", separator, parsed.HasExpires)
		}
	}
}

// Every format in which Go prints a date for HTTP must be understood.
func TestExpiresReadsWhatGoPrints(t *testing.T) {
	t.Parallel()
	start := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	for day := range 800 {
		moment := start.Add(time.Duration(day) * 25 * time.Hour)
		for _, layout := range []string{time.RFC1123, time.RFC850, time.ANSIC} {
			text := moment.Format(layout)
			if got := mustParse(t, "sid=v; Expires="+text).Expires; !got.Equal(moment) {
				t.Errorf("%q is %v", text, got)
			}
		}
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	const day, most = 24 * time.Hour, 400 * 24 * time.Hour
	for _, test := range []struct {
		attributes string
		lifetime   time.Duration
		requested  time.Duration
		persistent bool
		deletes    bool
	}{
		{attributes: "Path=/"},
		{"Max-Age=60", time.Minute, time.Minute, true, false},
		{"Max-Age=1", time.Second, time.Second, true, false},
		{"Max-Age=0", 0, 0, true, true},
		{"Max-Age=-60", 0, 0, true, true},
		{"Max-Age=-99999999999999999999", 0, 0, true, true},
		{"Max-Age=34560000", most, most, true, false},
		{"Max-Age=34560001", most, most + time.Second, true, false},
		{"Max-Age=99999999999999999999", most, math.MaxInt64 / time.Second * time.Second, true, false},
		{"Expires=Wed, 25 Nov 2026 12:00:00 GMT", day, day, true, false},
		{"Expires=Tue, 24 Nov 2026 12:00:01 GMT", time.Second, time.Second, true, false},
		{"Expires=Tue, 24 Nov 2026 12:00:00 GMT", 0, 0, true, true},
		{"Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, 0, true, true},
		{"Expires=Wed, 29 Dec 2027 12:00:01 GMT", most, most + time.Second, true, false},
		{"Expires=Fri, 31 Dec 9999 23:59:59 GMT", most, math.MaxInt64, true, false},
		{"Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", time.Minute, time.Minute, true, false},
		{"Expires=Wed, 25 Nov 2026 12:00:00 GMT; Max-Age=0", 0, 0, true, true},
		{"Expires=Wed, 25 Nov 2026 12:00:00 GMT; Max-Age=x", day, day, true, false},
		{attributes: "Expires=tomorrow; Max-Age=x"},
	} {
		parsed := mustParse(t, "sid=v; "+test.attributes)
		lifetime, persistent := parsed.Lifetime(now)
		requested, asked := parsed.Requested(now)
		if lifetime != test.lifetime || requested != test.requested || persistent != test.persistent || asked != test.persistent {
			t.Errorf("%q: lifetime %v %t, requested %v %t", test.attributes, lifetime, persistent, requested, asked)
		}
		if parsed.Deletes(now) != test.deletes {
			t.Errorf("%q: deletes is %t", test.attributes, !test.deletes)
		}
	}
	if d, persistent := (cookie.Cookie{}).Lifetime(now); d != 0 || persistent {
		t.Errorf("the zero Cookie lives %v, %t", d, persistent)
	}
}
