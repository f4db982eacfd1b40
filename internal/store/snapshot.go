package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// moment is how cluster_logical_timestamp() writes a time.
var moment = regexp.MustCompile(`^\d{19}\.\d{10}$`)

// Now is the present as a moment that FindAt and RowAt can go back to, within
// the ten minutes or more that CockroachDB keeps old rows. PostgreSQL keeps
// none; there it is "", which stands for the time of the call.
func (s *Store) Now(ctx context.Context) (string, error) {
	if !s.cockroach() {
		return "", nil
	}
	rows, err := s.ask(ctx, readTimestamp.with())
	if err != nil {
		return "", fmt.Errorf("the time of the session store cannot be read: %w", reasonOf(ctx, err))
	}
	if len(rows) != 1 || !moment.MatchString(rows[0].text(0)) {
		return "", errors.New("the time of the session store cannot be read: it is no timestamp of CockroachDB")
	}
	return rows[0].text(0), nil
}

func (s *Store) asOf(at string) (string, error) {
	clause, err := asOf(at)
	if clause != "" && !s.cockroach() {
		return "", errors.New("PostgreSQL keeps no old rows; leave the moment empty")
	}
	return clause, err
}

// asOf is the clause for a moment. CockroachDB takes no parameter there
// (cockroachdb/cockroach#30955), so only what is a timestamp gets in.
func asOf(at string) (string, error) {
	switch {
	case at == "":
		return "", nil
	case !moment.MatchString(at):
		return "", errors.New("that is no moment of the session store; take one from Now")
	}
	return fill(asOfSystemAt, "at", at), nil
}
