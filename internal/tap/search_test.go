package tap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/idform"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func TestSearchFindsWhatContainsFinds(t *testing.T) {
	t.Parallel()
	const alphabet = "ab'"
	random := rand.New(rand.NewPCG(1, 2))
	word := func(length int) string {
		made := make([]byte, length)
		for i := range made {
			made[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(made)
	}
	found := 0
	for range 300 {
		var x index
		want := map[string]bool{}
		text := word(random.IntN(400))
		for range 40 {
			id := secret.New(word(window + random.IntN(4)))
			x.add(id)
			for _, form := range idform.Of(id) {
				if strings.Contains(text, form.Value) {
					want[id.Reveal()+" "+form.Name] = true
				}
			}
		}
		got := map[string]bool{}
		for _, hit := range x.search("", []secret.Text{secret.New(text)}) {
			got[hit.ID.Reveal()+" "+hit.Form] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in %q: %s", text, diff)
		}
		found += len(want)
	}
	if found < 300 {
		t.Errorf("found %d only: nothing is compared", found)
	}
}

func TestSearchAtEveryPlace(t *testing.T) {
	t.Parallel()
	var x index
	x.add(secret.New("sixsix"))
	x.add(secret.New("a-longer-id-than-that"))
	for _, id := range []string{"sixsix", "a-longer-id-than-that"} {
		for before := range 20 {
			for after := range 10 {
				if got := x.search(strings.Repeat("x", before)+id+strings.Repeat("y", after), nil); len(got) != 1 || got[0].ID.Reveal() != id {
					t.Fatal(id, before, after, got)
				}
			}
		}
		if got := x.search(id[:len(id)-1], nil); got != nil {
			t.Error(got)
		}
	}
}

func TestSearchShortIDs(t *testing.T) {
	t.Parallel()
	var x index
	x.add(secret.New("x"))
	x.add(secret.New("o'b"))
	for text, want := range map[string][]string{
		"SELECT x FROM sixty":         nil,
		"SELECT 'x'":                  {"x in 0"},
		"SELECT 'xx', 'o''b', 'o'b'":  {"o'b in 0"},
		"SELECT $1, $2, $3/x,o'b,ox/": {"x in 1", "o'b in 2"},
	} {
		var parameters []secret.Text
		if _, list, ok := strings.Cut(text, "/"); ok {
			for value := range strings.SplitSeq(list, ",") {
				parameters = append(parameters, secret.New(strings.TrimSuffix(value, "/")))
			}
		}
		var got []string
		for _, hit := range x.search(text, parameters) {
			got = append(got, fmt.Sprintf("%s in %d", hit.ID.Reveal(), hit.Parameter))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(text, diff)
		}
	}
}

func TestSearchSaysEachFormOnceRawFirst(t *testing.T) {
	t.Parallel()
	var x index
	id := secret.New("s:0123456789abcdef0123.c2lnbmF0dXJl")
	x.add(id)
	var values []string
	for _, form := range idform.Of(id) {
		values = append(values, form.Value)
	}
	slices.Reverse(values)
	hits := x.search(strings.Join(append(values, values...), " "), nil)
	seen := map[string]bool{}
	for _, hit := range hits {
		if seen[hit.Form] {
			t.Errorf("%s twice", hit.Form)
		}
		seen[hit.Form] = true
		if hit.Reversible != !strings.HasPrefix(hit.Form, "md5") && !strings.HasPrefix(hit.Form, "sha") {
			t.Errorf("%s: reversible %t", hit.Form, hit.Reversible)
		}
	}
	if hits[0].Form != "raw" || !seen["before the signature"] || !seen["sha256 hex"] {
		t.Errorf("%v", hits)
	}
}

func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	var x index
	for i := range 300 {
		x.add(secret.New(fmt.Sprintf("session-%03d", i)))
	}
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "session-%03d ", i)
	}
	if got := x.search(text.String(), make([]secret.Text, 65_535)); len(got) != maxHits {
		t.Error(len(got))
	}
}

// crowd is what a long run watches.
func crowd(ids int) *index {
	var x index
	random := rand.New(rand.NewPCG(3, 4))
	for range ids {
		x.add(secret.New(fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())))
	}
	return &x
}

func BenchmarkSearch(b *testing.B) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, ids := range []int{1, 200, 2000} {
		for _, size := range []int{200, 1 << 20} {
			x := crowd(ids)
			var text strings.Builder
			for text.Len() < size {
				fmt.Fprintf(&text, "UPDATE sessions SET data = '%x' WHERE id = $1; ", random.Uint64())
			}
			b.Run(fmt.Sprintf("%d-ids-%d-forms/%d-bytes", ids, x.count, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					if x.search(text.String()[:size], nil) != nil {
						b.Fatal("found something")
					}
				}
			})
		}
	}
}
