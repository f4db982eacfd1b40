package discover

import (
	"context"
	"fmt"
	"strings"
)

// complain says what is missing and the one thing that would add it.
func (s *search) complain(ctx context.Context) {
	lacks := func(step purpose, why, remedy string) {
		if !s.has(step) {
			s.result.Missing = append(s.result.Missing, Missing{string(step), why, remedy})
		}
	}
	why := s.why(ctx)
	switch {
	case len(s.users) == 0:
		lacks(forLogin, "there are no users to try it with, and no way to register any was found", "give --user NAME with --password-env VAR")
	default:
		lacks(forLogin, "no login was found"+why, `give --login "POST /path", or steps.login in the recipe`)
	}
	if s.has(forLogin) { // what needs a session can be found once there is a login
		lacks(forIdentity, "no address was found whose answer tells users apart", `give --identity "GET /path", or steps.identity in the recipe`)
	}
	if s.has(forLogin) && s.has(forIdentity) {
		lacks(forLogout, "no logout was found", `give --logout "POST /path", or steps.logout in the recipe`)
	}
}

// why sums up what stood in the way, in a clause.
func (s *search) why(ctx context.Context) string {
	var reasons []string
	switch {
	case s.limited:
		reasons = append(reasons, "the API answered 429 Too Many Requests")
	case ctx.Err() != nil:
		reasons = append(reasons, fmt.Sprintf("the %s for it were over", longest))
	case s.knocked():
		reasons = append(reasons, fmt.Sprintf("the %d logins for it were spent", mostKnocks))
	case s.spent():
		reasons = append(reasons, fmt.Sprintf("the %d requests for it were spent", budget))
	}
	reasons = append(reasons, s.problems[:min(len(s.problems), 2)]...)
	reasons = append(reasons, s.refusals[:min(len(s.refusals), 3)]...)
	if len(reasons) == 0 {
		return ""
	}
	return ": " + strings.Join(reasons, "; ")
}
