package standin

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// python is the root of an image with this machine's Python under its own
// prefix, and the packages of the FastAPI apps in it.
func python(ctx context.Context, prefix, apps string) (*tree, error) {
	root := &tree{}
	root.add(file{name: "/tmp", mode: 0o777 | fs.ModeSticky})
	libraries, err := filepath.Glob(filepath.Join(prefix, "lib/python3.*/os.py"))
	if err != nil || len(libraries) != 1 {
		return nil, errors.New("this machine's Python has no library where it is looked for")
	}
	library := filepath.Dir(libraries[0])
	unneeded := func(name string) bool {
		first, _, _ := strings.Cut(name, "/")
		return slices.Contains([]string{"test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "site-packages"}, first) ||
			filepath.Base(name) == "__pycache__" || strings.HasPrefix(first, "config-")
	}
	if err := root.folder(library, library, 0, unneeded); err != nil {
		return nil, err
	}
	packages := filepath.Join(apps, ".venv/lib", filepath.Base(library), "site-packages")
	if err := root.folder(packages, filepath.Join(library, "site-packages"), 0, func(name string) bool { return filepath.Base(name) == "__pycache__" }); err != nil {
		return nil, err
	}
	interpreter := filepath.Join(prefix, "bin", filepath.Base(library))
	programs := []string{interpreter, "/bin/sh"}
	for _, folder := range []string{library, packages} {
		modules, err := shared(folder)
		if err != nil {
			return nil, err
		}
		programs = append(programs, modules...)
	}
	for _, program := range programs {
		if !strings.HasPrefix(program, packages) {
			root.add(file{name: program, source: program})
		}
		root.needs(ctx, program, packages)
	}
	for _, name := range []string{"python", "python3"} {
		root.add(file{name: "/usr/local/bin/" + name, link: interpreter})
	}
	for _, name := range []string{"pip", "uvicorn"} {
		root.add(file{name: "/usr/local/bin/" + name, text: "#!/bin/sh\nexec python3 -m " + name + " \"$@\"\n", mode: 0o755})
	}
	return root, nil
}

// shared are the libraries below a folder that Python loads.
func shared(folder string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".so") {
			found = append(found, path)
		}
		return err
	})
	return found, err
}
