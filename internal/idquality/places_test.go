package idquality_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func ids(values ...string) []secret.Text {
	var made []secret.Text
	for _, value := range values {
		made = append(made, secret.New(value))
	}
	return made
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ids  []secret.Text
		want []float64
	}{
		"none":            {nil, nil},
		"one":             {ids("abc"), nil},
		"the same":        {ids("ab", "ab", "ab"), []float64{0, 0}},
		"a changing end":  {ids("xa", "xb", "xc", "xd"), []float64{0, 2}},
		"unequal lengths": {ids("a", "ab"), []float64{0, 1}},
		"encoded":         {ids("%61", "b"), []float64{1}},
	} {
		if diff := cmp.Diff(test.want, idquality.Places(test.ids), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRising(t *testing.T) {
	t.Parallel()
	var counter, random []secret.Text
	for i := range 101 {
		counter = append(counter, secret.New(fmt.Sprint(95+i)))
		random = append(random, secret.New(fmt.Sprintf("%x", fmt.Appendf(nil, "%x", i*7919%101)[0:1])))
	}
	if got := idquality.Rising(counter); got != 100 {
		t.Errorf("%d of 100 steps of a counter rise", got)
	}
	if got := idquality.Rising(random); math.Abs(float64(got)-50) > 25 {
		t.Errorf("%d of 100 steps of ids in no order rise", got)
	}
	if got := idquality.Rising(ids("one")); got != 0 {
		t.Errorf("one id rises %d times", got)
	}
}
