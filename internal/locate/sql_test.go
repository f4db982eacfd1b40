package locate

import (
	"fmt"
	"testing"
)

func TestWrites(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]string{
		"INSERT INTO sessions (sid, who) VALUES (%s, %s)":                                                "INSERT sessions.sid [0] INSERT sessions.who [1]",
		"insert into auth.\"Sessions\" (\"Sid\") values (encode(digest($2::text, 'sha256'), 'hex'), $1)": "INSERT Sessions.sid [1] INSERT Sessions. [0]",
		"INSERT INTO s VALUES (:a, @b)":                                                                  "INSERT s. [a] INSERT s. [b]",
		"INSERT INTO s (a, b) SELECT ?, ? FROM u":                                                        "INSERT s.a [0] INSERT s.b [1]",
		"WITH x AS (INSERT INTO s (a) VALUES ($1) RETURNING a) SELECT 1":                                 "INSERT s.a [0]",
		"INSERT INTO s (a) VALUES (%(n)s) ON CONFLICT (a) DO UPDATE SET b = %(m)s":                       "INSERT s.a [n]",
		"UPDATE s SET sid = $1, user_id = $2 WHERE sid = $3":                                             "UPDATE s.sid [0] UPDATE s.user_id [1]",
		"UPDATE s SET user_id = $1 WHERE sid = $2 AND x = 1":                                             "UPDATE s.user_id [0] UPDATE s.sid [1]finds",
		"UPDATE s SET user_id = NULL WHERE sid = $2":                                                     "UPDATE s.user_id []",
		"SELECT a FROM s WHERE sid = $1 FOR UPDATE":                                                      "",
		"DELETE FROM s WHERE sid = $1":                                                                   "",
		"-- INSERT INTO s (a) VALUES ($1)\nSELECT 1":                                                     "",
		"INSERT INTO s (a) VALUES ('\x00')":                                                              "INSERT s.a [0]text",
		"INSERT INTO":                                                                                    "",
		"UPDATE":                                                                                         "",
		"INSERT INTO s (":                                                                                "",
	} {
		got := ""
		for _, one := range writes(statement) {
			var slots []any
			text := ""
			for _, at := range one.slots {
				if at.number < 0 {
					slots = append(slots, at.name)
				} else {
					slots = append(slots, at.number)
				}
				if at.inText {
					text = "text"
				}
			}
			if one.finds {
				text += "finds"
			}
			if got != "" {
				got += " "
			}
			got += fmt.Sprintf("%s %s.%s %v%s", one.verb, one.table, one.column, slots, text)
		}
		if got != want {
			t.Errorf("%q\ngot  %s\nwant %s", statement, got, want)
		}
	}
}

func FuzzWrites(f *testing.F) {
	f.Add("INSERT INTO sessions (sid, who) VALUES (%s, $1, :a, '\x00', \"x\" -- \n")
	f.Add("UPDATE a.b SET c = 'd', user = ? WHERE e = (f) ; -- g")
	f.Fuzz(func(t *testing.T, statement string) {
		for _, one := range writes(statement) {
			if one.verb == "" {
				t.Errorf("%+v", one)
			}
		}
	})
}
