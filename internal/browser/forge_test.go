package browser_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// forge makes an id after the model of one that was issued.
func forge(t testing.TB, shape probe.Shape, model string, stateless bool) string {
	t.Helper()
	slot := cookieSlot("sid")
	facts := trace.Facts{Carrier: []trace.Slot{slot}, Stateless: stateless}
	if model != "" {
		facts.Sample = trace.Credential{{Slot: slot, ID: secret.New(model)}}
	}
	world := newWorld(t, "http://127.0.0.1:1", "steps: {visit: GET /}")
	forged := openStage(t, world, facts).Forge(shape)
	if len(forged) != 1 || forged[0].Slot != slot {
		t.Fatalf("forged %v", ids(forged))
	}
	return forged[0].ID.Reveal()
}

func TestForgedIdLooksLikeAnIssuedOne(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, model, shape string }{
		{"hex", "0f9a3b7c5d1e8f604a2b9c8d7e6f5a4b", `^[0-9a-f]{32}$`},
		{"upper-case hex", "0F9A3B7C5D1E8F604A2B9C8D7E6F5A4B", `^[0-9A-F]{32}$`},
		{"uuid 4", "3f2b8c1e-9d4a-4f6b-8e2d-7c5a1b0f9e3d", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`},
		{"uuid 7", "01924B3C-9D4A-7F6B-AE2D-7C5A1B0F9E3D", `^[0-9A-F]{8}-[0-9A-F]{4}-7[0-9A-F]{3}-A[0-9A-F]{3}-[0-9A-F]{12}$`},
		{"decimal", "48151623421234567890", `^[0-9]{20}$`},
		{"base64url", "Zm9vYmFyLWJhe_Bxd-V1eDEyMzQ1Njc4", `^[A-Za-z0-9]{13}_[A-Za-z0-9]{3}-[A-Za-z0-9]{14}$`},
		{"base64 with padding", "Zm9vYmFyYmF6cXV1eDEyMw==", `^[A-Za-z0-9]{22}==$`},
		{"escaped", "s%3Aabcdef%2Fghijkl%3D", `^[a-z]%3A[a-z]{6}%2F[a-z]{6}%3D$`},
		{"one digit", "7", `^[0-9]$`},
		{"quoted", `"abc-123"`, `^"[a-z]{3}-[0-9]{3}"$`},
		{"bytes that are no UTF-8", "ab\xff12", `^[a-z]{2}\x{fffd}[0-9]{2}$`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for range 50 {
				got := forge(t, probe.LikeIssued, c.model, false)
				if got == c.model || len(got) != len(c.model) || !regexp.MustCompile(c.shape).MatchString(got) {
					t.Fatalf("after the model of %q it made %q", c.model, got)
				}
			}
		})
	}
}

func TestForgedIdsDiffer(t *testing.T) {
	t.Parallel()
	for _, shape := range []probe.Shape{probe.LikeIssued, probe.Words} {
		if one, two := forge(t, shape, "0f9a3b7c5d1e8f604a2b9c8d7e6f5a4b", false), forge(t, shape, "", false); one == two {
			t.Errorf("%s: twice %q", shape, one)
		}
	}
}

// Only the signature is wrong, and all of it may be drawn anew: a dash is a
// digit of base64url, not a seam.
func TestForgedSignatureKeepsThePayload(t *testing.T) {
	t.Parallel()
	cases := map[string]string{ // the model, and what stays
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.",
		"eyJ1c2VyIjoiYWxpY2UifQ.ZR2x9w.abcdefghijklmnopqrstuvwxy-":                              "eyJ1c2VyIjoiYWxpY2UifQ.ZR2x9w.",
		"2|1:0|10:1700000000|4:user|8:YWxpY2U=|9f86d081884c7d659a2feaa0c55ad015":                "2|1:0|10:1700000000|4:user|8:YWxpY2U=|",
		"eyJ1c2VyIjoiYWxpY2UifQ==--9f86d081884c7d659a2feaa0c55ad015a3bf4f1b":                    "eyJ1c2VyIjoiYWxpY2UifQ==--",
		"gAAAAABl-with-dashes_and_no_seam":                                                      "",
	}
	for model, payload := range cases {
		fresh := false // the first character behind the payload was once another
		for range 50 {
			got := forge(t, probe.LikeIssued, model, true)
			if !strings.HasPrefix(got, payload) || len(got) != len(model) || got == model {
				t.Fatalf("after %q it made %q", model, got)
			}
			fresh = fresh || got[len(payload)] != model[len(payload)]
		}
		if !fresh {
			t.Errorf("after %q it keeps more than the payload", model)
		}
	}
}

func TestForgedShapesNoGeneratorMakes(t *testing.T) {
	t.Parallel()
	if got := forge(t, probe.OneChar, "0f9a3b7c", false); !regexp.MustCompile(`^[a-z0-9]$`).MatchString(got) {
		t.Errorf("one character is %q", got)
	}
	if got := forge(t, probe.Words, "0f9a3b7c", true); !regexp.MustCompile(`^fixated-by-attacker-[a-z]{6}$`).MatchString(got) {
		t.Errorf("words are %q", got)
	}
	if got := forge(t, probe.LikeIssued, "", true); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got) {
		t.Errorf("without a model it made %q", got)
	}
	if got := forge(t, probe.LikeIssued, "-_-", false); got == "-_-" || got == "" {
		t.Errorf("of a model without letters it made %q", got)
	}
}

func TestForgeFillsEverySlotAndTellsTheRedactor(t *testing.T) {
	t.Parallel()
	redactor := &secret.Redactor{}
	world := newWorld(t, "http://127.0.0.1:1", "steps: {visit: GET /}", func(o *browser.Options) { o.Redactor = redactor })
	slots := []trace.Slot{cookieSlot("sid"), {Kind: trace.InHeader, Name: "X-Csrf"}}
	stage := openStage(t, world, trace.Facts{Carrier: slots, Sample: trace.Credential{
		{Slot: slots[0], ID: secret.New("0123456789")}, {Slot: slots[1], ID: secret.New("abcdefghij")},
	}})
	forged := stage.Forge(probe.LikeIssued)
	for i, shape := range []string{`^[0-9]{10}$`, `^[a-j-k-z]{10}$`} {
		id := forged[i].ID.Reveal()
		if forged[i].Slot != slots[i] || !regexp.MustCompile(shape).MatchString(id) {
			t.Errorf("slot %s got %q", forged[i].Slot, id)
		}
		for _, spelling := range []string{id, url.QueryEscape(id), hex.EncodeToString([]byte(id)), base64.StdEncoding.EncodeToString([]byte(id))} {
			if cleaned := redactor.Clean("<" + spelling + ">"); strings.Contains(cleaned, spelling) {
				t.Errorf("the redactor leaves %q", cleaned)
			}
		}
	}
	if got := openStage(t, world, trace.Facts{}).Forge(probe.LikeIssued); got != nil {
		t.Errorf("without a carrier it made %v", ids(got))
	}
}
