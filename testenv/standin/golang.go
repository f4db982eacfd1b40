package standin

import (
	"context"
	"io/fs"
	"os/exec"

	"github.com/moby/moby/client"
)

// Golang is an image that stands in for Go's where the product's Dockerfile is
// built: compiling in a container would take minutes, so that its go command
// hands out a binary this machine compiled with the same flags.
func Golang(ctx context.Context, binary string) (ref string, err error) {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return "", err
	}
	defer func() { _ = engine.Close() }()
	const hand = `#!/bin/sh
[ "$1" = build ] || exit 0
while [ "$1" != -o ]; do shift; done
exec cp /compiled/sessiongate "$2"
`
	root := &tree{}
	root.add(file{name: "/tmp", mode: 0o777 | fs.ModeSticky})
	root.add(file{name: "/bin/go", text: hand, mode: 0o755})
	root.add(file{name: "/compiled/sessiongate", source: binary})
	const authorities = "/etc/ssl/certs/ca-certificates.crt"
	root.add(file{name: authorities, source: authorities})
	for _, name := range []string{"sh", "cp", "ln", "mkdir", "chmod"} {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", err
		}
		root.add(file{name: "/bin/" + name, source: path})
		root.needs(ctx, path, "")
	}
	const image = "sessiongate-test/golang:1"
	return image, load(ctx, engine, image, root, []string{"ENV PATH=/bin"})
}
