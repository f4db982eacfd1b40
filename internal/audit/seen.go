package audit

import (
	"slices"

	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The bounds on what a target can put into these lists.
const (
	mostCookies = 50
	mostPlaces  = 128 // of an id; a longer one is a token with a structure of its own
)

// cookies lists what the answers set, one row for each way a cookie was set.
// That a cookie was deleted is no row.
func (result Result) cookies() []report.Cookie {
	carrier := result.Facts.Cookies()
	var rows []report.Cookie
	for _, exchange := range result.Seen {
		for _, set := range exchange.Response.SetCookie {
			if set.Deletes(exchange.Began) {
				continue
			}
			row := cookieOf(exchange, set)
			row.Carrier = slices.Contains(carrier, set.Name)
			if at := slices.IndexFunc(rows, func(other report.Cookie) bool { return setAlike(row, other) }); at >= 0 {
				rows[at].Times++
			} else if len(rows) < mostCookies {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func cookieOf(exchange trace.Exchange, set trace.SetCookie) report.Cookie {
	row := report.Cookie{
		Name: set.Name, Request: exchange.Request.Line(), Times: 1,
		Secure: set.Secure, HTTPOnly: set.HTTPOnly, Partitioned: set.Partitioned,
		SameSite: set.SameSiteRaw, Path: set.Path, Domain: set.Domain,
	}
	row.Lifetime, _ = set.Lifetime(exchange.Began)
	for _, rejection := range set.Rejections {
		row.Rejected = append(row.Rejected, rejection.Reason)
	}
	return row
}

// setAlike leaves out who set the cookie, and the seconds that an Expires is
// nearer each time.
func setAlike(a, b report.Cookie) bool {
	const near = 5 // per cent
	apart := (a.Lifetime - b.Lifetime).Abs()
	return a.Name == b.Name && a.Secure == b.Secure && a.HTTPOnly == b.HTTPOnly && a.Partitioned == b.Partitioned &&
		a.SameSite == b.SameSite && a.Domain == b.Domain && a.Path == b.Path &&
		slices.Equal(a.Rejected, b.Rejected) && apart*100 <= near*max(a.Lifetime, b.Lifetime)
}

// samples measures the ids that the server made for each cookie of the carrier.
func (result Result) samples() []report.Sample {
	var samples []report.Sample
	for _, name := range result.Facts.Cookies() {
		ids := result.issued(name)
		if len(ids) < 2 {
			continue
		}
		places := idquality.Places(ids)
		samples = append(samples, report.Sample{Cookie: name, Count: len(ids), Capacity: idquality.Capacity(ids),
			Places: places[:min(len(places), mostPlaces)], Rising: idquality.Rising(ids)})
	}
	return samples
}

// issued are the values of a cookie in the order they were given out, each
// once. One that a client sent first was made up by a probe.
func (result Result) issued(name string) []secret.Text {
	var ids []secret.Text
	known := map[secret.Text]bool{}
	for _, exchange := range result.Seen {
		known[exchange.Planted.ID] = true
		for _, held := range exchange.Carried {
			known[held.ID] = true
		}
		for _, set := range exchange.Response.SetCookie {
			if set.Name == name && !known[set.Value] && !set.Value.IsZero() && !set.Deletes(exchange.Began) {
				known[set.Value] = true
				ids = append(ids, set.Value)
			}
		}
	}
	return ids
}
