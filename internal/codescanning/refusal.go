package codescanning

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// Kind is why GitHub said no, as far as its status and words tell.
type Kind string

// The kinds. The texts that tell them apart are those codeql-action goes by.
const (
	Disabled     Kind = "code scanning is not enabled for this repository; enable it under Settings, Advanced Security (free for public repositories)"
	NoPermission Kind = "the token may not do that; give the job permissions: security-events: write (pull requests from forks and Dependabot have no such token: upload the sarif-file with github/codeql-action/upload-sarif in a step of its own)"
	NotFound     Kind = "GitHub does not show it to this token; check permissions: security-events, and that code scanning is enabled"
	RateLimited  Kind = "the rate limit of the token is used up; run it again later"
	TooLarge     Kind = "the SARIF file is too large for code scanning (10 MB when packed)"
	Invalid      Kind = "GitHub does not accept the SARIF file; please report it to the sessiongate project"
	Archived     Kind = "the repository is archived"
	Unavailable  Kind = "code scanning is not available at the moment; run it again later"
	Other        Kind = "GitHub refused it"
)

// Refusal is an answer that is a no.
type Refusal struct {
	Kind   Kind
	Status int    // 0: not of an answer
	Said   string // GitHub's own words, shortened and on one line
}

func (r *Refusal) Error() string {
	said := r.Said
	if r.Status != 0 {
		said = strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, said))
	}
	if said == "" {
		return string(r.Kind)
	}
	return string(r.Kind) + " (" + said + ")"
}

func refusal(response *http.Response, answer []byte) *Refusal {
	var told struct{ Message string }
	_ = json.Unmarshal(answer, &told) // a proxy on the way may answer in HTML
	return &Refusal{Kind: kindOf(response, strings.ToLower(told.Message)), Status: response.StatusCode, Said: shorten(told.Message)}
}

func kindOf(response *http.Response, message string) Kind {
	says := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(message, word) {
				return true
			}
		}
		return false
	}
	switch {
	case response.StatusCode == http.StatusTooManyRequests, says("rate limit"), response.StatusCode == http.StatusForbidden && response.Header.Get("X-RateLimit-Remaining") == "0":
		return RateLimited
	case says("code security must be enabled", "advanced security must be enabled", "code scanning is not enabled", "not enabled for code scanning"):
		return Disabled
	case says("archived"):
		return Archived
	case says("resource not accessible"), response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return NoPermission
	case response.StatusCode == http.StatusNotFound:
		return NotFound
	case response.StatusCode == http.StatusRequestEntityTooLarge:
		return TooLarge
	case response.StatusCode == http.StatusBadRequest, response.StatusCode == http.StatusUnprocessableEntity:
		return Invalid
	case response.StatusCode >= 500:
		return Unavailable
	}
	return Other
}

// shorten puts a text of GitHub's on one line of our log.
func shorten(text string) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))), " ")
	if runes := []rune(text); len(runes) > longestText {
		return string(runes[:longestText]) + "…"
	}
	return text
}
