package serve

import (
	"fmt"
	"testing"
	"time"

	"assay/mirror"
	"assay/mirror/counters"
)

// TestReleasesAreBounded shows that however many products there are, only so many are
// told apart.
func TestReleasesAreBounded(t *testing.T) {
	set := &counters.Set{}
	tallies := newTallies(set)
	for i := range counters.MaxReleases + 100 {
		tally := tallies.ofRelease(&mirror.File{Repository: "acme", Product: fmt.Sprintf("p%d", i), Channel: "stable"})
		tally.add(200, false, 10, time.Millisecond)
	}
	if tallies.ofRelease(&mirror.File{Repository: "acme"}) != nil {
		t.Error("what belongs to no product: expected no tally, found one")
	}
	all := set.Distribution().Releases
	if len(all) != counters.MaxReleases+1 {
		t.Fatalf("expected %d groups and one of the others, found %d", counters.MaxReleases, len(all))
	}
	for _, one := range all {
		want := int64(1)
		if one.Product == counters.Others {
			want = 100
		}
		if one.Requests != want || one.Results["ok"] != want || one.Bytes != 10*want {
			t.Errorf("%s: expected %d requests, found %+v", one.Product, want, one)
		}
	}
}
