package harness_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sessiongate/sessiongate/testenv/standin"
)

const (
	actionImage = "sessiongate-test/action:1"
	pythonImage = "python:3.13-slim" // what the applications are built from
)

// docker runs a command of the engine's own client and returns what it printed.
func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("docker %s: %w: %s", args[0], err, text)
	}
	return text, nil
}

// build makes the action's image from its Dockerfile. Nothing of the checkout
// is in it but the binary, so that two files do for its COPY.
func build(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "sessiongate-harness-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	binary := filepath.Join(scratch, "sessiongate")
	compile := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	compile.Dir, compile.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	if golang, err = standin.Golang(ctx, binary); err != nil {
		return err
	}
	if err := os.Remove(binary); err != nil {
		return err
	}
	for _, name := range []string{"Dockerfile", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(scratch, name), text, 0o600); err != nil {
			return err
		}
	}
	_, err = docker(ctx, "build", "--quiet", "--build-arg", "GO_IMAGE="+golang, "--tag", actionImage, scratch)
	return err
}

// python gives the applications something to be built from: the real image if
// the engine has it.
func python(ctx context.Context) error {
	label, err := docker(ctx, "image", "inspect", "--format", `{{index .Config.Labels "org.sessiongate.content"}}`, pythonImage)
	if err == nil && label == "" {
		return nil
	}
	image, err := standin.Python(ctx)
	if err != nil {
		return err
	}
	_, err = docker(ctx, "tag", image, pythonImage)
	return err
}
