package launch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// The test binary is also the API under test: "child MODE" makes it one.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		play(os.Args[2], os.Args[3:])
		os.Exit(0)
	}
	code := m.Run()
	if fakeFolder != "" {
		_ = os.RemoveAll(fakeFolder)
	}
	os.Exit(code)
}

func play(mode string, arguments []string) {
	switch mode {
	case "serve":
		serve(nil)
	case "print":
		for _, line := range arguments {
			fmt.Println(os.ExpandEnv(line))
		}
		serve(nil)
	case "environment":
		fmt.Println(strings.Join(os.Environ(), "\n"))
		serve(nil)
	case "silent":
		fmt.Println("silent", os.Getpid())
		select {}
	case "die":
		for i := range 30 {
			fmt.Printf("line %d\n", i)
		}
		os.Exit(7)
	case "warming":
		var asked atomic.Int32
		serve(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
	case "broken":
		serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		serve(nil)
	case "parent":
		child := exec.Command(os.Args[0], "child", "grandchild")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		serve(nil)
	case "grandchild":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("grandchild", os.Getpid())
		select {}
	case "chatty":
		line := strings.Repeat("x", 5_000) + "\n"
		for range 2_000 {
			fmt.Print(line)
		}
		fmt.Print("\x1b[31mthe \u202eend\x00\r\nunfinished")
		serve(nil)
	case "fixed":
		_, err := net.Listen("tcp4", "127.0.0.1:"+arguments[0])
		fmt.Println("cannot listen:", err)
		os.Exit(1)
	case "gate":
		gate()
	case "container":
		m := machine{parent: os.TempDir(), reach: reach}
		if _, err := m.store(context.Background(), StoreOptions{Version: arguments[0]}); err != nil {
			panic(err)
		}
		fmt.Println("up")
		select {}
	}
}

func serve(handle http.HandlerFunc) {
	mux := http.NewServeMux()
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	if handle == nil {
		handle = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	}
	mux.HandleFunc("/", handle)
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}

// gate is sessiongate itself, about to be killed.
func gate() {
	port, err := FreePort()
	if err != nil {
		panic(err)
	}
	api, err := Start(context.Background(), Process{Command: []string{os.Args[0], "child", "serve"}, Port: port})
	if err != nil {
		panic(err)
	}
	database, err := Postgres(context.Background(), "")
	if err != nil {
		panic(err)
	}
	fmt.Println("pids", api.running.(*process).leader(), database.process.leader(), database.folder)
	select {}
}

func (p *process) leader() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.group
}

// playing is a Process that runs this binary in a mode, on a free port.
func playing(t *testing.T, mode ...string) Process {
	t.Helper()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return Process{Command: append([]string{os.Args[0], "child"}, mode...), Port: port, StartTimeout: 20 * time.Second,
		Environment: map[string]secret.Text{}}
}

func begin(t *testing.T, p Process) *Target {
	t.Helper()
	target, err := Start(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close() })
	return target
}

// eventually polls: the kernel tells nobody when a process that is not our
// child goes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// running is false for a zombie, too: who reaps an orphan is not our business.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		_, statErr := os.Stat("/proc/self/stat")
		return statErr != nil // no /proc here at all: believe kill
	}
	_, rest, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// printed waits for a line "name PID" of the target.
func printed(t *testing.T, lines func() []string, name string) int {
	t.Helper()
	var pid int
	eventually(t, name+" prints its id", func() bool {
		for _, line := range lines() {
			if text, ok := strings.CutPrefix(line, name+" "); ok {
				pid, _ = strconv.Atoi(text)
			}
		}
		return pid != 0
	})
	return pid
}
