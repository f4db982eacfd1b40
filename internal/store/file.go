package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

const largestFile = 10 << 20

// RunFile runs the statements of a SQL file in order, on a connection of their
// own, so that a SET or an open transaction ends with the file. The first one
// that fails ends the run; the error begins with the file and its line. Rows
// are dropped. Files of psql may hold \restrict, which pg_dump writes, but none
// of its other commands and no data after COPY … FROM stdin.
func (s *Store) RunFile(ctx context.Context, path string) error {
	text, err := read(path)
	if err != nil {
		return err
	}
	statements, problem := split(text)
	if problem != nil {
		return fmt.Errorf("%s:%d: the %s that starts here does not end", path, problem.line, problem.what)
	}
	own, err := s.In(ctx, s.config.Database)
	if err != nil {
		return err
	}
	defer own.Close()
	for _, one := range statements {
		if err := own.runOne(ctx, one); err != nil {
			return fmt.Errorf("%s:%w", path, err)
		}
	}
	return own.closed(path)
}

// runOne's errors begin with the line.
func (s *Store) runOne(ctx context.Context, one statement) error {
	switch {
	case strings.HasPrefix(one.text, `\restrict`), strings.HasPrefix(one.text, `\unrestrict`):
		return nil
	case strings.HasPrefix(one.text, `\`):
		command, _, _ := strings.Cut(one.text, " ")
		return fmt.Errorf("%d: %.20q is a command of psql, not SQL; remove it", one.line, command)
	case copiesIn(one.text):
		return fmt.Errorf("%d: COPY FROM stdin is not supported; write INSERT statements (pg_dump --inserts)", one.line)
	}
	err := s.exec(ctx, one.text)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%d: %w", failedLine(one, err), explain(ctx, err))
}

// copiesIn sees the one statement after which the server would wait for data.
func copiesIn(text string) bool {
	words := strings.Fields(strings.ToLower(text))
	if len(words) < 4 || words[0] != "copy" {
		return false
	}
	for i, word := range words[:len(words)-1] {
		if word == "from" && strings.HasPrefix(words[i+1], "stdin") {
			return true
		}
	}
	return false
}

// failedLine is where in a long statement the server saw the mistake. Its
// position counts characters from 1; 0 is unknown.
func failedLine(one statement, err error) int {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.Position < 1 {
		return one.line
	}
	before := []rune(one.text)
	before = before[:min(len(before), int(answer.Position)-1)]
	return one.line + strings.Count(string(before), "\n")
}

// closed is an error when the file left a transaction open: what it wrote would
// be lost without a word.
func (s *Store) closed(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connection.PgConn().TxStatus() != 'I' {
		return fmt.Errorf("%s: the file ends inside a transaction; add COMMIT", path)
	}
	return nil
}

func read(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("the SQL file %s does not exist; its path is read from the folder of the recipe", path)
	case err != nil:
		return "", fmt.Errorf("the SQL file %s cannot be read: %w", path, reason(err))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("the SQL file %s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the SQL file %s cannot be read: %w", path, reason(err))
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the SQL file %s cannot be read: %w", path, reason(err))
	case len(content) > largestFile:
		return "", fmt.Errorf("the SQL file %s is larger than 10 MiB; a schema and a few rows are enough for a scan", path)
	}
	text := strings.TrimPrefix(string(content), "\ufeff")
	// The protocol ends a statement at NUL, so the server would run half of it.
	if before, _, found := strings.Cut(text, "\x00"); found {
		return "", fmt.Errorf("%s:%d: the file holds a NUL byte; save it as UTF-8", path, 1+strings.Count(before, "\n"))
	}
	return text, nil
}

// reason is a file error without the path, which our sentence names already.
func reason(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
