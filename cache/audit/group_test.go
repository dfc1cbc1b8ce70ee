package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// TestOneLogManyAppends: what goroutines append at once, some of them giving up,
// makes one chain, in which each finds its own entries, as they were handed out and
// in its order.
func TestOneLogManyAppends(t *testing.T) {
	l := open(t, t.TempDir())
	var all sync.WaitGroup
	kept := make([][]Entry, 32)
	for i := range kept {
		all.Go(func() {
			for n := range 8 {
				ctx, cancel := context.WithCancel(t.Context())
				if n == 3 {
					go cancel()
				}
				e, err := l.Append(ctx, Entry{Action: Get, User: fmt.Sprint(i)})
				cancel()
				if err == nil {
					kept[i] = append(kept[i], e)
				} else if n != 3 || !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	byNumber := map[uint64]Entry{}
	for _, own := range kept {
		for n, e := range own {
			if byNumber[e.Seq] = e; n > 0 && own[n-1].Seq >= e.Seq {
				t.Errorf("expected entry %d behind %d", e.Seq, own[n-1].Seq)
			}
		}
	}
	report, err := l.Verify(t.Context(), Head{})
	if err != nil || report.FirstBroken != nil || report.Entries != uint64(len(byNumber)) {
		t.Errorf("expected %d entries that hold, found %+v, %v", len(byNumber), report, err)
	}
	for e, err := range l.List(t.Context(), Filter{}) {
		if err != nil || e.Hash != byNumber[e.Seq].Hash {
			t.Errorf("entry %d is not as it was handed out: %v", e.Seq, err)
		}
	}
}
