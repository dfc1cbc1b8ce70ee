package main

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"assay/fetch"
)

// mostBars is how many transfers have a bar of their own at once: the longest of
// those under way. All together have one more.
const mostBars = 6

// batch shows several transfers together: how many of the files have ended, and
// what came for all of them. How long it will take nobody can tell from that, as
// files differ in length. One batch at a time is shown. It is safe for several
// goroutines.
type batch struct {
	progress *progress
	wanted   int64 // files
	begun    time.Time
	files    atomic.Int64 // that have ended
	bytes    atomic.Int64

	mu    sync.Mutex
	timer *time.Timer // until the bar is shown; nil: there are no bars
	bar   *mpb.Bar    // nil: not shown yet
	over  bool
	next  time.Time // for a line, where there are no bars
}

// batch begins the display of so many files. What Start announces from here to
// close counts for it.
func (p *progress) batch(files int) *batch {
	b := &batch{progress: p, wanted: int64(files), begun: time.Now()}
	b.next = b.begun.Add(quietFor)
	if p.off {
		return b
	}
	p.mu.Lock()
	p.together = b
	p.mu.Unlock()
	if p.bars {
		b.mu.Lock()
		b.timer = time.AfterFunc(p.barAfter, b.show)
		b.mu.Unlock()
	}
	return b
}

// show puts the bar on the terminal, below those of single transfers.
func (b *batch) show() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	p := b.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	b.bar = p.add(b.wanted, mpb.BarPriority(math.MaxInt32),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.filesText() + " " })),
		mpb.AppendDecorators(
			decor.Any(func(decor.Statistics) string { return " " + bytesText(b.bytes.Load()) }),
			decor.Any(func(decor.Statistics) string { return " " + speedText(b.bytes.Load(), time.Since(b.begun)) }),
		))
	b.bar.SetCurrent(b.shown())
}

// shown is how far the bar goes: never to its end, where it would end by itself.
func (b *batch) shown() int64 { return min(b.files.Load(), b.wanted-1) }

func (b *batch) filesText() string {
	return fmt.Sprintf("%s of %s files", humanize.Comma(b.files.Load()), humanize.Comma(b.wanted))
}

// ended counts a file, whatever came of it.
func (b *batch) ended() {
	b.files.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		b.bar.SetCurrent(b.shown())
	}
	b.line()
}

// add counts bytes.
func (b *batch) add(n int) {
	b.bytes.Add(int64(n))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line()
}

// line tells how far it is, now and then, where there are no bars; mu is held.
func (b *batch) line() {
	p, now := b.progress, time.Now()
	if p.off || p.bars || b.over || now.Before(b.next) {
		return
	}
	b.next = now.Add(quietFor)
	p.out.talk("%s, %s", b.filesText(), bytesText(b.bytes.Load()))
}

// close takes the display away. It may be called again.
func (b *batch) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.over = true
	p := b.progress
	p.mu.Lock()
	if p.together == b {
		p.together = nil
	}
	p.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.bar != nil {
		b.bar.Abort(true)
		p.done()
	}
}

// batchMeter is a transfer that counts for a batch, too.
type batchMeter struct {
	fetch.Meter
	batch *batch
}

func (m batchMeter) Add(n int) {
	m.Meter.Add(n)
	m.batch.add(n)
}
