// Package standin makes the images that the tests run where no registry can be
// reached: one that plays CockroachDB with this machine's PostgreSQL, and one
// with this machine's Python and what the FastAPI apps need. They hold the
// machine's own files and are never pushed anywhere.
package standin

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/moby/moby/client"
)

const (
	repository = "docker.io/cockroachdb/cockroach"
	real       = "v26.2.5" // what a scan takes when no version is asked for

	pythonImage = "sessiongate-test/python:4"

	labelContent = "org.sessiongate.content" // what the image was made from
)

// Image is an image that starts as CockroachDB does: the real one if the
// engine has it, otherwise the stand-in, which is made if need be. What stands
// behind the colon is for database.version of a recipe.
func Image(ctx context.Context) (ref string, err error) {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return "", err
	}
	defer func() { _ = engine.Close() }()
	if _, err := engine.ImageInspect(ctx, repository+":"+real); err == nil {
		return repository + ":" + real, nil
	}
	server, err := postgres()
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "sessiongate-standin-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	entry, err := buildEntry(ctx, folder)
	if err != nil {
		return "", err
	}
	ref = repository + ":stand-in"
	version, err := exec.CommandContext(ctx, server, "--version").Output()
	if err != nil {
		return "", err
	}
	number := regexp.MustCompile(`\d+\.\d+`).Find(version)
	content, err := digest(entry, server)
	if err != nil || has(ctx, engine, ref, content) {
		return ref, err
	}
	root, err := store(ctx, folder, entry, server)
	if err != nil {
		return "", err
	}
	return ref, load(ctx, engine, ref, root, []string{
		`ENTRYPOINT ["/cockroach/cockroach.sh"]`, "WORKDIR /cockroach", "EXPOSE 26257 8080",
		`LABEL org.sessiongate.stand-in="PostgreSQL ` + string(number) + ` stand-in"`, "LABEL " + labelContent + "=" + content})
}

// Python is an image with python3, a shell and the packages of
// testenv/fastapi/requirements.txt, for FastAPI apps in containers.
func Python(ctx context.Context) (ref string, err error) {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return "", err
	}
	defer func() { _ = engine.Close() }()
	apps, err := module(ctx, "testenv/fastapi")
	if err != nil {
		return "", err
	}
	if said, err := exec.CommandContext(ctx, filepath.Join(apps, "serve"), "--install").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	prefix, err := exec.CommandContext(ctx, filepath.Join(apps, ".venv/bin/python"), "-c", "import sys; print(sys.base_prefix)").Output()
	if err != nil {
		return "", err
	}
	content, err := digest(filepath.Join(apps, "requirements.txt"), filepath.Join(strings.TrimSpace(string(prefix)), "bin/python3"))
	if err != nil || has(ctx, engine, pythonImage, content) {
		return pythonImage, err
	}
	root, err := python(ctx, strings.TrimSpace(string(prefix)), apps)
	if err != nil {
		return "", err
	}
	return pythonImage, load(ctx, engine, pythonImage, root, []string{
		"ENV PATH=/usr/local/bin:/usr/bin:/bin", "ENV PYTHONDONTWRITEBYTECODE=1", "ENV PIP_DISABLE_PIP_VERSION_CHECK=1", `CMD ["python3"]`, "LABEL " + labelContent + "=" + content})
}

func has(ctx context.Context, engine *client.Client, ref, content string) bool {
	seen, err := engine.ImageInspect(ctx, ref)
	return err == nil && seen.Config != nil && seen.Config.Labels[labelContent] == content
}

// digest is that of some files.
func digest(paths ...string) (string, error) {
	sum := sha256.New()
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, file)
		_ = file.Close()
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

func load(ctx context.Context, engine *client.Client, ref string, root *tree, changes []string) error {
	packed, packing := io.Pipe()
	defer func() { _ = packed.Close() }()
	go func() { packing.CloseWithError(root.pack(packing)) }()
	answer, err := engine.ImageImport(ctx, client.ImageImportSource{Source: packed, SourceName: "-"}, ref, client.ImageImportOptions{Changes: changes})
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	said, err := io.ReadAll(answer)
	if err == nil && strings.Contains(string(said), `"error"`) {
		err = errors.New(string(said))
	}
	return err
}

// module is a folder of this module, wherever the caller was started.
func module(ctx context.Context, folder string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/sessiongate/sessiongate").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), folder), nil
}

// tree is the root of a file system to be: names in it, and where they come from.
type tree struct {
	files []file
	seen  map[string]bool
}

type file struct {
	name   string // absolute
	source string // a file of this machine, followed if it is a link; "" for a folder or a link
	text   string // instead of source
	link   string
	mode   fs.FileMode // 0: that of source
	owner  int
}

func (t *tree) add(one file) {
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	if !t.seen[one.name] {
		t.seen[one.name] = true
		t.files = append(t.files, one)
	}
}

// program adds a file under its own name, with the libraries it needs.
func (t *tree) program(ctx context.Context, path string) {
	t.add(file{name: path, source: path})
	t.needs(ctx, path, "")
}

var library = regexp.MustCompile(`(?m)(/\S+) \(0x`)

// needs adds the libraries of a program, except those that lie below a folder.
func (t *tree) needs(ctx context.Context, path, except string) {
	out, err := exec.CommandContext(ctx, "ldd", path).Output()
	if err != nil {
		return // linked statically
	}
	for _, found := range library.FindAllStringSubmatch(string(out), -1) {
		if except == "" || !strings.HasPrefix(found[1], except) {
			t.add(file{name: found[1], source: found[1]})
		}
	}
}

// folder adds all that is below a folder under another name. skip decides by
// the path relative to it.
func (t *tree) folder(from, to string, owner int, skip func(string) bool) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name := filepath.Join(to, relative)
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil // a link that leads nowhere
		case skip != nil && skip(relative) && entry.IsDir():
			return fs.SkipDir
		case skip != nil && skip(relative):
		case entry.IsDir():
			t.add(file{name: name, mode: info.Mode(), owner: owner})
		case info.Mode().IsRegular():
			t.add(file{name: name, source: path, owner: owner})
		}
		return nil
	})
}

func (t *tree) pack(to io.Writer) error {
	packed := tar.NewWriter(to)
	for _, one := range t.files {
		if err := one.pack(packed); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return packed.Close()
}

func (f file) pack(packed *tar.Writer) error {
	header := &tar.Header{Name: strings.TrimPrefix(f.name, "/"), Uid: f.owner, Gid: f.owner, Mode: int64(f.mode.Perm())}
	switch {
	case f.link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, f.link, 0o777
		return packed.WriteHeader(header)
	case f.text != "":
		header.Size = int64(len(f.text))
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		_, err := io.WriteString(packed, f.text)
		return err
	case f.source == "":
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		if f.mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		return packed.WriteHeader(header)
	}
	content, err := os.ReadFile(f.source)
	if err != nil {
		return err
	}
	info, err := os.Stat(f.source)
	if err != nil {
		return err
	}
	header.Size = int64(len(content))
	if f.mode == 0 {
		header.Mode = int64(info.Mode().Perm())
	}
	if err := packed.WriteHeader(header); err != nil {
		return err
	}
	_, err = packed.Write(content)
	return err
}
