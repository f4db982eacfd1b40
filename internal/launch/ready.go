package launch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	firstPause = 20 * time.Millisecond
	lastPause  = 500 * time.Millisecond
	oneAnswer  = 5 * time.Second // for a single request
)

// Ready is the request that tells whether a target is up. With the zero value
// any HTTP answer to GET / will do; otherwise the answer must be below 500.
// An empty Method is GET, an empty Path is /.
type Ready struct{ Method, Path string }

func (r Ready) filled() Ready {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Path == "" {
		r.Path = "/"
	}
	return r
}

func (r Ready) String() string {
	r = r.filled()
	path, _, _ := strings.Cut(r.Path, "?") // a query may carry a token
	return r.Method + " " + path
}

// check asks a target until it is ready.
type check struct {
	client  *http.Client
	ready   Ready
	address string
	exactly int // the only status that will do; 0: as Ready says
}

func newCheck(base string, ready Ready) (*check, error) {
	if path := ready.filled().Path; !strings.HasPrefix(path, "/") {
		return nil, fail("the path of target.ready must begin with /")
	}
	c := &check{ready: ready, address: base + ready.filled().Path}
	if _, err := http.NewRequest(ready.filled().Method, c.address, nil); err != nil {
		return nil, fail("target.ready must be a method and a path, such as GET /health")
	}
	c.client = &http.Client{
		// The zero Proxy matters: a proxy of the environment would answer for
		// a target that is not there.
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       oneAnswer,
	}
	return c, nil
}

// once reports "" when the target is ready, otherwise why not yet; final says
// that asking again is of no use.
func (c *check) once(ctx context.Context) (why string, final bool) {
	wanted := c.ready.filled()
	request, err := http.NewRequestWithContext(ctx, wanted.Method, c.address, nil)
	if err != nil {
		return "the request cannot be written", true
	}
	request.Header.Set("User-Agent", "sessiongate (ready check)")
	response, err := c.client.Do(request)
	if err != nil {
		return plain(err)
	}
	_ = response.Body.Close()
	wrong := c.ready != (Ready{}) && response.StatusCode >= 500
	if c.exactly != 0 {
		wrong = response.StatusCode != c.exactly
	}
	if wrong {
		return fmt.Sprintf("the last answer was status %d", response.StatusCode), false
	}
	return "", false
}

// wait asks with growing pauses until the target is ready, the time is up or
// the process is dead. It returns the last reason, "" for success.
func (c *check) wait(ctx context.Context, dead <-chan struct{}) string {
	timer := time.NewTimer(0)
	defer timer.Stop()
	last := "it was not asked"
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		select {
		case <-ctx.Done():
			return last
		case <-dead:
			return "the process ended"
		case <-timer.C:
		}
		why, final := c.once(ctx)
		if why == "" || final {
			return why
		}
		if ctx.Err() == nil {
			last = why // the answer to a request cut off by our own deadline says nothing
		}
		timer.Reset(pause)
	}
}

// plain says in a clause why there was no answer. Go's own texts hold the URL.
func plain(err error) (why string, final bool) {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &certificate):
		return "its TLS certificate is not trusted: " + leaf(certificate.Err), true
	case errors.As(err, &record), strings.Contains(err.Error(), "gave HTTP response to HTTPS client"):
		return "it speaks plain http, not https", true
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused", false
	case errors.As(err, &name):
		return "the host name does not resolve", false
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time", false
	}
	return "the answer is not HTTP that can be read", false
}

// URL waits until the API at raw, an http or https URL, answers. A timeout of
// zero is 10 seconds. An API on the localhost of the machine outside this
// container is looked for as Nearby does; the site may be nil. Errors about an
// API that does not answer wrap ErrUnreachable; those about a URL that cannot be
// one do not.
func URL(ctx context.Context, raw string, ready Ready, timeout time.Duration, site *Site) (*Target, error) {
	base, err := parse(raw)
	if err != nil {
		return nil, err
	}
	ask, err := newCheck(base, ready)
	if err != nil {
		return nil, err
	}
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	parsed, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	target := &Target{URL: base}
	relay, reason := Nearby(ctx, hostPort(parsed, map[string]string{"http": "80", "https": "443"}), timeout, site)
	switch {
	case reason != "" && ctx.Err() == nil:
		return nil, fail("the API does not answer at "+base+" ("+reason+"); start it so that it listens on all addresses, such as with --host 0.0.0.0", ErrUnreachable)
	case relay != nil:
		target.relay = relay
	}
	limit, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	why := ask.wait(limit, nil)
	switch {
	case ctx.Err() != nil:
		err = fail("the wait for the API was interrupted", ctx.Err())
	case why != "":
		err = fail(fmt.Sprintf("the API does not answer %s at %s (%s, after %s); start it first, or correct target.url",
			ready, base, why, time.Since(began).Round(100*time.Millisecond)), ErrUnreachable)
	default:
		return target, nil
	}
	return nil, errors.Join(err, target.Close())
}

// parse never repeats what it refuses: it may hold a password.
func parse(raw string) (string, error) {
	parsed, err := url.Parse(raw)
	switch {
	case err != nil, parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Hostname() == "":
		return "", fail("target.url must be an http or https URL, such as http://127.0.0.1:8000")
	case parsed.User != nil:
		return "", fail("target.url must not hold a user or password; send them in the headers of the steps")
	case parsed.RawQuery != "", parsed.Fragment != "":
		return "", fail("target.url must not have a query or a fragment; put a query into the steps")
	}
	return strings.TrimRight(parsed.String(), "/"), nil
}
