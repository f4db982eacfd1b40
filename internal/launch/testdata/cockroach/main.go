// Command cockroach is what the tests of launch take for CockroachDB: it wants
// exactly the flags of the lightest node, is ready at the third question and
// takes connections without a word of SQL. A file named mode beside it changes
// what it does.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

var wanted = map[string]bool{"--insecure": true, "--store=type=mem,size=640MiB": true, "--cache=64MiB": true, "--max-sql-memory=128MiB": true}

func main() {
	mode := read()
	switch {
	case slices.Equal(os.Args[1:], []string{"version", "--build-tag"}):
		if mode == "mute" {
			die("illegal instruction")
		}
		version, found := strings.CutPrefix(mode, "version ")
		if !found {
			version = "v26.2.5"
		}
		fmt.Println(version)
	case len(os.Args) > 1 && os.Args[1] == "start-single-node":
		node(mode)
	default:
		die(fmt.Sprintf("unknown command %q", os.Args[1:]))
	}
}

func read() string {
	mode, err := os.ReadFile(filepath.Join(filepath.Dir(os.Args[0]), "mode"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(mode))
}

func die(words string) {
	fmt.Fprintln(os.Stderr, "ERROR:", words)
	os.Exit(1)
}

func node(mode string) {
	sql, web := flags()
	switch mode {
	case "dies":
		die("cannot allocate memory")
	case "busy":
		die("listen tcp " + sql + ": bind: address already in use")
	}
	if mode != "deaf" {
		serveSQL(sql)
	}
	var asked atomic.Int32
	handler := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.RequestURI() != "/health?ready=1":
			w.WriteHeader(http.StatusNotFound)
		case mode == "never" || asked.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	fmt.Println("CockroachDB node starting")
	die(http.ListenAndServe(web, http.HandlerFunc(handler)).Error())
}

// flags gives the two addresses, and dies of a flag that is missing, doubled or
// not known.
func flags() (sql, web string) {
	if os.Getenv("COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING") != "true" {
		die("would report home")
	}
	left := map[string]bool{}
	for flag := range wanted {
		left[flag] = true
	}
	for _, flag := range os.Args[2:] {
		address, isSQL := strings.CutPrefix(flag, "--listen-addr=")
		page, isWeb := strings.CutPrefix(flag, "--http-addr=")
		switch {
		case isSQL && sql == "":
			sql = address
		case isWeb && web == "":
			web = page
		case left[flag]:
			delete(left, flag)
		default:
			die("unknown flag: " + flag)
		}
	}
	if len(left) > 0 || sql == "" || web == "" {
		die(fmt.Sprintf("missing: %v, of the addresses %q and %q", left, sql, web))
	}
	return sql, web
}

func serveSQL(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		die(err.Error())
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, connection) }()
		}
	}()
}
