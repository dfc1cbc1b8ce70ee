package counters_test

import (
	"testing"
	"time"

	"assay/mirror/counters"
)

func TestQuantiles(t *testing.T) {
	var set counters.Set
	h := set.Histogram("x_seconds", "repository", "acme")
	if q := h.Durations().Quantile(0.5); q != 0 {
		t.Errorf("nothing was counted: expected 0, found %s", q)
	}
	// 100 in the bucket from 1 to 2.5 ms, 1 beyond the last.
	for range 100 {
		h.Observe(2 * time.Millisecond)
	}
	set.Histogram("x_seconds", "repository", "acme").Observe(time.Hour)
	h.Observe(-time.Second) // a clock that was set back
	d := set.Durations()[0]
	if n := d.Count(); n != 102 || d.Sum != time.Hour+200*time.Millisecond || d.Buckets[0] != 1 || d.Buckets[len(d.Buckets)-1] != 1 {
		t.Errorf("expected 102 in three buckets, found %+v", d)
	}
	if q := d.Quantile(0.5); q < time.Millisecond || q > 2500*time.Microsecond {
		t.Errorf("p50: expected it in its bucket, from 1ms to 2.5ms, found %s", q)
	}
	if q := d.Quantile(1); q != 5*time.Minute {
		t.Errorf("p100: expected the last bound, 5m, found %s", q)
	}
	if q := d.Quantile(0.001); q != d.Quantile(0.0001) && q > 500*time.Microsecond {
		t.Errorf("the least: expected it in the first bucket, found %s", q)
	}
}

func TestBoundsOfBuckets(t *testing.T) {
	for i, bound := range counters.Bounds() {
		h := (&counters.Set{}).Histogram("x_seconds")
		h.Observe(bound)
		h.Observe(bound + 1)
		if d := h.Durations(); d.Buckets[i] != 1 || d.Buckets[i+1] != 1 {
			t.Errorf("%s: expected itself in bucket %d and what is longer in the next, found %v", bound, i, d.Buckets)
		}
	}
}

func TestNilHistogramCountsNothing(t *testing.T) {
	var set *counters.Set
	set.Histogram("x_seconds").Observe(time.Second)
	if set.Durations() != nil || set.Histogram("x_seconds").Durations().Count() != 0 {
		t.Error("a nil set: expected nothing")
	}
}

func TestDistribution(t *testing.T) {
	var set counters.Set
	set.Counter(counters.Requests, "repository", "acme", "result", "ok").Add(3)
	set.Counter(counters.Requests, "repository", "acme", "result", "error").Add(0)
	set.Counter(counters.ResponseBytes, "repository", "acme").Add(70)
	set.Counter(counters.ReleaseRequests, "repository", "acme", "product", "hello", "channel", "stable", "result", "ok").Add(2)
	set.Counter(counters.ReleaseRequests, "repository", "acme", "product", "hello", "channel", "stable", "result", "cut").Add(1)
	set.Counter(counters.ReleaseBytes, "repository", "acme", "product", "hello", "channel", "stable").Add(60)
	set.Histogram(counters.ReleaseByte, "repository", "acme", "product", "hello", "channel", "stable").Observe(time.Millisecond)
	set.Counter("other_total").Add(9)
	d := set.Distribution()
	if len(d.Repositories) != 1 || d.Repositories[0].Requests != 3 || d.Repositories[0].Bytes != 70 || len(d.Repositories[0].Results) != 1 {
		t.Errorf("the repository: expected 3 requests that went well and 70 bytes, found %+v", d.Repositories)
	}
	if len(d.Releases) != 1 || d.Releases[0].Product != "hello" || d.Releases[0].Channel != "stable" || d.Releases[0].Requests != 3 ||
		d.Releases[0].Results["cut"] != 1 || d.Releases[0].Bytes != 60 || d.Releases[0].Latency.P99 <= 0.0005 || d.Releases[0].Latency.P99 > 0.001 {
		t.Errorf("the release: expected 3 requests, one of them cut, and 60 bytes, found %+v", d.Releases)
	}
	var none *counters.Set
	if d := none.Distribution(); d.Repositories == nil || d.Releases == nil || len(d.Releases) > 0 {
		t.Errorf("a nil set: expected empty lists, found %+v", d)
	}
}
