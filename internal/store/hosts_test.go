package store_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string][]string{
		"postgresql://u:canary@127.0.0.1:5432/app":                        {"127.0.0.1"},
		"postgresql+psycopg://u:canary@db.example/app?sslmode=disable":    {"db.example"},
		"postgresql://u:canary@localhost/app?host=db.example":             {"db.example"},
		"postgresql://u:canary@localhost:5432,db.example:5432/app":        {"localhost", "db.example"},
		"host=/var/run/postgresql user=u password=canary dbname=app":      {"/var/run/postgresql"},
		"postgresql://u:canary@[::1]:5432/app?sslmode=disable":            {"::1"},
		"cockroachdb://u:canary@LOCALHOST:26257/app?sslmode=disable":      {"LOCALHOST"},
		"postgresql://u:canary@127.0.0.1:5432/app?hostaddr=192.0.2.1&a=b": {"127.0.0.1"},
	} {
		hosts, err := store.Hosts(secret.New(dsn))
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
		if diff := cmp.Diff(want, hosts); diff != "" {
			t.Errorf("%s: %s", dsn, diff)
		}
	}
	for _, dsn := range []string{"", "mysql://u:canary@127.0.0.1/app", "postgresql://u:canary@127.0.0.1:port/app"} {
		if _, err := store.Hosts(secret.New(dsn)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{"/run/postgresql": true, "localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "0.0.0.0": false, "db.example": false, "192.0.2.1": false, "localhost.example": false} {
		if store.Local(host) != want {
			t.Errorf("%q is local: %v", host, !want)
		}
	}
}
