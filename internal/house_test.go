package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sessiongate/sessiongate/"

// floors are the rooms from the ground up. A room imports lower floors only,
// so rooms on one floor are strangers; app alone introduces them.
var floors = [][]string{
	{"internal/secret"},
	{"internal/cookie", "internal/idform", "internal/idquality", "internal/signed", "internal/personal", "internal/locate/syntax"},
	{"internal/trace"},
	{"internal/finding", "internal/recipe"},
	{"internal/score", "internal/probe"},
	{"internal/report", "internal/report/safejson", "internal/report/tame", "internal/report/ladder"},
	{"internal/report/screen"},
	{"internal/catalog", "internal/browser", "internal/discover", "internal/store", "internal/tap", "internal/launch", "internal/audit", "internal/locate",
		"internal/report/text", "internal/report/json", "internal/report/sarif", "internal/report/summary", "internal/report/html", "internal/report/junit",
		"internal/report/badge", "internal/report/reporttest", "internal/rulebook", "internal/codescanning"},
	{"internal/app"},
	{"internal/action", "internal/mcpserver"},
	{"testenv/demoapi"},
	{"internal/cli"},
	{""}, // main
}

// alone lists who may import a package that opens a door to the world.
var alone = map[string][]string{
	"net/http":                              {"internal/browser", "internal/launch", "internal/codescanning", "internal/cli", "testenv/demoapi"},
	"os/exec":                               {"internal/launch"},
	"github.com/jackc/pgx/v5":               {"internal/store", "internal/tap"}, // the tap its pgproto3 only
	"github.com/owenrumney/go-sarif":        {"internal/report/sarif"},
	"github.com/modelcontextprotocol":       {"internal/mcpserver"},
	"github.com/google/jsonschema-go":       {"internal/mcpserver"},
	"github.com/spf13/cobra":                {"internal/cli"},
	"github.com/goccy/go-yaml":              {"internal/recipe"},
	"github.com/moby/moby":                  {"internal/launch"},
	"github.com/containerd/errdefs":         {"internal/launch"},
	"github.com/tetratelabs/wazero":         {"internal/locate/syntax"},
	"golang.org/x/term":                     {"internal/cli"},
	"github.com/sethvargo/go-githubactions": {"internal/action"},
	"html/template":                         {"internal/report/html"},
	"go.yaml.in/yaml":                       {"internal/discover"}, // with the lines of foreign documents
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsGoDownOnly(t *testing.T) {
	t.Parallel()
	for _, room := range rooms(t) {
		own := floor(room.ImportPath)
		if own < 0 {
			if !strings.HasPrefix(name(room.ImportPath)+"/", "testenv/") {
				t.Errorf("%s stands on no floor: give it one in this test and in the design", name(room.ImportPath))
			}
			continue
		}
		for _, imported := range room.Imports {
			if !strings.HasPrefix(imported, module) {
				continue
			}
			if below := floor(imported); below < 0 || below >= own {
				t.Errorf("%s imports %s, which is not below it", name(room.ImportPath), name(imported))
			}
		}
	}
}

func TestDoorsToTheWorldHaveOneRoom(t *testing.T) {
	t.Parallel()
	for _, room := range rooms(t) {
		for _, imported := range room.Imports {
			for library, allowed := range alone {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && floor(room.ImportPath) >= 0 &&
					!slices.Contains(allowed, name(room.ImportPath)) && imported != "net/http/httptest" {
					t.Errorf("%s imports %s, which only %v may", name(room.ImportPath), imported, allowed)
				}
			}
		}
	}
}

// The plan that people read names every room, and no other.
func TestThePlanNamesEveryRoom(t *testing.T) {
	t.Parallel()
	plan, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(plan), "## The rooms")
	var named []string
	for row := range strings.SplitSeq(table, "\n") {
		if !strings.HasPrefix(row, "| `") {
			continue
		}
		for i, part := range strings.Split(row, "`") {
			if i%2 == 1 && strings.Contains(part, "/") {
				named = append(named, part)
			}
		}
	}
	for _, room := range slices.Concat(floors...) {
		if room != "" && !slices.Contains(named, room) {
			t.Errorf("ARCHITECTURE.md does not name %s", room)
		}
	}
	for _, room := range named {
		if floor(room) < 0 {
			t.Errorf("ARCHITECTURE.md names %s, which stands on no floor", room)
		}
	}
}

func name(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, strings.TrimSuffix(module, "/")), "/")
}

func floor(path string) int {
	return slices.IndexFunc(floors, func(rooms []string) bool { return slices.Contains(rooms, name(path)) })
}

func rooms(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var found []listed
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var one listed
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if one.ImportPath != module+"internal" { // this test's own
			found = append(found, one)
		}
	}
	if len(found) < 10 {
		t.Fatalf("go list named %d packages only", len(found))
	}
	return found
}
