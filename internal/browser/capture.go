package browser

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// take reads a value from an answer, as the capture says.
func take(capture recipe.Capture, response trace.Response, body []byte) (secret.Text, error) {
	value, source, err := find(capture, response, body)
	if err != nil {
		return secret.Text{}, fmt.Errorf("capture %s: %w", capture.Name, err)
	}
	if capture.Pattern != nil {
		source = strings.TrimPrefix(source+", regex "+capture.Regex, ", ")
		if value, err = narrow(capture, value); err != nil {
			return secret.Text{}, err
		}
	}
	switch {
	case value == "":
		return secret.Text{}, fmt.Errorf("capture %s: %w at %s; check the capture against the real answer", capture.Name, errCapture, source)
	case len(value) > maxCaptured || strings.ContainsAny(value, "\r\n\x00"):
		return secret.Text{}, fmt.Errorf("capture %s: %w: what stands at %s is too long or has line breaks", capture.Name, errCapture, source)
	}
	return secret.New(value), nil
}

func narrow(capture recipe.Capture, value string) (string, error) {
	groups := capture.Pattern.FindStringSubmatch(value)
	switch {
	case groups == nil:
		return "", fmt.Errorf("capture %s: %w: the regex matches nothing in the answer", capture.Name, errCapture)
	case len(groups) > 1:
		return groups[1], nil
	}
	return groups[0], nil
}

func find(capture recipe.Capture, response trace.Response, body []byte) (value, source string, err error) {
	switch {
	case capture.HTML != "":
		value, err = fromHTML(body, capture.HTML)
		return value, "the element " + capture.HTML, err
	case capture.JSON != "":
		value, err = fromJSON(body, capture.JSON)
		return value, capture.JSON, err
	case capture.Cookie != "":
		for _, set := range response.SetCookie {
			if set.Name == capture.Cookie {
				value = set.Value.Reveal()
			}
		}
		return value, "Set-Cookie " + capture.Cookie, nil
	case capture.Header != "":
		return response.Get(capture.Header).Reveal(), "header " + capture.Header, nil
	}
	return string(body), "", nil
}

func fromJSON(body []byte, path string) (string, error) {
	expression, err := jp.ParseString(path)
	if err != nil {
		return "", fmt.Errorf("%w: %s is no JSON path", errCapture, path)
	}
	// encoding/json bounds the depth, which a hostile answer would use.
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '<' {
			return "", fmt.Errorf("%w: the answer is HTML, not JSON", errCapture)
		}
		return "", fmt.Errorf("%w: the answer is not JSON", errCapture)
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

// fromHTML gives what a form would send of the element: an input's value, a
// meta's content, any other element's text.
func fromHTML(body []byte, selector string) (string, error) {
	wanted, err := cascadia.Parse(selector)
	if err != nil {
		return "", fmt.Errorf("%w: %s is no CSS selector", errCapture, selector)
	}
	document, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("%w: the answer is not HTML", errCapture)
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
