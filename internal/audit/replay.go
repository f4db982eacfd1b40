package audit

import (
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// replay is the evidence as a shell script of curl commands. Session ids are
// variables: one that the attacker chose gets a value, one that the server
// issued is to be copied from the answer of the step before.
func replay(seen []trace.Exchange, evidence []finding.Evidence, users []User) string {
	var steps []trace.Exchange
	for _, told := range evidence {
		for _, exchange := range seen {
			if exchange.Seq == told.Exchange && exchange.Hop == 0 {
				steps = append(steps, exchange)
			}
		}
	}
	ids, script := variables(steps)
	for _, step := range steps {
		script += curl(step, ids, users)
	}
	return script
}

// variables names the ids that the steps send, in the order they appear.
func variables(steps []trace.Exchange) (names map[secret.Text]string, definitions string) {
	names = map[secret.Text]string{}
	issued := map[secret.Text]int{}
	for i, step := range steps {
		for _, id := range append([]secret.Text{step.Planted.ID}, carried(step)...) {
			if _, known := names[id]; known || id.IsZero() {
				continue
			}
			names[id] = fmt.Sprintf("ID_%d", len(names)+1)
			if from, is := issued[id]; is {
				definitions += fmt.Sprintf("%s=   # %s: copy it from the Set-Cookie of request %d\n", names[id], id.Tag(), from)
			} else {
				definitions += fmt.Sprintf("%s=planted-$RANDOM$RANDOM   # %s\n", names[id], id.Tag())
			}
		}
		for _, set := range step.Response.SetCookie {
			issued[set.Value] = i + 1
		}
	}
	return names, definitions
}

func carried(step trace.Exchange) []secret.Text {
	var ids []secret.Text
	for _, held := range step.Carried {
		ids = append(ids, held.ID)
	}
	return ids
}

func curl(exchange trace.Exchange, ids map[secret.Text]string, users []User) string {
	quote := func(text secret.Text) string { return quoted(text, ids, users) }
	command := fmt.Sprintf("curl -i -X %s %s", exchange.Request.Method, quote(exchange.Request.URL))
	for _, field := range exchange.Request.Header {
		switch strings.ToLower(field.Name) {
		case "user-agent", "accept", "cache-control":
			continue
		}
		command += " -H " + quote(secret.New(field.Name+": "+field.Value.Reveal()))
	}
	if exchange.Request.Body.Len() > 0 {
		command += " --data-raw " + quote(exchange.Request.Body)
	}
	return command + "   # " + exchange.Actor + "\n"
}

// quoted is a double-quoted shell word in which known ids are variables.
func quoted(text secret.Text, ids map[secret.Text]string, users []User) string {
	word := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "\n", " ").Replace(text.Reveal())
	for id, name := range ids {
		if id.Len() >= 6 {
			word = strings.ReplaceAll(word, id.Reveal(), "${"+name+"}")
		}
	}
	for _, user := range users {
		if user.Password.Len() >= 6 {
			word = strings.ReplaceAll(word, user.Password.Reveal(), "${"+variable(user.Name)+"_PASSWORD}")
		}
	}
	return `"` + word + `"`
}

// variable is a user's name as a shell can hold it.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}
