package launch

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// freeMemory gives back the shared memory of a PostgreSQL that died without
// doing so, as initdb's own server does whenever it is interrupted: the kernel
// would keep it until it restarts. The server wrote the key and the id of its
// segment into its lock file. Ids are given again, and the file may be anybody's
// in a directory for temporary files: so the key and the owner must fit, and
// nobody may be attached.
func freeMemory(folder string) {
	path := filepath.Join(folder, "data", "postmaster.pid")
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 4096 {
		return
	}
	lock, err := os.ReadFile(path)
	if err != nil {
		return
	}
	key, id, found := segmentOf(string(lock))
	owner, known := info.Sys().(*syscall.Stat_t)
	if !found || !known {
		return
	}
	// Those that were killed let go in a moment, and nobody tells when.
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range 100 {
		var segment unix.SysvShmDesc
		_, err = unix.SysvShmCtl(id, unix.IPC_STAT, &segment)
		if err != nil || uint32(segment.Perm.Key) != key || segment.Perm.Cuid != owner.Uid {
			return
		}
		if segment.Nattch == 0 {
			_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
			return
		}
		<-again.C
	}
}

// segmentOf reads the seventh line of a lock file: a key and an id.
func segmentOf(lock string) (key uint32, id int, found bool) {
	lines := strings.Split(lock, "\n")
	if len(lines) < 7 {
		return 0, 0, false
	}
	fields := strings.Fields(lines[6])
	if len(fields) != 2 {
		return 0, 0, false
	}
	wide, keyErr := strconv.ParseUint(fields[0], 10, 64)
	number, idErr := strconv.ParseInt(fields[1], 10, 32)
	return uint32(wide), int(number), keyErr == nil && idErr == nil
}
