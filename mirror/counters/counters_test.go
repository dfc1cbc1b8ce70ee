package counters_test

import (
	"fmt"
	"sync"
	"testing"

	"assay/mirror/counters"
)

func TestOneCounterForTheSameLabels(t *testing.T) {
	var set counters.Set
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 1000 {
				set.Counter("requests_total", "result", "ok").Add(1)
			}
		})
	}
	wait.Wait()
	set.Counter("requests_total", "result", "error").Add(2)
	set.Counter("bytes_total").Add(7)
	want := "[{bytes_total [] 7} {requests_total [result error] 2} {requests_total [result ok] 8000}]"
	if got := fmt.Sprint(set.Samples()); got != want {
		t.Errorf("samples: expected %s, found %s", want, got)
	}
}

func TestNilCountsNothing(t *testing.T) {
	var set *counters.Set
	set.Counter("x_total").Add(1)
	if n := set.Counter("x_total").Value(); n != 0 || set.Samples() != nil {
		t.Errorf("a nil set: expected nothing, found %d and %v", n, set.Samples())
	}
}
