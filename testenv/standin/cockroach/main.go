// Command cockroach is the entry of the stand-in image: it takes the command
// line of CockroachDB's, and runs the image's PostgreSQL behind it.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	owner = 999     // of the files of the cluster: PostgreSQL does not run as root
	data  = "/data" // made with the image
)

func main() {
	if err := run(arguments()); err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
}

// arguments may come from the environment, as with the image's own script.
func arguments() []string {
	words := os.Args[1:]
	if given := os.Getenv("COCKROACH_ARGS"); given != "" && filepath.Base(os.Args[0]) == "cockroach.sh" {
		words = strings.Fields(given)
	}
	return words
}

func run(words []string) error {
	if len(words) == 0 || words[0] != "start-single-node" {
		return fmt.Errorf("the stand-in knows start-single-node only, not %q", words)
	}
	sql, web := ":26257", ":8080"
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "--listen-addr":
			sql = value
		case "--http-addr":
			web = value
		case "--insecure", "--store", "--cache", "--max-sql-memory", "--background":
		default:
			return fmt.Errorf("unknown flag: %s", name)
		}
	}
	return serve(sql, web)
}

func serve(sql, web string) error {
	host, port, err := net.SplitHostPort(sql)
	if err != nil {
		return err
	}
	if host == "" {
		host = "*"
	}
	servers, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(servers) != 1 {
		return errors.New("the image holds no PostgreSQL")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := exec.CommandContext(ctx, servers[0], "-D", data, "-p", port, "-c", "listen_addresses="+host)
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	server.Env = []string{"LC_ALL=C", "TZ=UTC"}
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGINT) } // a fast shutdown
	server.WaitDelay = 3 * time.Second
	if os.Getuid() == 0 {
		server.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner, Gid: owner}}
	}
	if err := server.Start(); err != nil {
		return err
	}
	go health(web, port)
	err = server.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// health answers like a node: ready is another thing than alive.
func health(address, port string) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("ready") == "" {
			return
		}
		if !ready("127.0.0.1:" + port) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/health", answer)
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: time.Second}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
}

// ready says hello as a client of PostgreSQL does (message formats,
// StartupMessage): a server that is still starting answers with an error.
func ready(address string) bool {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	words := []byte("user\x00root\x00database\x00defaultdb\x00\x00")
	hello := binary.BigEndian.AppendUint32(nil, uint32(8+len(words)))
	hello = binary.BigEndian.AppendUint32(hello, 3<<16)
	if _, err := connection.Write(append(hello, words...)); err != nil {
		return false
	}
	kind := make([]byte, 1)
	_, err = connection.Read(kind)
	return err == nil && kind[0] == 'R'
}
