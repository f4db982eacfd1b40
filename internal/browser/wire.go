package browser

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/net/http/httpguts"
)

// exchange sends one request with what the actor carries, records it, and
// stores the cookies of the answer. The body is returned for captures. With an
// error nothing was sent.
func (a *actor) exchange(ctx context.Context, try attempt, d draft, hop int) (trace.Exchange, []byte, error) {
	world := a.stage.world
	if a.held() {
		return trace.Exchange{}, nil, probe.ErrRateLimited
	}
	if world.spent() {
		return trace.Exchange{}, nil, probe.ErrSpent
	}
	d.header = slices.Clone(d.header) // the next hop carries its own cookies
	carried := a.carry(&d)
	a.finish(&d)
	if err := d.check(); err != nil {
		return trace.Exchange{}, nil, err
	}
	base := world.options.Base
	if a.guise.Cleartext {
		if base = world.options.Cleartext; base == nil {
			return trace.Exchange{}, nil, errors.New("the target is not known to be reached over plain http as well")
		}
	}
	made := trace.Exchange{
		Seq: int(world.seq.Add(1)), Actor: a.name, Step: try.step, Hop: hop, Carried: carried, Planted: d.planted(), Began: time.Now(),
		Request: trace.Request{Method: d.method, Path: d.shown, URL: secret.New(base.Scheme + "://" + base.Host + d.target()),
			Header: d.header, Body: secret.New(string(d.body))},
	}
	if try.step == "login" {
		made.User = a.user
	}
	ctx, cancel := context.WithTimeout(ctx, world.options.Timeout)
	defer cancel()
	response, body, err := a.send(ctx, base, d)
	made.Took = time.Since(made.Began)
	if err != nil {
		// A connection closed on time's end says so in many words.
		made.Problem = plain(cmp.Or(ctx.Err(), err))
	} else {
		made.Response = a.observe(response, body, d.root+d.path, made.Began)
	}
	if token, echoed := world.session.echo(made.Response); echoed {
		a.accept(token)
	}
	for _, held := range made.Issued(a.stage.facts.Carrier) {
		world.watch(held.ID)
	}
	a.last = append(a.last, *a.stage.add(made))
	return a.last[len(a.last)-1], body, nil
}

// check refuses what would become more than one header line. Other bytes may
// be the point of an experiment.
func (d draft) check() error {
	for _, field := range d.header {
		ends := lineEnds
		if d.raw && field.Name == "Cookie" {
			ends = "\r\n" // a NUL in it may be the point
		}
		if strings.ContainsAny(field.Name+field.Value.Reveal(), ends) {
			return fmt.Errorf("the header %q holds a line break, which would begin another header; look at the value that fills it", field.Name)
		}
	}
	return nil
}

// finish adds what every request of ours has. X-Forwarded-Proto is what a
// proxy that ends TLS says, as in front of any production API; without it a
// plain-http run could not judge Secure.
func (a *actor) finish(d *draft) {
	// How long a message is, is for its sender to say.
	d.header = slices.DeleteFunc(d.header, func(f trace.Field) bool {
		return strings.EqualFold(f.Name, "Content-Length") || strings.EqualFold(f.Name, "Transfer-Encoding")
	})
	d.add("User-Agent", a.agent)
	d.add("Accept", "application/json, text/html;q=0.9, */*;q=0.5")
	d.add("Accept-Encoding", "identity") // without it any coding would do (RFC 9110 §12.5.3)
	d.add("Cache-Control", "no-cache")
	if a.stage.world.options.Base.Scheme == "http" {
		d.set("X-Forwarded-Proto", secret.New("https"))
	}
	for _, field := range a.guise.Header {
		d.remove(field.Name)
		if !field.Value.IsZero() {
			field.Value = secret.New(strings.ReplaceAll(field.Value.Reveal(), "{host}", a.stage.world.options.Base.Hostname()))
			d.header = append(d.header, field)
		}
	}
}

// target is the request target in origin form (RFC 9112 §3.2.1), as it is: an
// escape may be the point. Only what would end the request line is escaped.
func (d draft) target() string {
	target := d.root + d.path
	if d.query != "" {
		target += "?" + d.query
	}
	return blank.ReplaceAllStringFunc(target, func(char string) string { return fmt.Sprintf("%%%02X", char[0]) })
}

var blank = regexp.MustCompile(`[\x00-\x20\x7f]`)

// send uses net/http, and a raw connection where net/http would refuse or
// rewrite what a client can put on the wire.
func (a *actor) send(ctx context.Context, base *url.URL, d draft) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, d.method, base.String(), bytes.NewReader(d.body))
	if err != nil || !d.tame() {
		return sendRaw(ctx, base, d)
	}
	// Opaque is sent as it stands; Path would be decoded and encoded again.
	request.URL = &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: d.target()}
	for _, field := range d.header {
		if strings.EqualFold(field.Name, "Host") {
			request.Host = field.Value.Reveal()
			continue
		}
		name := field.Name
		if strings.EqualFold(name, "User-Agent") {
			name = "User-Agent" // spelled otherwise, net/http would add its own
		}
		request.Header[name] = append(request.Header[name], field.Value.Reveal())
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
		value := field.Value.Reveal()
		padded := strings.Trim(value, " \t") != value // which net/http would cut off
		if padded || !httpguts.ValidHeaderFieldName(field.Name) || !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
	}
	return !strings.HasPrefix(d.target(), "//") // net/http would take it for a host
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
	bound := &io.LimitedReader{R: connection, N: maxHeader}
	response, err := readHead(bufio.NewReader(bound), d.method)
	if err != nil && bound.N <= 0 {
		err = errors.New("the headers are too long")
	}
	if err != nil {
		return nil, nil, err
	}
	bound.N += 2 * maxBody // with the marks of its chunks
	return readBody(response)
}

// readHead passes over what a server says before its answer (RFC 9110 §15.2).
func readHead(reader *bufio.Reader, method string) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil || response.StatusCode/100 != 1 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
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
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n", d.method, d.target(), len(d.body))
	d.add("Host", base.Host)
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
	if response.StatusCode < 200 {
		// Past 101 net/http keeps no deadline, and below 100 is no status:
		// 0 is the trace's word for no answer.
		return nil, nil, errors.New("the status is none that ends a request")
	}
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
			continue // there is nothing to keep; net/http refuses controls by itself
		}
		rejections := a.jar.Store(a.stage.world.origin(path), parsed, now)
		a.stage.world.placed(parsed.Name, a.jar.Path(parsed.Name))
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
		return "the connection was closed without an answer, or before its end"
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "the host name does not resolve"
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return "the TLS certificate is not trusted"
	}
	return "the answer is not HTTP that can be read, or its headers are too long"
}
