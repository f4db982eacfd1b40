package corpus_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// malformed sends values that are no ids, byte for byte as they stand here, and
// asks whether they make the server fail. net/http would not send some of them.
func (p *proof) malformed(ctx context.Context) (bool, error) {
	values := []string{"", "x", strings.Repeat("a", 4096), strings.Repeat("a", 15000), "\x00", "%00", "\xff\xfe", "\xed\xa0\x80", "%ff", "%",
		"%0d%0aX: y", "\xf0\x9f\x8d\xaa", `"`, `"\101\""`, "99999999999999999999", "00000000-0000-4000-8000-00000000000g", "..", "a.b.c", "[]", "s:"}
	for _, value := range values {
		status, err := p.rawRead(ctx, value)
		if err != nil {
			return false, fmt.Errorf("%.20q: %w", value, err)
		}
		if status >= 500 {
			again, err := p.rawRead(ctx, value)
			return again >= 500, err
		}
	}
	return false, nil
}

// rawRead makes the last request of the identity step with that id. A server
// that hangs up instead of answering has refused: its status is 400 here.
func (p *proof) rawRead(ctx context.Context, id string) (int, error) {
	steps := p.recipe.Steps["identity"]
	method, path, _ := strings.Cut(steps[len(steps)-1].Request, " ")
	at, err := url.Parse(p.base)
	if err != nil {
		return 0, err
	}
	connection, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", at.Host)
	if err != nil {
		return 0, err
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, err
	}
	lines := []string{method + " " + path + " HTTP/1.1", "Host: " + at.Host, "X-Forwarded-Proto: https", "Connection: close"}
	var pairs []string
	for _, slot := range p.slots {
		switch kind, name, _ := strings.Cut(slot, " "); kind {
		case "cookie":
			pairs = append(pairs, name+"="+id)
		case "header":
			lines = append(lines, name+": "+id)
		default:
			lines = append(lines, "Authorization: Bearer "+id)
		}
	}
	if len(pairs) > 0 {
		lines = append(lines, "Cookie: "+strings.Join(pairs, "; "))
	}
	if _, err := connection.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n")); err != nil {
		return http.StatusBadRequest, nil
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return http.StatusBadRequest, nil
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode, nil
}
