package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRunFile(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	path := sqlFile(t, "\ufeff"+`\restrict token
-- the start of a dump
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.notes (text TEXT);
INSERT INTO public.notes VALUES ('a;b'), ('it''s'), (E'back\'slash;'), ($$dollar;'$$), ($tag$ $$;$$ $tag$);
/* a comment; /* inside; */ another; */
INSERT INTO public.notes VALUES (E'two'
  -- parts;
  ' of\' it;');
CREATE RULE log AS ON DELETE TO public.notes DO ALSO (INSERT INTO public.notes VALUES ('1'); INSERT INTO public.notes VALUES ('2'));
CREATE FUNCTION public.three() RETURNS INT LANGUAGE SQL BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 3 END; END;
CREATE OR REPLACE FUNCTION public.four() RETURNS INT LANGUAGE plpgsql AS $body$ BEGIN RETURN 4; END; $body$;
BEGIN; INSERT INTO public.notes VALUES ('in a transaction'); COMMIT;
SELECT generate_series(1, 100000);
;;
\unrestrict token
`)
	if err := s.RunFile(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if got := value(t, s, "SELECT string_agg(text, '|' ORDER BY text COLLATE \"C\") FROM notes"); got != " $$;$$ |a;b|back'slash;|dollar;'|in a transaction|it's|two of' it;" {
		t.Errorf("rows: %s", got)
	}
	if got := value(t, s, "SELECT (three() + four())::TEXT"); got != "7" {
		t.Errorf("functions: %s", got)
	}
	if got := value(t, s, "SHOW search_path"); got == "" {
		t.Error("the file's settings outlived it")
	}
}

func TestRunFileNamesTheLine(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	for name, test := range map[string]struct{ content, want string }{
		"first word":           {"\n\nSELEC 1;", `:3: syntax error at or near "SELEC" (SQLSTATE 42601)`},
		"inside a statement":   {"SELECT 1;\nCREATE TABLE t (\n  é TEXT,\n  b NOTYPE\n);", `:4: type "notype" does not exist`},
		"no position":          {"SELECT 1;\n\nDROP TABLE missing;", `:3: table "missing" does not exist`},
		"open string":          {"SELECT 1;\nSELECT 'it;\nSELECT 2;", ":2: the string that starts here does not end"},
		"open name":            {`SELECT "it;`, ":1: the quoted name that starts here"},
		"open comment":         {"SELECT 1;\n/* /* */", ":2: the comment that starts here"},
		"open dollar quote":    {"\nDO $x$ BEGIN END $y$;", ":2: the dollar quote $x$ that starts here"},
		"psql command":         {"SELECT 1;\n\\connect other\nSELECT 2;", `:2: "\\connect" is a command of psql`},
		"COPY with data":       {"CREATE TABLE c (a TEXT);\nCOPY c (a) FROM stdin;\nit's\n\\.\n", ":2: COPY FROM stdin is not supported"},
		"NUL":                  {"SELECT 1;\nSELECT '\x00'", ":2: the file holds a NUL byte"},
		"open transaction":     {"BEGIN;\nSELECT 1;\n", ": the file ends inside a transaction; add COMMIT"},
		"control characters":   {"SELECT \"a\x1b[31m\nb\"", `:1: column "a [31m b" does not exist`},
		"closed by the server": {"SELECT 1;\nSELECT pg_terminate_backend(pg_backend_pid());", ":2: terminating connection due to administrator command"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := sqlFile(t, test.content)
			err := s.RunFile(t.Context(), path)
			wantError(t, err, path+test.want)
		})
	}
}

func TestRunFileKeepsRowsOutOfErrors(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	path := sqlFile(t, "CREATE TABLE u (token TEXT UNIQUE);\nINSERT INTO u VALUES ('row-canary');\nINSERT INTO u VALUES ('row-canary');")
	err := s.RunFile(t.Context(), path)
	wantError(t, err, path+":3: duplicate key value")
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("shows the row: %v", err)
	}
}

func TestRunFileRefusesFiles(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	folder := t.TempDir()
	large, pipe := filepath.Join(folder, "large.sql"), filepath.Join(folder, "pipe.sql")
	if err := os.WriteFile(large, []byte(strings.Repeat(" ", largestFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "missing.sql"): "missing.sql does not exist",
		filepath.Join(large, "below.sql"):    "not a directory",
		folder:                               "is not a regular file",
		pipe:                                 "is not a regular file",
		large:                                "is larger than 10 MiB",
	} {
		wantError(t, s.RunFile(t.Context(), path), want)
	}
	if err := os.Truncate(large, largestFile); err != nil {
		t.Fatal(err)
	}
	if err := s.RunFile(t.Context(), large); err != nil {
		t.Errorf("exactly 10 MiB: %v", err)
	}
}

func TestRunFileIsInterrupted(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	path := sqlFile(t, "SELECT 1;\nSELECT pg_sleep(600);")
	began := time.Now()
	err := s.RunFile(ctx, path)
	wantError(t, err, "interrupted")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("does not wrap the cause: %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}
