package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// TTL is row-level TTL of CockroachDB. It collects garbage some time after rows
// have expired; an expired row is readable until then.
type TTL struct {
	On, Paused  bool
	ExpireAfter string            // interval after the last write; "" when Expression decides
	Expression  string            // "expires_at"
	Schedule    string            // in cron's manner; "" is once a day
	Options     map[string]string // all of them, as the server writes them
}

// TTL reads the options of a table (named as Table.String does). On PostgreSQL
// no table has any.
func (s *Store) TTL(ctx context.Context, table string) (TTL, error) {
	tables, err := s.Tables(ctx)
	if err != nil {
		return TTL{}, err
	}
	at := slices.IndexFunc(tables, func(t Table) bool { return t.String() == table })
	if at < 0 {
		return TTL{}, fmt.Errorf("the session store has no table %s", plainName(table))
	}
	rows, err := s.ask(ctx, readOptions.with(), tables[at].Schema, tables[at].Name)
	if err != nil {
		return TTL{}, fmt.Errorf("the options of the table %s cannot be read: %w", tables[at], reasonOf(ctx, err))
	}
	var options []string
	for _, row := range rows {
		options = append(options, row.text(0))
	}
	return ttlOf(options), nil
}

func ttlOf(options []string) TTL {
	ttl := TTL{Options: map[string]string{}}
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		if name != "ttl" && !strings.HasPrefix(name, "ttl_") {
			continue
		}
		ttl.Options[name] = literal(value)
	}
	ttl.On = ttl.Options["ttl"] == "on"
	ttl.Paused = ttl.Options["ttl_pause"] == "true" || ttl.Options["ttl_pause"] == "on"
	ttl.ExpireAfter, ttl.Expression, ttl.Schedule = ttl.Options["ttl_expire_after"], ttl.Options["ttl_expiration_expression"], ttl.Options["ttl_job_cron"]
	return ttl
}

// literal reads 'on' and '00:10:00':::INTERVAL.
func literal(value string) string {
	value, _, _ = strings.Cut(value, ":::")
	if unquoted, is := strings.CutPrefix(value, "'"); is && strings.HasSuffix(unquoted, "'") {
		return strings.ReplaceAll(strings.TrimSuffix(unquoted, "'"), "''", "'")
	}
	return value
}

// Privileges are what a user may do in the database.
type Privileges struct {
	User       string
	Superuser  bool // or a member of CockroachDB's admin
	CreateRole bool
	CreateDB   bool
	MemberOf   []string
	// CreateSchema and CreateTable are for this database and its schema public.
	CreateSchema, CreateTable bool
	Tables                    []TablePrivileges // of 200 tables at most
}

// TablePrivileges are what a user may do with a table.
type TablePrivileges struct {
	Table                          string
	Select, Insert, Update, Delete bool
}

// Privileges reads what the user may do.
func (s *Store) Privileges(ctx context.Context, user string) (Privileges, error) {
	found, err := s.privileges(ctx, user)
	if err != nil {
		return Privileges{}, fmt.Errorf("the privileges of the user %s cannot be read: %w", plainName(user), err)
	}
	return found, nil
}

func (s *Store) privileges(ctx context.Context, user string) (Privileges, error) {
	roles, err := s.ask(ctx, readUser.with(), user)
	switch {
	case err != nil:
		return Privileges{}, reasonOf(ctx, err)
	case len(roles) == 0:
		return Privileges{}, fmt.Errorf("there is no such user")
	}
	found := Privileges{User: user, Superuser: roles[0].text(0) == "true", CreateRole: roles[0].text(1) == "true", CreateDB: roles[0].text(2) == "true"}
	groups, err := s.ask(ctx, readMemberships.with(), user)
	if err != nil {
		return Privileges{}, reasonOf(ctx, err)
	}
	for _, group := range groups {
		found.MemberOf = append(found.MemberOf, group.text(0))
	}
	// Old CockroachDB calls only root and admin themselves superusers.
	if s.cockroach() && (user == "root" || slices.Contains(found.MemberOf, "admin")) {
		found.Superuser = true
	}
	rights, err := s.ask(ctx, readRights.with(), user)
	if err != nil {
		return Privileges{}, reasonOf(ctx, err)
	}
	found.CreateSchema, found.CreateTable = rights[0].text(0) == "true", rights[0].text(1) == "true"
	found.Tables, err = s.tableRights(ctx, user)
	return found, err
}

// tableRights asks a second time when a table has gone in between.
func (s *Store) tableRights(ctx context.Context, user string) ([]TablePrivileges, error) {
	var failed error
	for range 2 {
		tables, err := s.tables(ctx, -1)
		if err != nil {
			return nil, err
		}
		tables = tables[:min(len(tables), searchedTables)]
		names := make([]string, len(tables))
		for i, table := range tables {
			names[i] = table.quoted()
		}
		rows, err := s.ask(ctx, readTableRights.with(), user, names)
		if err != nil {
			failed = reasonOf(ctx, err)
			continue
		}
		return rightsOf(tables, rows), nil
	}
	return nil, failed
}

func rightsOf(tables []Table, rows []record) []TablePrivileges {
	var found []TablePrivileges
	for _, table := range tables {
		for _, row := range rows {
			if row.text(0) == table.quoted() {
				found = append(found, TablePrivileges{Table: table.String(), Select: row.text(1) == "true", Insert: row.text(2) == "true",
					Update: row.text(3) == "true", Delete: row.text(4) == "true"})
			}
		}
	}
	return found
}
