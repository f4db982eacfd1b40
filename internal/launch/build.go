package launch

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	buildTimeout = 15 * time.Minute
	contextBytes = 4 << 30 // of the files sent to the engine
	ignoreBytes  = 1 << 20 // of a .dockerignore or a Dockerfile
)

// Build says how an image is made.
type Build struct {
	Context    string // a folder of this process
	Dockerfile string // relative to the context
}

// build makes an image that goes with the site.
func (s *Site) build(ctx context.Context, wanted Build, progress func(string)) (string, error) {
	dockerfile, err := wanted.check()
	if err != nil {
		return "", err
	}
	progress("building the API's image")
	limit, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	said := newOutput(&secret.Redactor{})
	image := newName()
	if !s.enlist(func() { s.built = true }) {
		return "", fail("the build of the API's image was interrupted", context.Canceled)
	}
	// Without the cache: its layers go with the image at the end, maybe those
	// that another run's build is about to use.
	options := client.ImageBuildOptions{Dockerfile: dockerfile, Tags: []string{image}, Labels: s.marks.onImage(), Remove: true, ForceRemove: true, NoCache: true}
	err = s.engine.build(limit, wanted.Context, options, said)
	if err != nil && beyondClassic.MatchString(err.Error()) {
		err = s.engine.buildKit(limit, wanted.Context, options, said, progress)
	}
	switch {
	case ctx.Err() != nil:
		return "", fail("the build of the API's image was interrupted", ctx.Err())
	case limit.Err() != nil:
		return "", fail(fmt.Sprintf("the build of the API's image took more than %s%s", buildTimeout, said.tail(15)), ErrUnreachable)
	case err != nil && strings.Contains(err.Error(), "no active session"):
		return "", fail("the API's image needs BuildKit and an image that is not here: build it in a step before and give target.container.image ("+clause(err)+")", ErrUnreachable, err)
	case err != nil:
		return "", fail("the API's image cannot be built: "+clause(err)+said.tail(15), ErrUnreachable, err)
	}
	return image, nil
}

// beyondClassic is what an engine's own builder says of a Dockerfile for its
// other one, such as RUN --mount or a heredoc.
var beyondClassic = regexp.MustCompile(`BuildKit|dockerfile parse error|[Uu]nknown (instruction|flag)`)

// buildKit is the other builder. It pulls nothing for a client that keeps no
// session with it, so what the Dockerfile names is fetched before; the classic
// one is tried first because it needs no such guess.
func (e *engine) buildKit(ctx context.Context, folder string, options client.ImageBuildOptions, said *output, progress func(string)) error {
	file, err := os.Open(filepath.Join(folder, filepath.FromSlash(options.Dockerfile)))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(file, ignoreBytes))
	_ = file.Close()
	if err != nil {
		return err
	}
	for _, image := range basesOf(string(text)) {
		_ = e.have(ctx, image, false, progress) // the build says what is missing
	}
	options.Version = build.BuilderBuildKit
	return e.build(ctx, folder, options, said)
}

const mostBases = 20 // images of one Dockerfile

var fromLine = regexp.MustCompile(`(?mi)^\s*(?:FROM(?:\s+--\S+)*|#\s*syntax\s*=)\s*(\S+)(?:\s+AS\s+(\S+))?`)

// basesOf are the images a Dockerfile names, with its syntax, without its own
// stages and without those that only the builder can spell out.
func basesOf(dockerfile string) []string {
	var found []string
	stages := map[string]bool{"scratch": true}
	for _, match := range fromLine.FindAllStringSubmatch(dockerfile, mostBases) {
		if !stages[match[1]] && !strings.Contains(match[1], "$") {
			found = append(found, match[1])
		}
		stages[match[2]] = true
	}
	return found
}

