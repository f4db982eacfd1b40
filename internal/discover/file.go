package discover

import (
	"os"
	"path/filepath"
)

// readFile reads a description out of the repository; nil where there is none.
func readFile(folder, name string) []byte {
	path := filepath.Join(folder, filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > mostSpec {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}
