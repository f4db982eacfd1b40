package cli_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/cli"
)

func helpOf(t *testing.T, command ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if code := cli.Main(t.Context(), append([]string{"help"}, command...), cli.Streams{Out: &out, Err: &said, Getenv: cli.Environment}); code != 0 {
		t.Fatalf("help %v: exit code %d, %s", command, code, said.String())
	}
	return out.String()
}

// Every command shows how it is called, and the README knows it.
func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(helpOf(t), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	commands := 0
	for line := range strings.SplitSeq(list, "\n") {
		name := strings.Fields(line)[0]
		if name == "completion" || name == "help" { // the library's own
			continue
		}
		commands++
		help := helpOf(t, name)
		_, examples, _ := strings.Cut(help, "\nExamples:\n")
		if examples, _, _ = strings.Cut(examples, "\n\n"); !strings.Contains(examples, "sessiongate "+name) {
			t.Errorf("help %s has no example of it:\n%s", name, help)
		}
		if name != "version" && name != "action" && !strings.Contains(string(readme), "sessiongate "+name) && !strings.Contains(string(readme), "go run . "+name) {
			t.Errorf("README.md does not mention sessiongate %s", name)
		}
	}
	if commands < 8 {
		t.Errorf("%d commands are listed:\n%s", commands, list)
	}
}
