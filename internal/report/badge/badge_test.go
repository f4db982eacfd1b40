package badge_test

import (
	"bytes"
	"testing"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/badge"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		r    report.Report
		want string
	}{
		"vulnerable": {reporttest.Vulnerable(), `"message": "F 49/100",
  "color": "red"
`},
		"hardened": {reporttest.Hardened(), `"message": "A 98/100",
  "color": "brightgreen"
`},
		"problem": {reporttest.Problem(), `"message": "not measured",
  "color": "lightgrey",
  "isError": true
`},
	} {
		var out bytes.Buffer
		if err := badge.Write(&out, test.r); err != nil {
			t.Fatal(err)
		}
		if want := "{\n  \"schemaVersion\": 1,\n  \"label\": \"sessiongate\",\n  " + test.want + "}\n"; out.String() != want {
			t.Errorf("%s:\n%swant\n%s", name, out.String(), want)
		}
	}
}
