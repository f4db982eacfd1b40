package browser

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Document is what anybody may read at an address. It is no part of an
// experiment, so that it may be larger than what a trace keeps.
type Document struct {
	Status  int
	Path    string // below the base, after redirects
	Type    string // the media type, in lower case
	Body    []byte
	Cookies []string // the names of those it sets
	Headers []string // the names of its headers
}

// errTooLarge is about a document with more bytes than were asked for.
var errTooLarge = errors.New("it is larger than what is read of it")

// documentHops are the redirects that Fetch follows, on the same host only.
const documentHops = 3

// Fetch reads the document at a path below the base, without a jar.
func Fetch(ctx context.Context, base *url.URL, version, path string, most int64) (Document, error) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: maxHeader,
		ResponseHeaderTimeout: defaultTimeout, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: defaultTimeout, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if to.URL.Host != base.Host || to.URL.Scheme != base.Scheme || len(via) > documentHops {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base.String(), "/")+path, nil)
	if err != nil {
		return Document{}, errors.New("its address cannot be read")
	}
	request.Header.Set("User-Agent", "sessiongate/"+version+" (discovery)")
	request.Header.Set("Accept", "application/json, application/yaml, text/html;q=0.9, */*;q=0.5")
	if base.Scheme == "http" {
		request.Header.Set("X-Forwarded-Proto", "https") // as every browser of ours says; see finish
	}
	answer, err := client.Do(request)
	if err != nil {
		return Document{}, errors.New(plain(err))
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return Document{}, errors.New(plain(err))
	case int64(len(body)) > most:
		return Document{Status: answer.StatusCode}, errTooLarge
	}
	below := strings.TrimPrefix(answer.Request.URL.EscapedPath(), strings.TrimSuffix(base.EscapedPath(), "/"))
	made := Document{Status: answer.StatusCode, Path: "/" + strings.TrimPrefix(below, "/"), Body: body,
		Type: strings.ToLower(answer.Header.Get("Content-Type"))}
	for _, set := range answer.Cookies() {
		made.Cookies = append(made.Cookies, set.Name)
	}
	for name := range answer.Header {
		made.Headers = append(made.Headers, name)
	}
	return made, nil
}
