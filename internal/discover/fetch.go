package discover

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// reader gets documents that anybody may read. It has no jar; what needs one
// is tried by the scan's own browsers.
type reader struct {
	base   *url.URL
	client *http.Client
	agent  string
}

const (
	patience     = 10 * time.Second // of one document
	mostHopsHTTP = 3
)

func newReader(base *url.URL, version string) *reader {
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: 64 << 10,
		ResponseHeaderTimeout: patience, IdleConnTimeout: patience, MaxIdleConnsPerHost: 1}
	r := &reader{base: base, agent: "sessiongate/" + version + " (discovery)"}
	r.client = &http.Client{Transport: transport, Timeout: patience, CheckRedirect: r.stay}
	return r
}

func (r *reader) close() { r.client.CloseIdleConnections() }

// stay follows redirects on the target only: another host was not given to us.
func (r *reader) stay(to *http.Request, via []*http.Request) error {
	if to.URL.Host != r.base.Host || len(via) >= mostHopsHTTP {
		return http.ErrUseLastResponse
	}
	return nil
}

// document is an answer to a reader.
type document struct {
	status int
	path   string // after redirects, below the base
	body   []byte
	html   bool
	cookie bool // it set one
}

var errTooLarge = errors.New("it is larger than 8 MiB")

func (r *reader) get(ctx context.Context, path string) (document, error) {
	address := strings.TrimSuffix(r.base.String(), "/") + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return document{}, errors.New("its address cannot be read")
	}
	request.Header.Set("User-Agent", r.agent)
	request.Header.Set("X-Forwarded-Proto", "https") // as the browsers of the scan do
	request.Header.Set("Accept", "application/json, application/yaml, text/html;q=0.9, */*;q=0.5")
	answer, err := r.client.Do(request)
	if err != nil {
		return document{}, errors.New("it does not answer")
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostSpec+1))
	if err != nil {
		return document{}, errors.New("its answer breaks off")
	}
	if len(body) > mostSpec {
		return document{status: answer.StatusCode}, errTooLarge
	}
	below := strings.TrimPrefix(answer.Request.URL.EscapedPath(), strings.TrimSuffix(r.base.EscapedPath(), "/"))
	return document{status: answer.StatusCode, path: "/" + strings.TrimPrefix(below, "/"), body: body, cookie: len(answer.Header["Set-Cookie"]) > 0,
		html: strings.Contains(strings.ToLower(answer.Header.Get("Content-Type")), "html")}, nil
}

// readFile reads a description out of the repository; nil where there is none.
func readFile(folder, name string) []byte {
	path := filepath.Join(folder, filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > mostSpec {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}
