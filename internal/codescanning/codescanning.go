// Package codescanning speaks to GitHub's code scanning: it uploads an analysis
// and waits until it is processed, and it reads the last analysis of a branch
// as a baseline. What is uploaded, and when, is decided elsewhere.
//
// Facts: OpenAPI description of the REST API, and what github/codeql-action
// does with its answers.
package codescanning

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	oneAnswer   = 30 * time.Second // for a single request
	retries     = 3
	largestSent = 10 << 20 // gzipped; GitHub refuses more with 413
	largestRead = 32 << 20 // an analysis of 5,000 results is a few
	longestText = 500
)

// waits are the pauses between the questions whether an analysis is processed,
// two and a half minutes together, as codeql-action asks.
var waits = []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 70 * time.Second}

// Repository is where code scanning is asked.
type Repository struct {
	API   string // "https://api.github.com", or "https://host/api/v3" of a GitHub Enterprise Server
	Name  string // "owner/name"
	Token secret.Text
	// Version is that of the tool, for the User-Agent.
	Version string
	// Pauses replace those between two looks at an upload; nil keeps them.
	Pauses []time.Duration
	// Retry is the pause before the first retry; zero is a second.
	Retry time.Duration
}

// Client asks one repository.
type Client struct {
	base   string
	token  secret.Text
	agent  string
	pauses []time.Duration
	http   *http.Client
}

var repositoryForm = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)

// New refuses an address or a name that could lead the token elsewhere.
func New(r Repository) (*Client, error) {
	address, err := url.Parse(r.API)
	if err != nil || address.Host == "" || address.User != nil || address.Scheme != "https" && address.Hostname() != "127.0.0.1" {
		return nil, errors.New("the address of GitHub's API must be an https URL, as in GITHUB_API_URL")
	}
	if !repositoryForm.MatchString(r.Name) || strings.Contains(r.Name, "..") {
		return nil, errors.New("the repository must be owner/name, as in GITHUB_REPOSITORY")
	}
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil // it logs URLs and errors as they are
	retrying.RetryMax = retries
	retrying.CheckRetry = worthRetrying
	retrying.HTTPClient.Timeout = oneAnswer
	retrying.RetryWaitMin = cmp.Or(r.Retry, retrying.RetryWaitMin)
	// A token goes to the host it is for, and to no other.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	retrying.HTTPClient.CheckRedirect = stay
	client := &Client{base: strings.TrimRight(r.API, "/") + "/repos/" + r.Name + "/code-scanning", token: r.Token,
		agent: "sessiongate/" + r.Version, pauses: r.Pauses, http: retrying.StandardClient()}
	client.http.CheckRedirect = stay
	if client.pauses == nil {
		client.pauses = waits
	}
	return client, nil
}

// worthRetrying: what is refused stays refused; what failed on the way or in
// the server may not.
func worthRetrying(ctx context.Context, response *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if response != nil && response.StatusCode < 500 {
		return false, nil
	}
	return retryablehttp.DefaultRetryPolicy(ctx, response, err)
}

// Analysis is a SARIF file with the commit it is about.
type Analysis struct {
	Commit  string // the full id
	Ref     string // "refs/heads/main", "refs/pull/7/merge"
	Started time.Time
	SARIF   []byte
}

// Upload hands an analysis in and returns the id to wait for. Its error is a
// *Refusal where GitHub answered.
func (c *Client) Upload(ctx context.Context, a Analysis) (id string, err error) {
	packed, err := pack(a.SARIF)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]string{"commit_sha": a.Commit, "ref": a.Ref, "sarif": packed,
		"tool_name": "sessiongate", "started_at": a.Started.UTC().Format(time.RFC3339)})
	if err != nil {
		return "", err
	}
	var accepted struct{ ID string }
	if err := c.ask(ctx, http.MethodPost, "/sarifs", "application/json", body, &accepted); err != nil {
		return "", err
	}
	if accepted.ID == "" {
		return "", errors.New("GitHub took the SARIF file and gave no id for it")
	}
	return accepted.ID, nil
}

func pack(sarif []byte) (string, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(sarif); err != nil {
		return "", err
	}
	if err := zip.Close(); err != nil {
		return "", err
	}
	if packed.Len() > largestSent {
		return "", &Refusal{Kind: TooLarge, Said: fmt.Sprintf("%d bytes when packed", packed.Len())}
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

// ErrPending is in the chain of the error about an analysis that GitHub has
// taken and not processed within the time.
var ErrPending = errors.New("GitHub is still processing the analysis")

// Wait asks until an upload is processed. What GitHub found wrong with it is
// the error.
func (c *Client) Wait(ctx context.Context, id string) error {
	for _, pause := range c.pauses {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		var state struct {
			Status string `json:"processing_status"`
			Errors []string
		}
		if err := c.ask(ctx, http.MethodGet, "/sarifs/"+url.PathEscape(id), "application/json", nil, &state); err != nil {
			return err
		}
		switch state.Status {
		case "complete":
			return nil
		case "failed":
			return &Refusal{Kind: Invalid, Said: shorten(strings.Join(state.Errors, "; "))}
		}
	}
	return fmt.Errorf("%w after %s; look under Security, Code scanning", ErrPending, total(c.pauses))
}

func total(pauses []time.Duration) time.Duration {
	var sum time.Duration
	for _, pause := range pauses {
		sum += pause
	}
	return sum
}

// ask sends one request and reads a JSON answer.
func (c *Client) ask(ctx context.Context, method, path, accept string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return errors.New("the request to GitHub cannot be written")
	}
	request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", c.agent)
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.New("GitHub cannot be reached; look at the network of the runner") // the cause holds the URL
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, largestRead+1))
	switch {
	case err != nil:
		return errors.New("the answer of GitHub broke off")
	case response.StatusCode/100 != 2:
		return refusal(response, answer)
	case len(answer) > largestRead:
		return fmt.Errorf("the answer of GitHub is larger than %d MiB", largestRead>>20)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return errors.New("the answer of GitHub is not the JSON it should be")
	}
	return nil
}
