package browser

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/andybalholm/cascadia"
	"github.com/ohler55/ojg/jp"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/net/html"
)

// errCapture marks a value that the answer did not hold.
var errCapture = errors.New("nothing to capture")

// maxCaptured bounds a captured value, which goes into later requests.
const maxCaptured = 8 << 10

// take reads a value from an answer, as the capture says. Its errors are
// errCapture and say what was looked for and where.
func take(capture recipe.Capture, response trace.Response, body []byte) (secret.Text, error) {
	value, source, err := find(capture, response, body)
	if value != "" && capture.Pattern != nil {
		value, source = narrow(capture.Pattern, value), source+" by the regex "+capture.Regex
	}
	switch {
	case err != nil:
		return secret.Text{}, fmt.Errorf("capture %s: %w", capture.Name, err)
	case value == "":
		return secret.Text{}, fmt.Errorf("capture %s: %w at %s; check the capture against the real answer", capture.Name, errCapture, source)
	case !fits(value):
		return secret.Text{}, fmt.Errorf("capture %s: %w: what stands at %s is too long or has line breaks", capture.Name, errCapture, source)
	}
	return secret.New(value), nil
}

// fits reports whether a value out of an answer may go into a request.
func fits(value string) bool {
	return len(value) <= maxCaptured && !strings.ContainsAny(value, lineEnds)
}

// lineEnds are the bytes that end a header line for one server or another.
const lineEnds = "\r\n\x00"

// narrow is the first group of the match, the match where there is no group,
// and "" without a match.
func narrow(pattern *regexp.Regexp, value string) string {
	groups := pattern.FindStringSubmatch(value)
	if groups == nil {
		return ""
	}
	return groups[min(1, len(groups)-1)]
}

func find(capture recipe.Capture, response trace.Response, body []byte) (value, source string, err error) {
	switch {
	case capture.Cookie != "":
		for _, set := range response.SetCookie {
			if set.Name == capture.Cookie {
				value = set.Value.Reveal()
			}
		}
		return value, "the cookie " + capture.Cookie, nil
	case capture.Header != "":
		return response.Get(capture.Header).Reveal(), "the header " + capture.Header, nil
	case isCompressed(response):
		return "", "", fmt.Errorf("%w: the answer is compressed, which was not asked for; compress only where Accept-Encoding allows it", errCapture)
	case capture.HTML != "":
		value, err = fromHTML(body, capture.HTML)
		return value, "the element " + capture.HTML, err
	case capture.JSON != "":
		value, err = fromJSON(body, capture.JSON)
		return value, "the JSON path " + capture.JSON, err
	}
	return string(body), "the body", nil
}

func isCompressed(response trace.Response) bool {
	coding := response.Get("Content-Encoding").Reveal()
	return coding != "" && !strings.EqualFold(coding, "identity")
}

func fromJSON(body []byte, path string) (string, error) {
	expression, err := jp.ParseString(path)
	if err != nil {
		return "", fmt.Errorf("%w: %s is no JSON path", errCapture, path)
	}
	document, err := decode(body)
	if err != nil {
		if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '<' {
			return "", fmt.Errorf("%w: the answer is HTML, not JSON", errCapture)
		}
		return "", fmt.Errorf("%w: the answer is not JSON", errCapture)
	}
	if document, err = level(document, maxDepth); err != nil {
		return "", err
	}
	switch found := expression.First(document).(type) {
	case nil:
		return "", nil
	case string:
		return found, nil
	case map[string]any, []any:
		return "", fmt.Errorf("%w: %s is no single value", errCapture, path)
	default:
		return fmt.Sprint(found), nil
	}
}

// decode reads one JSON document and keeps its numbers as they are spelled: a
// float would round an id of 64 bits.
func decode(body []byte) (any, error) {
	var document any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the document")
	}
	return document, nil
}

// maxDepth bounds a JSON answer: the time of a path with ".." grows with the
// square of the depth, and a hostile answer would use it.
const maxDepth = 100

// level makes of whole numbers what paths can compare.
func level(node any, depth int) (any, error) {
	if depth == 0 {
		return nil, fmt.Errorf("%w: the JSON of the answer is more than %d levels deep", errCapture, maxDepth)
	}
	var err error
	switch node := node.(type) {
	case json.Number:
		if whole, err := node.Int64(); err == nil {
			return whole, nil
		}
	case map[string]any:
		for name := range node {
			if node[name], err = level(node[name], depth-1); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range node {
			if node[i], err = level(node[i], depth-1); err != nil {
				return nil, err
			}
		}
	}
	return node, nil
}

// maxNodes bounds an HTML answer: the time of a selector with "~" grows with
// the square of the siblings.
const maxNodes = 20_000

// fromHTML gives what a form would send of the element: an input's value, a
// meta's content, any other element's text.
func fromHTML(body []byte, selector string) (string, error) {
	wanted, err := cascadia.Parse(selector)
	if err != nil {
		return "", fmt.Errorf("%w: %s is no CSS selector", errCapture, selector)
	}
	document, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("%w: the answer is nested too deeply for HTML", errCapture)
	}
	nodes := 0
	for range document.Descendants() {
		if nodes++; nodes > maxNodes {
			return "", fmt.Errorf("%w: the HTML of the answer has more than %d nodes; capture by a regex instead", errCapture, maxNodes)
		}
	}
	element := cascadia.Query(document, wanted)
	if element == nil {
		return "", nil
	}
	for _, name := range []string{"value", "content"} {
		for _, attribute := range element.Attr {
			if attribute.Key == name {
				return attribute.Val, nil
			}
		}
	}
	var text strings.Builder
	for node := range element.Descendants() {
		if node.Type == html.TextNode {
			text.WriteString(node.Data)
		}
	}
	return strings.TrimSpace(text.String()), nil
}
