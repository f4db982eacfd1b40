package browser

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/net/http/httpguts"
)

// exchange sends one request with what the actor carries, records it, and
// stores the cookies of the answer. The body is returned for captures.
func (a *actor) exchange(ctx context.Context, try attempt, d draft, hop int) (trace.Exchange, []byte) {
	world := a.stage.world
	d.header = slices.Clone(d.header) // the next hop carries its own cookies
	carried := a.carry(&d)
	a.finish(&d)
	made := trace.Exchange{
		Seq: int(world.seq.Add(1)), Actor: a.name, Step: try.step, Hop: hop, Carried: carried, Planted: try.planted(), Began: time.Now(),
		Request: trace.Request{Method: d.method, Path: d.shown, URL: secret.New(world.options.Base.Scheme + "://" + world.options.Base.Host + d.target(world.options.Base)),
			Header: d.header, Body: secret.New(string(d.body))},
	}
	if try.step == "login" {
		made.User = a.user
	}
	ctx, cancel := context.WithTimeout(ctx, world.options.Timeout)
	defer cancel()
	response, body, err := a.send(ctx, d)
	made.Took = time.Since(made.Began)
	if err != nil {
		made.Problem = plain(err)
	} else {
		made.Response = a.observe(response, body, d.path, made.Began)
	}
	a.last = append(a.last, *a.stage.add(made))
	return a.last[len(a.last)-1], body
}

// finish adds what every request of ours has. X-Forwarded-Proto is what a
// proxy that ends TLS says, as in front of any production API; without it a
// plain-http run could not judge Secure.
func (a *actor) finish(d *draft) {
	for _, field := range []struct{ name, value string }{
		{"User-Agent", a.agent},
		{"Accept", "application/json, text/html;q=0.9, */*;q=0.5"},
		{"Cache-Control", "no-cache"},
	} {
		if !slices.ContainsFunc(d.header, func(f trace.Field) bool { return strings.EqualFold(f.Name, field.name) }) {
			d.header = append(d.header, trace.Field{Name: field.name, Value: secret.New(field.value)})
		}
	}
	if a.stage.world.options.Base.Scheme == "http" {
		d.set("X-Forwarded-Proto", secret.New("https"))
	}
}

// target is the request target in origin form (RFC 9112 §3.2.1), as it is: an
// escape may be the point.
func (d draft) target(base *url.URL) string {
	target := strings.TrimSuffix(base.EscapedPath(), "/") + d.path
	if d.query != "" {
		target += "?" + d.query
	}
	return target
}

// send uses net/http, and a raw connection where net/http would refuse or
// rewrite what a client can put on the wire.
func (a *actor) send(ctx context.Context, d draft) (*http.Response, []byte, error) {
	base := a.stage.world.options.Base
	request, err := http.NewRequestWithContext(ctx, d.method, base.String(), bytes.NewReader(d.body))
	if err != nil || !d.tame() {
		return sendRaw(ctx, base, d)
	}
	// Opaque is sent as it stands; Path would be decoded and encoded again.
	request.URL = &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: d.target(base)}
	for _, field := range d.header {
		if strings.EqualFold(field.Name, "Host") {
			request.Host = field.Value.Reveal()
			continue
		}
		request.Header[field.Name] = append(request.Header[field.Name], field.Value.Reveal())
	}
	response, err := a.connections.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	return readBody(response)
}

// tame reports whether net/http sends the draft as it is.
func (d draft) tame() bool {
	for _, field := range d.header {
		if !httpguts.ValidHeaderFieldName(field.Name) || !httpguts.ValidHeaderFieldValue(field.Value.Reveal()) {
			return false
		}
	}
	if strings.HasPrefix(d.path, "//") { // net/http would take it for a host
		return false
	}
	return !strings.ContainsFunc(d.path+d.query, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// sendRaw writes the request byte for byte on a connection of its own.
func sendRaw(ctx context.Context, base *url.URL, d draft) (*http.Response, []byte, error) {
	connection, err := dial(ctx, base)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = connection.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := connection.SetDeadline(deadline); err != nil {
			return nil, nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	if _, err := connection.Write(d.bytes(base)); err != nil {
		return nil, nil, err
	}
	reader := bufio.NewReader(io.LimitReader(connection, maxHeader+maxBody))
	response, err := http.ReadResponse(reader, &http.Request{Method: d.method})
	if err != nil {
		return nil, nil, err
	}
	return readBody(response)
}

func dial(ctx context.Context, base *url.URL) (net.Conn, error) {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	address := net.JoinHostPort(base.Hostname(), port)
	if base.Scheme == "https" {
		return (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

func (d draft) bytes(base *url.URL) []byte {
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n", d.method, d.target(base), base.Host, len(d.body))
	for _, field := range d.header {
		raw.WriteString(field.Name + ": " + field.Value.Reveal() + "\r\n")
	}
	raw.WriteString("\r\n")
	raw.Write(d.body)
	return raw.Bytes()
}

// readBody reads no more than the cap: an answer without end is one of the
// things a hostile target tries.
func readBody(response *http.Response) (*http.Response, []byte, error) {
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	return response, body, err
}

// observe turns an answer into what the trace keeps, and stores its cookies.
func (a *actor) observe(response *http.Response, body []byte, path string, now time.Time) trace.Response {
	kept := body[:min(len(body), keptBody)]
	seen := trace.Response{Status: response.StatusCode, Body: secret.New(string(kept)), Truncated: len(body) > keptBody,
		RetryAfter: response.Header.Get("Retry-After")}
	names := make([]string, 0, len(response.Header))
	for name := range response.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == "Set-Cookie" {
			continue
		}
		for _, value := range response.Header[name] {
			seen.Header = append(seen.Header, trace.Field{Name: name, Value: secret.New(value)})
		}
	}
	lines := response.Header["Set-Cookie"]
	for _, line := range lines[:min(len(lines), maxSetCookies)] {
		parsed, err := cookie.Parse(line)
		if err != nil {
			continue // browsers pass such a line over
		}
		rejections := a.jar.Store(a.stage.world.origin(path), parsed, now)
		a.stage.world.options.Redactor.Add(parsed.Value)
		seen.SetCookie = append(seen.SetCookie, trace.SetCookie{Cookie: parsed, Rejections: rejections})
	}
	return seen
}

// plain says in a clause why there was no answer. Go's own texts hold the URL,
// and with it whatever was planted there.
func plain(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "the request was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "the host name does not resolve"
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return "the TLS certificate is not trusted"
	}
	return "the answer is not HTTP that can be read"
}