// check gives the path of the Dockerfile as an engine wants it.
func (b Build) check() (string, error) {
	if info, err := os.Stat(b.Context); err != nil || !info.IsDir() {
		return "", fail(fmt.Sprintf("the folder %s of target.container.build.context does not exist; it is read from the folder of the recipe", b.Context))
	}
	path := b.Dockerfile
	if filepath.IsAbs(path) {
		relative, err := filepath.Rel(b.Context, path)
		if err != nil {
			relative = ".."
		}
		path = relative
	}
	path = filepath.Clean(path)
	if !filepath.IsLocal(path) {
		return "", fail("target.container.build.dockerfile lies outside of the context: write its path from there")
	}
	if info, err := os.Stat(filepath.Join(b.Context, path)); err != nil || !info.Mode().IsRegular() {
		return "", fail(fmt.Sprintf("there is no %s in the folder %s: correct target.container.build", path, b.Context))
	}
	return filepath.ToSlash(path), nil
}

func (e *engine) build(ctx context.Context, folder string, options client.ImageBuildOptions, said *output) error {
	packed, packing := io.Pipe()
	defer func() { _ = packed.Close() }()
	go func() { packing.CloseWithError(pack(packing, folder, options.Dockerfile)) }()
	answer, err := e.api.ImageBuild(ctx, packed, options)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	// One message is one line of the build, which may be long.
	messages := json.NewDecoder(answer.Body)
	for {
		var message struct {
			Stream string
			Error  string
		}
		err := messages.Decode(&message)
		switch {
		case errors.Is(err, io.EOF):
			return ctx.Err()
		case err != nil:
			return err
		case message.Error != "":
			return errors.New(message.Error)
		}
		_, _ = said.Write([]byte(colours.ReplaceAllString(message.Stream, "")))
	}
}

// colours are what a build prints around errors.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// pack writes a build's context as an archive. Only files, folders and links
// are in it: a pipe would block us, and a device is none of a build's business.
// A link is sent as a link, wherever it leads.
func pack(to io.Writer, folder, dockerfile string) error {
	ignored, err := readIgnored(folder, dockerfile)
	if err != nil {
		return err
	}
	packed := tar.NewWriter(to)
	sent := int64(0)
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || name == "." {
			return err
		}
		skip, err := ignored.MatchesOrParentMatches(name)
		switch {
		case err != nil:
			return err
		case skip && name != dockerfile && name != ".dockerignore":
			// What an exception of .dockerignore brings back may lie below.
			if entry.IsDir() && !ignored.Exclusions() && !within(name, dockerfile) {
				return fs.SkipDir
			}
			return nil
		}
		size, err := packOne(packed, path, filepath.ToSlash(name), entry)
		if sent += size; sent > contextBytes {
			return errors.New("the context holds more than 4 GiB: leave out what the image does not need, in .dockerignore")
		}
		return err
	})
	return errors.Join(err, packed.Close())
}

func readIgnored(folder, dockerfile string) (*patternmatcher.PatternMatcher, error) {
	var patterns []string
	for _, name := range []string{dockerfile + ".dockerignore", ".dockerignore"} {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			continue
		}
		patterns, err = ignorefile.ReadAll(io.LimitReader(file, ignoreBytes))
		_ = file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, err)
		}
		break
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf(".dockerignore cannot be read: %w", err)
	}
	return matcher, nil
}

func packOne(packed *tar.Writer, path, name string, entry fs.DirEntry) (int64, error) {
	info, err := entry.Info()
	if err != nil {
		return 0, err
	}
	link := ""
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if link, err = os.Readlink(path); err != nil {
			return 0, err
		}
	case !info.Mode().IsRegular() && !info.IsDir():
		return 0, nil
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return 0, err
	}
	header.Name, header.Uid, header.Gid, header.Uname, header.Gname = name, 0, 0, "", ""
	if info.IsDir() {
		header.Name += "/"
	}
	if err := packed.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	// Exactly what the header says, though the file may be growing.
	n, err := io.CopyN(packed, file, info.Size())
	if err != nil {
		return n, fmt.Errorf("%s changed while it was read: %w", name, err)
	}
	return n, nil
}
