package store

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var update = flag.Bool("update", false, "rewrite the golden file of statements")

// The servers that a statement is for.
const (
	forBoth      = "both"
	forPostgres  = "postgres"
	forCockroach = "cockroach"
)

type sample struct {
	name   statementName
	server string
	text   string
}

// sampled is a table whose names break what is not quoted, and whose columns
// are of every kind that makes a difference.
var sampled = Table{Schema: "Auth Stuff", Name: `se"ssions; --`, Key: []string{"select", "tenant"}, Columns: []TableColumn{
	{Name: "n", Type: "int8", always: true}, {Name: "select", Type: "uuid", Indexed: true}, {Name: "tenant", Type: "varchar"},
	{Name: "token_hash", Type: "bytea", Role: roleID, Indexed: true}, {Name: "sid", Type: "text", Role: roleID, Indexed: true}, {Name: "码", Type: "bpchar", Indexed: true},
	{Name: "user", Type: "text", Role: roleUser}, {Name: "created at", Type: "timestamptz", Role: roleCreated, Indexed: true}, {Name: "expires", Type: "int8", Role: roleExpires},
	{Name: "data", Type: "jsonb", Role: roleData}, {Name: "doubled", Type: "text", computed: true},
}}

// sampleTable makes it.
const sampleTable = `CREATE SCHEMA "Auth Stuff"; CREATE TABLE "Auth Stuff"."se""ssions; --" (n BIGINT GENERATED ALWAYS AS IDENTITY, "select" UUID, tenant VARCHAR,
	token_hash BYTEA, sid TEXT, "码" CHAR(64), "user" TEXT, "created at" TIMESTAMPTZ, expires BIGINT, data JSONB, doubled TEXT GENERATED ALWAYS AS (sid || sid) STORED, PRIMARY KEY ("select", tenant))`

func samples() []sample {
	user, database, schema := quoted(`api "user"`), quoted(`run "1"; --`), quoted("Auth Stuff")
	return slices.Concat([]sample{
		{createDatabase, forBoth, createDatabase.with("database", database)},
		{createUser, forBoth, createUser.with("user", user, "password", "LETTERSandDIGITS123")},
		{createOpenUser, forBoth, createOpenUser.with("user", user)},
		{grantConnect, forBoth, grantConnect.with("database", database, "user", user)},
		{revokeCreate, forBoth, revokeCreate.with("schema", schema)},
		{grantUsage, forBoth, grantUsage.with("schema", schema, "user", user)},
		{grantRows, forBoth, grantRows.with("schema", schema, "user", user)},
		{grantSequences, forBoth, grantSequences.with("schema", schema, "user", user)},
		{grantCreate, forBoth, grantCreate.with("user", user)},
		{listTables, forBoth, listTables.with("tables", "2000")},
		{listColumns, forBoth, listColumns.with("columns", "50000")},
		{listIndexes, forBoth, listIndexes.with("columns", "50000")},
		{readTimestamp, forCockroach, readTimestamp.with()},
	}, plainSamples(forCockroach, quickSettings...), plainSamples(forBoth, listSchemas, limitTime, limitNames, useUTC, useISODates, useIntervals, useExactFloats, useHexBytes, useSerializable,
		readOptions, readUser, readMemberships, readRights, readTableRights), searches("", forBoth), searches("1763900000000000000.0000000000", forCockroach), changes())
}

func plainSamples(server string, names ...statementName) []sample {
	var found []sample
	for _, name := range names {
		found = append(found, sample{name, server, name.with()})
	}
	return found
}

func searches(at, server string) []sample {
	clause, _ := asOf(at)
	l := (&Store{}).newLook(clause, needlesOf(secret.New(asIs)))
	var found []sample
	for _, column := range sampled.Columns {
		if condition, _ := l.needles.byIndex(column); condition != "" {
			found = append(found, sample{findByIndex, server, l.lookup(sampled, sampled.Columns, fill(condition, "column", quoted(column.Name)))})
		}
	}
	scan, _ := l.scan(sampled, sampled.Columns)
	short, _ := (&Store{}).newLook(clause, needlesOf(secret.New("x"))).scan(sampled, sampled.Columns)
	read, _ := sampledRow().reading(clause, sampled.Columns, searchedLength)
	return append(found, sample{findByScan, server, scan}, sample{findShortByScan, server, short}, sample{countBeyond, server, l.beyond(sampled)}, sample{readRow, server, read})
}

func sampledRow() identified {
	return identified{table: sampled, key: []trace.Column{{Name: "select", Type: "uuid"}, {Name: "tenant", Type: "varchar"}}}
}

func changes() []sample {
	r, kept := sampledRow(), original{columns: sampled.Columns, values: make(record, len(sampled.Columns))}
	text := func(statement string, _ []any) string { return statement }
	return []sample{
		{updateRow, forBoth, text(r.updating(nil, false))},
		{updateRow, forBoth, text(r.updating(nil, true))},
		{updateRow, forBoth, text(r.updating(map[string]string{"expires": "1", "data": "{}"}, false))},
		{updateRow, forBoth, text(r.updating(map[string]string{"expires": "1", "data": "{}"}, true))},
		{updateRow, forBoth, text(r.puttingBack(kept))},
		{insertRow, forBoth, text(r.inserting(original{columns: sampled.Columns[1:], values: kept.values[1:]}, false))},
		{insertRow, forCockroach, text(r.inserting(kept, true))},
		{insertRowOverriding, forPostgres, text(r.inserting(kept, false))},
		{deleteRow, forBoth, text(r.deleting())},
	}
}

func TestStatementsFileIsFresh(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	written.WriteString("# Every statement of internal/store, with sample names in it.\n" +
		"# Written by: go test ./internal/store -run TestStatementsFileIsFresh -update\n" +
		"# Each line: the server it is for, its name, the statement; tabs between.\n")
	for _, one := range samples() {
		if strings.ContainsAny(one.text, "\n\t") || strings.Contains(one.text, "{") {
			t.Errorf("%s: has an open hole, or more than one line: %s", one.name, one.text)
		}
		fmt.Fprintf(&written, "%s\t%s\t%s\n", one.server, one.name, one.text)
	}
	path := filepath.Join("testdata", "statements.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, written.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), written.String()); diff != "" {
		t.Errorf("run it with -update:\n%s", diff)
	}
}

func TestEveryStatementHasASample(t *testing.T) {
	t.Parallel()
	for name := range texts {
		if !slices.ContainsFunc(samples(), func(s sample) bool { return s.name == name }) {
			t.Errorf("%s has none", name)
		}
	}
}

// PostgreSQL resolves every name, function and type in a statement when it
// prepares it, definitions excepted.
func TestPostgreSQLTakesEveryStatement(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, sampleTable)
	for _, one := range samples() {
		_, err := s.connection.Prepare(t.Context(), "", one.text)
		if (err == nil) != (one.server != forCockroach) {
			t.Errorf("%s: %v\n%s", one.name, err, one.text)
		}
	}
}

var sqlStart = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|SET|BEGIN|COMMIT|WITH|SHOW|EXPLAIN|TRUNCATE)\s`)

func TestStatementsAreInOneList(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if file == "sql.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := gotoken.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if literal, is := node.(*ast.BasicLit); is && literal.Kind == gotoken.STRING && sqlStart.MatchString(strings.Trim(literal.Value, "`\"")) {
				t.Errorf("%s: SQL belongs into sql.go: %s", set.Position(literal.Pos()), literal.Value)
			}
			return true
		})
	}
}
