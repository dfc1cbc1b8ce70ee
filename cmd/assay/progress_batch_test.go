package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBatchTellsLines shows that without a terminal a line tells of all now and
// then, and that bytes of each transfer count.
func TestBatchTellsLines(t *testing.T) {
	var stderr bytes.Buffer
	p := newProgress(newPrinter(io.Discard, &stderr, printSettings{}), false, false)
	b := p.batch(10_000)
	b.files.Store(1199)
	p.Start("small", 200_000).Add(200_000)
	m := p.Start("one", 4_800_000)
	m.Add(4_800_000)
	m.Done(nil)
	b.next = time.Now().Add(-time.Second)
	b.ended()
	b.ended() // within the ten seconds that follow
	b.close()
	b.next = time.Time{}
	b.ended()
	p.Start("by itself", 5).Add(5)
	if got, want := stderr.String(), "1,200 of 10,000 files, 5.0 MB\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := b.bytes.Load(); got != 5_000_000 {
		t.Errorf("%d bytes were counted", got)
	}
}

func TestBatchOfNobodyWatching(t *testing.T) {
	for _, settings := range []printSettings{{quiet: true}, {json: true}} {
		var stderr bytes.Buffer
		p := newProgress(newPrinter(io.Discard, &stderr, settings), false, false)
		b := p.batch(3)
		b.next = time.Time{}
		b.ended()
		b.close()
		b.close()
		if stderr.Len() > 0 {
			t.Errorf("%+v: stderr has %q", settings, stderr.String())
		}
	}
}

// TestBatchBars shows that a batch has a bar, its longest transfers six at most,
// and that nothing of them is left, whatever ends first.
func TestBatchBars(t *testing.T) {
	var stderr bytes.Buffer
	p := &progress{out: newPrinter(io.Discard, &stderr, printSettings{}), bars: true, barAfter: time.Millisecond}
	for range 2 {
		b := p.batch(20)
		waitForBars(t, p, 1)
		var all sync.WaitGroup
		release := make(chan struct{})
		for i := range 20 {
			all.Go(func() {
				p.Start("small", smallTransfer).Done(nil)
				m := p.Start(fmt.Sprint("file", i), smallTransfer+1)
				m.Add(50)
				<-release
				m.Add(50)
				m.Done(nil)
				b.ended()
			})
		}
		waitForBars(t, p, 1+mostBars)
		p.mu.Lock()
		if p.active != 1+mostBars {
			t.Errorf("%d bars", p.active)
		}
		p.mu.Unlock()
		p.out.talk("between")
		close(release)
		all.Wait()
		b.close()
		b.close()
		if p.pool != nil || p.active != 0 || p.together != nil {
			t.Errorf("%d bars are left", p.active)
		}
	}
	if !strings.Contains(stderr.String(), "between\n") {
		t.Errorf("stderr has %q", stderr.String())
	}
}

// TestQuickBatchGetsNoBar shows that nothing flashes by.
func TestQuickBatchGetsNoBar(t *testing.T) {
	var stderr bytes.Buffer
	p := &progress{out: newPrinter(io.Discard, &stderr, printSettings{}), bars: true, barAfter: time.Hour}
	b := p.batch(1)
	p.Start("quick", 10).Done(nil)
	b.ended()
	b.close()
	p.close()
	if stderr.Len() > 0 || p.pool != nil {
		t.Errorf("stderr has %q", stderr.String())
	}
}
