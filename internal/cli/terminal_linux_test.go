package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sessiongate/sessiongate/internal/cli"
)

// terminal opens a pseudo-terminal of that width. What is written to it is
// what the function returns, once it is closed.
func terminal(t *testing.T, columns uint16) (tty *os.File, written func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine gives no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: columns}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := make(chan string, 1)
	go func() {
		var read bytes.Buffer
		_, _ = io.Copy(&read, master) // ends with EIO when the last writer has closed
		whole <- read.String()
	}()
	return tty, func() string {
		_ = tty.Close()
		return <-whole
	}
}

func onTerminal(t *testing.T, columns uint16, environment map[string]string, args ...string) (out, messages string) {
	t.Helper()
	screen, shown := terminal(t, columns)
	foot, told := terminal(t, columns)
	cli.Main(t.Context(), args, cli.Streams{Out: screen, Err: foot, Getenv: func(name string) (string, bool) {
		value, set := environment[name]
		return value, set
	}})
	return shown(), told()
}

func TestAPersonAtATerminalSeesProgressAndColours(t *testing.T) {
	t.Parallel()
	out, messages := onTerminal(t, 120, nil, "demo")
	for _, says := range []string{"\x1b[", "\x1b[1;31m", "as expected"} {
		if !strings.Contains(out, says) {
			t.Errorf("no %q in\n%s", says, out)
		}
	}
	if !strings.Contains(messages, "calibrating") || !strings.Contains(messages, "attacks, ") || !strings.HasSuffix(messages, "\r\x1b[K") {
		t.Errorf("the progress is %q", messages)
	}
	wide := 0
	for line := range strings.SplitSeq(out, "\n") {
		if len(line) > 100 && !strings.HasPrefix(line, "       ") {
			wide++
		}
	}
	if wide == 0 {
		t.Error("no line uses the width of the terminal")
	}
}

func TestWhoWantsNeitherGetsNeither(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment map[string]string
		args        []string
	}{
		"--no-color": {nil, []string{"explain", "--no-color"}},
		"NO_COLOR":   {map[string]string{"NO_COLOR": "1"}, []string{"explain"}},
		"TERM=dumb":  {map[string]string{"TERM": "dumb"}, []string{"demo"}},
		"--quiet":    {nil, []string{"scan", "http://127.0.0.1:1", "--quiet", "--login", "POST /login", "--identity", "GET /me", "--user", "alice", "--password-env", "PW"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.environment == nil {
				test.environment = map[string]string{"PW": "secret"}
			}
			out, messages := onTerminal(t, 80, test.environment, test.args...)
			if strings.Contains(out+messages, "\x1b") {
				t.Errorf("%q and %q", out, messages)
			}
		})
	}
}
