package launch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// cleanTimeout is for all that a run left. A cancelled job's last steps have more
// time than the step that was cancelled.
const cleanTimeout = 30 * time.Second

// Clean removes every container, network, volume and image that carries the
// label of a run, whoever made it and whether that process lives or not. An
// empty run names nothing. Where there is no engine there is nothing to remove,
// and no error.
func Clean(ctx context.Context, run string) error {
	if run == "" {
		return nil
	}
	limit, cancel := context.WithTimeout(ctx, cleanTimeout)
	defer cancel()
	engine, reason := reach(limit)
	if reason != "" {
		return nil
	}
	defer engine.close()
	everything := func(map[string]string) bool { return true }
	if err := engine.clear(limit, client.Filters{}.Add("label", labelRun+"="+run), everything); err != nil {
		return fail("not everything of this run could be removed: "+clause(err)+
			"; look for it with docker ps, docker network ls and docker images, each with --filter label="+labelRun, err)
	}
	return nil
}

// clear removes what matches: containers first, since networks, volumes and
// images are in use as long as those are there.
func (e *engine) clear(ctx context.Context, labelled client.Filters, match func(labels map[string]string) bool) error {
	return errors.Join(e.clearContainers(ctx, labelled, match), e.clearNetworks(ctx, labelled, match),
		e.clearVolumes(ctx, labelled, match), e.clearImages(ctx, labelled, match))
}

func (e *engine) clearContainers(ctx context.Context, labelled client.Filters, match func(map[string]string) bool) error {
	found, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: labelled})
	if err != nil {
		return err
	}
	var ids []string
	for _, one := range found.Items {
		if match(one.Labels) {
			ids = append(ids, one.ID)
		}
	}
	return allOf(ids, func(id string) error { return e.remove(ctx, id) })
}

func (e *engine) clearNetworks(ctx context.Context, labelled client.Filters, match func(map[string]string) bool) error {
	found, err := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: labelled})
	if err != nil {
		return err
	}
	var ids []string
	for _, one := range found.Items {
		if match(one.Labels) {
			ids = append(ids, one.ID)
		}
	}
	return allOf(ids, func(id string) error { return e.removeNetwork(ctx, id) })
}

func (e *engine) clearVolumes(ctx context.Context, labelled client.Filters, match func(map[string]string) bool) error {
	found, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: labelled})
	if err != nil {
		return err
	}
	var names []string
	for _, one := range found.Items {
		if match(one.Labels) {
			names = append(names, one.Name)
		}
	}
	return allOf(names, func(name string) error {
		_, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{Force: true})
		return unlessGone(err)
	})
}

func (e *engine) clearImages(ctx context.Context, labelled client.Filters, match func(map[string]string) bool) error {
	found, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: labelled})
	if err != nil {
		return err
	}
	var ids []string
	for _, one := range found.Items {
		if match(one.Labels) {
			ids = append(ids, one.ID)
		}
	}
	return allOf(ids, func(id string) error { return e.removeImage(ctx, id) })
}

// removeImage takes the steps of its build along, as far as no other image
// stands on them.
func (e *engine) removeImage(ctx context.Context, image string) error {
	_, err := e.api.ImageRemove(ctx, image, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	return unlessGone(err)
}

// removeNetwork first takes off whoever is still on it: a gate that was killed
// may be, and an engine removes no network in use.
func (e *engine) removeNetwork(ctx context.Context, network string) error {
	seen, err := e.api.NetworkInspect(ctx, network, client.NetworkInspectOptions{})
	if err != nil {
		return unlessGone(err)
	}
	for id := range seen.Network.Containers {
		_, _ = e.api.NetworkDisconnect(ctx, network, client.NetworkDisconnectOptions{Container: id, Force: true})
	}
	_, err = e.api.NetworkRemove(ctx, network, client.NetworkRemoveOptions{})
	return unlessGone(err)
}

func unlessGone(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// allOf does something with each at the same time, since an engine needs a good
// part of a second for one container.
func allOf(names []string, do func(name string) error) error {
	problems := make([]error, len(names))
	var running sync.WaitGroup
	for i, name := range names {
		running.Go(func() { problems[i] = do(name) })
	}
	running.Wait()
	return errors.Join(problems...)
}
