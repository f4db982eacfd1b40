package standin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const owner = 999 // of the cluster's files, as the entry has it

// postgres is the newest server that Debian's packages installed.
func postgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: apt-get install postgresql")
	}
	return slices.MaxFunc(found, func(a, b string) int { return release(a) - release(b) }), nil
}

func release(path string) int {
	number, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return number
}

// buildEntry makes the program that plays CockroachDB's.
func buildEntry(ctx context.Context, folder string) (string, error) {
	entry := filepath.Join(folder, "cockroach")
	source, err := module(ctx, "")
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", entry, "./testenv/standin/cockroach")
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return entry, nil
}

// store is the image's root. The cluster is made here, so that a container
// starts within a second and needs no shell.
func store(ctx context.Context, folder, entry, server string) (*tree, error) {
	cluster := filepath.Join(folder, "data")
	if err := initialise(ctx, cluster, filepath.Dir(server)); err != nil {
		return nil, err
	}
	root := &tree{}
	root.add(file{name: "/tmp", mode: 0o777 | os.ModeSticky})
	root.add(file{name: "/cockroach/cockroach", source: entry})
	root.add(file{name: "/cockroach/cockroach.sh", source: entry})
	if err := root.folder(cluster, "/data", owner, nil); err != nil {
		return nil, err
	}
	number := filepath.Base(filepath.Dir(filepath.Dir(server)))
	libraries := filepath.Join("/usr/lib/postgresql", number, "lib")
	for _, program := range []string{server, filepath.Join(libraries, "plpgsql.so"), filepath.Join(libraries, "dict_snowball.so")} {
		root.program(ctx, program)
	}
	if err := root.folder(filepath.Join("/usr/share/postgresql", number), filepath.Join("/usr/share/postgresql", number), 0,
		func(name string) bool { return name == "man" || name == "locale" }); err != nil {
		return nil, err
	}
	for _, zone := range []string{"/usr/share/zoneinfo/UTC", "/usr/share/zoneinfo/Etc/UTC"} {
		if _, err := os.Stat(zone); err == nil {
			root.add(file{name: zone, source: zone})
		}
	}
	return root, nil
}

// initialise makes a cluster whose administrator is root, without a password,
// as that of an insecure node, and its database defaultdb.
func initialise(ctx context.Context, cluster, programs string) error {
	credential, err := unprivileged(filepath.Dir(cluster))
	if err != nil {
		return err
	}
	run := func(input, program string, arguments ...string) error {
		command := exec.CommandContext(ctx, filepath.Join(programs, program), arguments...)
		command.Env, command.Dir = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}, filepath.Dir(cluster)
		command.Stdin = strings.NewReader(input)
		command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		if said, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", program, err, said)
		}
		return nil
	}
	if err := run("", "initdb", "-D", cluster, "-U", "root", "-A", "trust", "-E", "UTF8", "--locale=C", "--wal-segsize=1", "--no-sync"); err != nil {
		return err
	}
	if err := appendTo(filepath.Join(cluster, "pg_hba.conf"), "host all all all trust\n"); err != nil {
		return err
	}
	if err := appendTo(filepath.Join(cluster, "postgresql.conf"), "unix_socket_directories = ''\nfsync = off\nmax_connections = 200\n"+
		"shared_buffers = 32MB\nmax_wal_size = 64MB\nmin_wal_size = 2MB\n"); err != nil {
		return err
	}
	return run("CREATE DATABASE defaultdb\n", "postgres", "--single", "-D", cluster, "postgres")
}

// unprivileged gives the folder to somebody who is not root; nil where we are
// nobody special ourselves.
func unprivileged(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	id, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}, os.Chown(folder, id, id)
}

func appendTo(path, text string) error {
	to, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = to.WriteString(text)
	return errors.Join(err, to.Close())
}
