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
	// Requests were sent for it, also where it cannot be had.
	Requests int
}

// Limit is what one document may cost at most.
type Limit struct {
	Bytes    int64
	Requests int // redirects are some, too
}

// errTooLarge is about a document with more bytes than were asked for.
var errTooLarge = errors.New("it is larger than what is read of it")

// documentHops are the redirects that Fetch follows, on the same host only.
const documentHops = 3

// errSpent is about a document that no request may be sent for.
var errSpent = errors.New("no request is left for it")

// Fetch reads the document at a path below the base, without a jar.
func Fetch(ctx context.Context, base *url.URL, version, path string, most Limit) (Document, error) {
	if most.Requests < 1 {
		return Document{}, errSpent
	}
	made := Document{Requests: 1}
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: maxHeader,
		ResponseHeaderTimeout: defaultTimeout, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: defaultTimeout, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if to.URL.Host != base.Host || to.URL.Scheme != base.Scheme || len(via) > documentHops || len(via) >= most.Requests {
			return http.ErrUseLastResponse
		}
		made.Requests++
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
		return made, errors.New(plain(err))
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most.Bytes+1))
	if err != nil {
		return made, errors.New(plain(err))
	}
	made.Status = answer.StatusCode
	if int64(len(body)) > most.Bytes {
		return made, errTooLarge
	}
	below := strings.TrimPrefix(answer.Request.URL.EscapedPath(), strings.TrimSuffix(base.EscapedPath(), "/"))
	made.Path, made.Body, made.Type = "/"+strings.TrimPrefix(below, "/"), body, strings.ToLower(answer.Header.Get("Content-Type"))
	for _, set := range answer.Cookies() {
		made.Cookies = append(made.Cookies, set.Name)
	}
	for name := range answer.Header {
		made.Headers = append(made.Headers, name)
	}
	return made, nil
}
