package idquality_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func random(n int) []byte {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return raw
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(i int) string
		bits float64
	}{
		"constant":                {func(int) string { return "always-the-same" }, 0},
		"counter behind a prefix": {func(i int) string { return fmt.Sprintf("user-%04d", 1000+i*37) }, 4 * math.Log2(10)},
		"24 bits of hex":          {func(int) string { return hex.EncodeToString(random(3)) }, 24},
		"128 bits of hex":         {func(int) string { return hex.EncodeToString(random(16)) }, 128},
		"uuid4": {func(int) string {
			r := random(16)
			r[6], r[8] = r[6]&0x0f|0x40, r[8]&0x3f|0x80
			return fmt.Sprintf("%x-%x-%x-%x-%x", r[:4], r[4:6], r[6:8], r[8:10], r[10:])
		}, 122},
		"256 bits of base64url": {func(int) string { return base64.RawURLEncoding.EncodeToString(random(32)) }, 258},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []secret.Text
			for i := range 40 {
				ids = append(ids, secret.New(test.make(i)))
			}
			if got := idquality.Capacity(ids); math.Abs(got-test.bits) > 0.01 {
				t.Errorf("capacity %.2f, want %.2f", got, test.bits)
			}
		})
	}
}

func TestCapacityNeedsTwoIDs(t *testing.T) {
	t.Parallel()
	if got := idquality.Capacity([]secret.Text{secret.New("one")}); got != 0 {
		t.Errorf("one id holds %.1f bits", got)
	}
}
