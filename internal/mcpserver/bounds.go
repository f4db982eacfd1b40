package mcpserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/recipe"
)

// bounds are what a client may reach.
type bounds struct {
	folder  string // absolute
	root    *os.Root
	allowed []string
}

func newBounds(folder string, allowed []string) (*bounds, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("--root %s: %w", folder, err)
	}
	root, err := os.OpenRoot(absolute)
	if err != nil {
		return nil, fmt.Errorf("--root %s: there is no such directory, or it may not be opened", folder)
	}
	for _, host := range allowed {
		if !isHost(host) {
			return nil, fmt.Errorf("--allow-host %s: write a host such as api.internal or api.internal:8443, without scheme and path", host)
		}
	}
	return &bounds{absolute, root, allowed}, nil
}

func isHost(host string) bool {
	return host != "" && !strings.ContainsAny(host, "/@?#*% ") && (!strings.Contains(host, ":") || strings.HasPrefix(host, "[") || port(host) != "" || net.ParseIP(host) != nil)
}

func port(host string) string {
	_, number, err := net.SplitHostPort(host)
	if err != nil {
		return ""
	}
	return number
}

// mostBytes is above what a recipe may have, so that it is recipe that refuses.
const mostBytes = 2 << 20

var (
	errOutside  = errors.New("config: the recipe does not lie below the directory that this server was started for; --root names another one")
	errNoRecipe = errors.New("config: there is no such recipe below the directory that this server was started for")
)

// load reads a recipe below the directory; New where none is named and none is
// there. The file is opened through the root, which no link and no .. leads out
// of, and its bytes are those that are parsed.
func (b *bounds) load(name string, getenv func(string) (string, bool)) (*recipe.Recipe, error) {
	if name == "" {
		if _, err := b.root.Lstat(recipe.DefaultFile); err != nil {
			return recipe.New(), nil
		}
		name = recipe.DefaultFile
	}
	inside, err := b.inside(name)
	if err != nil {
		return nil, err
	}
	info, err := b.root.Stat(inside) // opening a pipe would wait for someone to write
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoRecipe
	case err != nil:
		return nil, errOutside
	case !info.Mode().IsRegular():
		return nil, errors.New("config: that is not a regular file")
	}
	file, err := b.root.Open(inside)
	if err != nil {
		return nil, errOutside
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, mostBytes))
	if err != nil {
		return nil, errors.New("config: the recipe cannot be read")
	}
	return recipe.Parse(filepath.Join(b.folder, inside), data, getenv)
}

// inside is the name relative to the directory.
func (b *bounds) inside(name string) (string, error) {
	if filepath.IsAbs(name) {
		relative, err := filepath.Rel(b.folder, name)
		if err != nil {
			return "", errOutside
		}
		name = relative
	}
	if name = filepath.Clean(filepath.FromSlash(name)); !filepath.IsLocal(name) {
		return "", errOutside
	}
	return name, nil
}

// check refuses a scan that would leave this machine and the hosts that the
// user named.
func (b *bounds) check(r *recipe.Recipe) error {
	hosts, err := app.Hosts(r)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if !host.Local() && !b.allows(host.Name) {
			return fmt.Errorf("%s is on the host %s, which this server may not reach: it was started for this machine%s; the user can add --allow-host %s to its command",
				host.Of, cut(host.Name), b.others(), cut(host.Name))
		}
	}
	return nil
}

func (b *bounds) others() string {
	if len(b.allowed) == 0 {
		return " only"
	}
	return " and " + strings.Join(b.allowed, ", ")
}

// allows compares names, not addresses: what a name leads to is its owner's to say.
func (b *bounds) allows(host string) bool {
	bare := host
	if port(host) != "" {
		bare, _, _ = net.SplitHostPort(host)
	}
	bare = strings.Trim(bare, "[]")
	for _, allowed := range b.allowed {
		if strings.EqualFold(allowed, host) || strings.EqualFold(strings.Trim(allowed, "[]"), bare) {
			return true
		}
	}
	return false
}
