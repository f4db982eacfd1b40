package discover

import (
	"fmt"
	"strings"
	"testing"
)

// wide is a description as generators make them: each operation with parameters,
// a body and an answer of its own twenty fields.
func wide(operations int) []byte {
	var paths, schemas strings.Builder
	for i := range operations {
		fmt.Fprintf(&paths, `"/things/%d":{"post":{"operationId":"thing%d","tags":["things"],"summary":"Thing number %d",
			"parameters":[{"name":"page","in":"query","required":true,"schema":{"type":"integer"}},{"$ref":"#/components/parameters/trace"}],
			"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing%d"}}}},
			"responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing%d"}}}}}}},`, i, i, i, i, i)
		fmt.Fprintf(&schemas, `"Thing%d":{"type":"object","required":["field1"],"properties":{"parent":{"$ref":"#/components/schemas/Thing%d"}`, i, (i+1)%operations)
		for field := range 20 {
			fmt.Fprintf(&schemas, `,"field%d":{"type":"string","maxLength":100,"description":"what it is for"}`, field)
		}
		schemas.WriteString(`}},`)
	}
	return []byte(`{"openapi":"3.1.0","paths":{` + strings.TrimSuffix(paths.String(), ",") + `},"components":{"parameters":{"trace":{"name":"X-Trace","in":"header"}},
		"schemas":{` + strings.TrimSuffix(schemas.String(), ",") + `}}}`)
}

// The figures of the issue: a thousand operations in a second and 100 MiB.
func BenchmarkDescribe(b *testing.B) {
	for name, data := range map[string][]byte{"recursive": many(1000, 100), "padded": many(1000, 3000), "wide": wide(1000)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if made, err := describe("openapi.json", data); err != nil || len(made.operations) < 1000 {
					b.Fatalf("%d operations, %v", len(made.operations), err)
				}
			}
		})
	}
}
