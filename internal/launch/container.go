package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

const (
	createTimeout = 30 * time.Second // for a container to be made and started
	removeTimeout = 5 * time.Second  // a cancelled job has little more than that
	removePause   = 100 * time.Millisecond
	statusTimeout = 2 * time.Second // for the exit status of one that printed its last
)

// container is one of ours.
type container struct {
	engine *engine
	name   string
	output *output
	gone   chan struct{} // closed once it has ended and its output is complete

	starting sync.Mutex // held while it is made: what is not there yet cannot be removed
	removing sync.Once
	removed  error
	mu       sync.Mutex // guards what follows
	stopped  bool
	reason   string
}

func newContainer(e *engine, to *output) *container {
	return &container{engine: e, name: newName(), output: to, gone: make(chan struct{})}
}

// start makes the container and lets it run. AutoRemove lets the engine clean
// up what it finds dead when it starts again. After an error there may be
// something to remove.
func (c *container) start(ctx context.Context, config *containers.Config, host *containers.HostConfig) error {
	// A request that is cut off may still be carried out. So these are waited
	// for, and what they made is removed by name if ctx ended meanwhile.
	c.starting.Lock()
	defer c.starting.Unlock()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil || c.isStopped() {
		return cmp.Or(err, context.Canceled)
	}
	host.AutoRemove = true
	if _, err := c.engine.api.ContainerCreate(limit, client.ContainerCreateOptions{Name: c.name, Config: config, HostConfig: host}); err != nil {
		return err
	}
	attached, err := c.engine.api.ContainerAttach(limit, c.name, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return err
	}
	waiting, quit := context.WithCancel(context.Background())
	ended := c.engine.api.ContainerWait(waiting, c.name, client.ContainerWaitOptions{Condition: containers.WaitConditionNextExit})
	go func() {
		defer close(c.gone)
		defer quit()
		defer attached.Close()
		_, _ = stdcopy.StdCopy(c.output, c.output, attached.Reader)
		c.conclude(ended)
	}()
	_, err = c.engine.api.ContainerStart(limit, c.name, client.ContainerStartOptions{})
	return err
}

// conclude learns how the container ended. After 137 the kernel may have done
// it, for want of memory.
func (c *container) conclude(ended client.ContainerWaitResult) {
	limit := time.NewTimer(statusTimeout)
	defer limit.Stop()
	reason := "ended"
	select {
	case status := <-ended.Result:
		reason = fmt.Sprintf("ended with exit status %d", status.StatusCode)
		if status.StatusCode == 137 {
			reason += ", killed, perhaps for want of memory"
		}
	case <-ended.Error:
	case <-limit.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason = reason; c.stopped {
		c.reason = stoppedByUs
	}
}

// inspect waits for nothing. A container that is gone already is no error: it
// has no addresses.
func (c *container) inspect(ctx context.Context) (containers.NetworkSettings, error) {
	limit, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	seen, err := c.engine.api.ContainerInspect(limit, c.name, client.ContainerInspectOptions{})
	if err != nil && !errdefs.IsNotFound(err) || seen.Container.NetworkSettings == nil {
		return containers.NetworkSettings{}, unlessGone(err)
	}
	return *seen.Container.NetworkSettings, nil
}

// at is the container's address on a network.
func (c *container) at(ctx context.Context, network string) (netip.Addr, error) {
	seen, err := c.inspect(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	if there := seen.Networks[network]; there != nil && there.IPAddress.IsValid() {
		return there.IPAddress, nil
	}
	return netip.Addr{}, c.absent(ctx, "it has no address on the network "+network)
}

// errEnded is in the chain of the error about a container that started, and
// ended too early.
var errEnded = errors.New("ended")

// absent is the error about what is not there: mostly because the container
// has ended already.
func (c *container) absent(ctx context.Context, what string) error {
	limit, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	select {
	case <-c.gone:
		return fail("it ended at once"+c.output.tail(3), errEnded)
	case <-limit.Done():
		return errors.New(what)
	}
}

// stop ends the container and takes it away, however far it came. It may be
// called again.
func (c *container) stop() error {
	c.removing.Do(func() {
		c.mu.Lock()
		c.stopped = c.reason == ""
		c.mu.Unlock()
		c.starting.Lock()
		defer c.starting.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
		defer cancel()
		if err := c.engine.remove(ctx, c.name); err != nil {
			c.removed = fail("the container "+c.name+" cannot be removed: "+clause(err)+"; remove it with docker rm -f", err)
		}
	})
	return c.removed
}

func (c *container) isStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

func (c *container) ended() <-chan struct{} { return c.gone }
func (c *container) printed() *output       { return c.output }

func (c *container) exitReason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// remove returns when the container is gone. Another removal may be under way,
// ours or the engine's own; then it waits for that one.
func (e *engine) remove(ctx context.Context, name string) error {
	again := time.NewTicker(removePause)
	defer again.Stop()
	for {
		_, err := e.api.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case err != nil && !errdefs.IsConflict(err):
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
