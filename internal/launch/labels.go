package launch

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// The labels of everything that is made in an engine.
const (
	labelOurs    = "org.sessiongate"             // what it is: "store", "api", "network", "relay"; not on images
	labelRun     = "org.sessiongate.run"         // the run that made it, by a name it was given or a random one
	labelProcess = "org.sessiongate.run.process" // the process that made it
	labelHost    = "org.sessiongate.run.host"    // whose process ids those are
	labelBorn    = "org.sessiongate.run.started" // when that process began, since ids come again
)

// labelStandIn is on an image that only plays CockroachDB, and says what it
// is: "PostgreSQL 15 stand-in".
const labelStandIn = "org.sessiongate.stand-in"

const sweepTimeout = 5 * time.Second // for removing what dead runs left

// marks label what one run makes.
type marks struct {
	run   string
	extra map[string]string // labels of whoever runs us
}

// newMarks give a run without a name a random one.
func newMarks(run string) marks {
	if run == "" {
		run = strings.ToLower(rand.Text())
	}
	return marks{run: run}
}

func (m marks) on(what string) map[string]string {
	made := maps.Clone(m.extra)
	if made == nil {
		made = map[string]string{}
	}
	maps.Copy(made, m.onImage())
	made[labelOurs] = what
	return made
}

// onImage are the labels of an image that is built. A builder sets them one by
// one, in the order of their names, and what it has made when it is cut off
// stays: that of the run has to be the first.
func (m marks) onImage() map[string]string {
	return map[string]string{labelRun: m.run, labelProcess: fmt.Sprint(os.Getpid()), labelHost: host(), labelBorn: born(os.Getpid())}
}

// newName is one that nothing else in the engine has.
func newName() string {
	return fmt.Sprintf("sessiongate-%d-%s", os.Getpid(), strings.ToLower(rand.Text()))
}

// host names this machine's process ids: those of one start of one system, in
// one namespace. An engine may serve several.
func host() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, spaceErr := os.Readlink("/proc/self/ns/pid")
	if err != nil || spaceErr != nil {
		name, _ := os.Hostname()
		return name
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// born is when a process began, in ticks since the start of the system; empty
// where that cannot be known.
func born(pid int) string {
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "stat"))
	if err != nil {
		return ""
	}
	// The name before the bracket may hold anything; from there on it is the
	// 20th field of proc(5)'s 22.
	rest := string(status[strings.LastIndexByte(string(status), ')')+1:])
	if fields := strings.Fields(rest); len(fields) > 19 {
		return fields[19]
	}
	return ""
}

var processID = regexp.MustCompile(`^[0-9]{1,9}$`)

// orphaned reports whether labels belong to a run that is over. In doubt it is
// not: another machine's, another namespace's or an unreadable one.
func orphaned(labels map[string]string) bool {
	if !processID.MatchString(labels[labelProcess]) || labels[labelHost] == "" || labels[labelHost] != host() {
		return false
	}
	pid := number(labels[labelProcess])
	if dead(pid) {
		return true
	}
	now := born(pid)
	return now != "" && labels[labelBorn] != "" && now != labels[labelBorn]
}

// sweepContainers removes what killed runs left in the engine.
func sweepContainers() {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	engine, reason := reach(ctx)
	if reason != "" {
		return
	}
	defer engine.close()
	_ = engine.clear(ctx, client.Filters{}.Add("label", labelRun), orphaned)
}
