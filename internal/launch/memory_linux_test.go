package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// locked is a server's directory whose lock file names a segment.
func locked(t *testing.T, seventh string) string {
	t.Helper()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "data", "postmaster.pid"), strings.Repeat("x\n", 6)+seventh+"\n", 0o600)
	return folder
}

func TestForgottenMemoryIsFreed(t *testing.T) {
	t.Parallel()
	key := 0x5e550000 + os.Getpid()
	id, err := unix.SysvShmGet(key, 56, unix.IPC_CREAT|unix.IPC_EXCL|0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
	exists := func() bool {
		var segment unix.SysvShmDesc
		_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &segment)
		return err == nil
	}
	fits := fmt.Sprintf("%9d %9d", key, id)
	for name, seventh := range map[string]string{"another key": fmt.Sprintf("%d %d", key+1, id), "no number": "key id", "one field": fmt.Sprint(id), "nothing": ""} {
		freeMemory(locked(t, seventh))
		if !exists() {
			t.Fatalf("%s: freed", name)
		}
	}
	freeMemory(t.TempDir())
	if os.Geteuid() == 0 {
		foreign := locked(t, fits)
		if err := os.Chown(filepath.Join(foreign, "data", "postmaster.pid"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
		freeMemory(foreign)
		if !exists() {
			t.Fatal("freed for a file of somebody else")
		}
	}
	attached, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	freeMemory(locked(t, fits))
	if !exists() {
		t.Fatal("freed while in use")
	}
	if err := unix.SysvShmDetach(attached); err != nil {
		t.Fatal(err)
	}
	freeMemory(locked(t, fits))
	if exists() {
		t.Error("not freed")
	}
}
