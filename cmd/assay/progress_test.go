package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestNoBarsWithoutATerminal(t *testing.T) {
	for _, settings := range []printSettings{{}, {quiet: true}, {json: true}} {
		var stderr bytes.Buffer
		p := newProgress(newPrinter(io.Discard, &stderr, settings), false, false)
		meter := p.Start("hello.tar.gz", 3)
		meter.Add(3)
		meter.Done(nil)
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

// TestBarsEnd shows that neither a whole nor a failed transfer leaves bars
// behind, and that talk is not lost while they are shown.
func TestBarsEnd(t *testing.T) {
	var stderr bytes.Buffer
	p := &progress{out: newPrinter(io.Discard, &stderr, printSettings{}), bars: true}
	for range 2 {
		whole, failed, empty := p.Start("whole", 10), p.Start("failed", 10), p.Start(strings.Repeat("é", 50), 0)
		short := p.Start("less than was foreseen", 10)
		waitForBars(t, p, 4)
		p.out.talk("between")
		ended := make(chan struct{})
		go func() {
			whole.Add(10)
			whole.Done(nil)
			failed.Add(4)
			failed.Done(io.ErrUnexpectedEOF)
			empty.Done(nil)
			short.Add(4)
			short.Done(nil)
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatal("the last Done waits for bars that have ended")
		}
		if p.pool != nil || p.active != 0 {
			t.Errorf("%d bars are left", p.active)
		}
	}
	p.Start("left behind", 10)
	waitForBars(t, p, 1)
	p.close()
	p.close()
	p.out.talk("after")
	if got := stderr.String(); !strings.HasSuffix(got, "after\n") || strings.Count(got, "between\n") != 2 {
		t.Errorf("stderr has %q", got)
	}
}

// TestBarsNeedAClevererTerminal shows that bars are for terminals, but not for
// dumb ones.
func TestBarsNeedAClevererTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal to be had here:", err)
	}
	defer terminal.Close()
	if !isTerminal(terminal) {
		t.Skip("/dev/ptmx is no terminal here")
	}
	out := newPrinter(io.Discard, terminal, printSettings{})
	for _, dumb := range []bool{false, true} {
		if p := newProgress(out, false, dumb); p.bars == dumb || p.off {
			t.Errorf("dumb %v: bars %v, off %v", dumb, p.bars, p.off)
		}
	}
}

func TestSpeedAndTime(t *testing.T) {
	for took, want := range map[time.Duration]string{
		0:                        "0s",
		1234 * time.Microsecond:  "1ms",
		999 * time.Millisecond:   "999ms",
		20213 * time.Millisecond: "20.2s",
		80999 * time.Millisecond: "1m21s",
	} {
		if got := tookText(took); got != want {
			t.Errorf("%d ns: expected %q, found %q", took, want, got)
		}
	}
	if got := speedText(42_000, 2*time.Second); got != "21 kB/s" {
		t.Errorf("expected 21 kB/s, found %q", got)
	}
	if got := speedText(5, 0); got != "5.0 kB/s" {
		t.Errorf("in no time: expected what a millisecond gives, 5.0 kB/s, found %q", got)
	}
}

// waitForBars waits until so many bars are shown.
func waitForBars(t *testing.T, p *progress, n int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		shown := p.active
		p.mu.Unlock()
		if shown == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("expected %d bars, found %d", n, shown)
		}
	}
}

// TestQuickTransfersGetNoBar shows that nothing flashes by.
func TestQuickTransfersGetNoBar(t *testing.T) {
	var stderr bytes.Buffer
	p := &progress{out: newPrinter(io.Discard, &stderr, printSettings{}), bars: true, barAfter: time.Hour}
	for range 3 {
		m := p.Start("quick", 10)
		m.Add(10)
		m.Done(nil)
	}
	p.close()
	if stderr.Len() > 0 || p.pool != nil {
		t.Errorf("stderr has %q", stderr.String())
	}
}

// TestTalkIsNotLost shows that what is told at the moment in which the bars end
// still comes out.
func TestTalkIsNotLost(t *testing.T) {
	var stderr bytes.Buffer
	out := newPrinter(io.Discard, &stderr, printSettings{})
	out.divert(brokenPipe{})
	out.talk("late")
	if got := stderr.String(); got != "late\n" {
		t.Errorf("stderr has %q", got)
	}
}
