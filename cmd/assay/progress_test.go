package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestNoBarsWithoutATerminal(t *testing.T) {
	for _, settings := range []printSettings{{}, {quiet: true}, {json: true}} {
		var stderr bytes.Buffer
		p := newProgress(newPrinter(io.Discard, &stderr, settings), false)
		meter := p.Start("hello.tar.gz", 3)
		meter.Add(3)
		meter.Done(nil)
		p.close()
		if stderr.Len() > 0 {
			t.Errorf("%+v: stderr has %q", settings, stderr.String())
		}
	}
}

func TestLinesOfALongTransfer(t *testing.T) {
	var stderr bytes.Buffer
	m := &lineMeter{out: newPrinter(io.Discard, &stderr, printSettings{}), name: "big", total: 2_000_000_000, next: time.Now().Add(-time.Second)}
	m.Add(1_000_000_000)
	m.Add(1) // within the ten seconds that follow
	m.Done(nil)
	if got, want := stderr.String(), "big: 1.0 GB of 2.0 GB\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBarsEnd shows that neither a whole nor a failed transfer keeps close
// waiting, and that talk is not lost while bars are shown.
func TestBarsEnd(t *testing.T) {
	var stderr bytes.Buffer
	p := &progress{out: newPrinter(io.Discard, &stderr, printSettings{}), bars: true}
	whole, failed, empty := p.Start("whole", 10), p.Start("failed", 10), p.Start(strings.Repeat("é", 50), 0)
	p.out.talk("between")
	whole.Add(10)
	whole.Done(nil)
	failed.Add(4)
	failed.Done(io.ErrUnexpectedEOF)
	empty.Done(nil)
	ended := make(chan struct{})
	go func() { p.close(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("close waits for bars that have ended")
	}
	p.out.talk("after")
	p.close()
	if got := stderr.String(); !strings.HasSuffix(got, "after\n") {
		t.Errorf("stderr has %q", got)
	}
}
