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

// thing is something an engine keeps, with its labels.
type thing struct {
	id     string
	labels map[string]string
}

// kind is a kind of them.
type kind struct {
	list   func(context.Context, client.Filters) ([]thing, error)
	remove func(context.Context, string) error
}

func (e *engine) containers() kind {
	return kind{func(ctx context.Context, filter client.Filters) (all []thing, err error) {
		found, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
		for _, one := range found.Items {
			all = append(all, thing{one.ID, one.Labels})
		}
		return all, err
	}, e.remove}
}

func (e *engine) networks() kind {
	return kind{func(ctx context.Context, filter client.Filters) (all []thing, err error) {
		found, err := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
		for _, one := range found.Items {
			all = append(all, thing{one.ID, one.Labels})
		}
		return all, err
	}, e.removeNetwork}
}

func (e *engine) volumes() kind {
	return kind{func(ctx context.Context, filter client.Filters) (all []thing, err error) {
		found, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: filter})
		for _, one := range found.Items {
			all = append(all, thing{one.Name, one.Labels})
		}
		return all, err
	}, e.removeVolume}
}

func (e *engine) images() kind {
	return kind{func(ctx context.Context, filter client.Filters) (all []thing, err error) {
		found, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: filter})
		for _, one := range found.Items {
			all = append(all, thing{one.ID, one.Labels})
		}
		return all, err
	}, e.removeImage}
}

// clear removes what matches and says how many there were.
func (k kind) clear(ctx context.Context, filter client.Filters, match func(labels map[string]string) bool) (int, error) {
	found, err := k.list(ctx, filter)
	if err != nil {
		return 0, err
	}
	var ids []string
	for _, one := range found {
		if match(one.labels) {
			ids = append(ids, one.id)
		}
	}
	return len(ids), allOf(ids, func(id string) error { return k.remove(ctx, id) })
}

// clear removes what matches: containers first, since networks, volumes and
// images are in use as long as those are there.
func (e *engine) clear(ctx context.Context, filter client.Filters, match func(labels map[string]string) bool) error {
	var failed []error
	for _, kind := range []kind{e.containers(), e.networks(), e.volumes(), e.images()} {
		_, err := kind.clear(ctx, filter, match)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (e *engine) removeVolume(ctx context.Context, name string) error {
	_, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{Force: true})
	return unlessGone(err)
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
