package fastapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testenv/fastapi", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A build sees its own folder only, so that each image has a copy of what the
// apps share; and it installs what the tests install.
func TestTheImagesHoldWhatTheAppsShare(t *testing.T) {
	t.Parallel()
	if file(t, "vulnerable/store.py") != file(t, "hardened/store.py") {
		t.Error("vulnerable/store.py and hardened/store.py differ: they are the same file, copied")
	}
	required := strings.Fields(file(t, "requirements.txt"))
	for _, app := range []string{"vulnerable", "hardened"} {
		pins := regexp.MustCompile(`\S+==\S+`).FindAllString(file(t, app+"/Dockerfile"), -1)
		if len(pins) != 5 {
			t.Errorf("%s/Dockerfile pins %v", app, pins)
		}
		for _, pin := range pins {
			if !strings.Contains(" "+strings.Join(required, " ")+" ", " "+pin+" ") {
				t.Errorf("%s/Dockerfile pins %s, requirements.txt another", app, pin)
			}
		}
	}
}
