package main

import (
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"assay/fetch"
)

// quietFor is how long a transfer may take before a line tells of it where
// there is no terminal, and how much time lies between two such lines.
const quietFor = 10 * time.Second

// barAfter is how long a transfer goes on before it gets a bar: what is done
// within the blink of an eye needs none.
const barAfter = 400 * time.Millisecond

// smallTransfer is the longest transfer that only counts for its batch: where it
// takes long, it waits for others.
const smallTransfer = 1 << 20

// barColumns keeps a bar with its texts within 80 columns.
const barColumns = 80

// progress shows transfers: bars where stderr is a terminal, a line now and
// then elsewhere, nothing where that is asked for. It implements
// fetch.Progress, and is safe for several goroutines.
type progress struct {
	out      *printer
	off      bool
	bars     bool
	barAfter time.Duration

	mu       sync.Mutex
	pool     *mpb.Progress // there while bars are shown
	active   int           // bars in it
	together *batch        // that transfers count for; nil: each is by itself
}

// newProgress makes the display for a run. A dumb terminal, one that can't go
// back in a line, gets lines as a file does.
func newProgress(out *printer, off, dumb bool) *progress {
	off = off || out.quiet || out.json
	return &progress{out: out, off: off, bars: !off && !dumb && isTerminal(out.stderr), barAfter: barAfter}
}

// Start implements fetch.Progress; total is in bytes, 0 where it is not known.
func (p *progress) Start(name string, total int64) fetch.Meter {
	name = clean(name)
	if p.off {
		return noMeter{}
	}
	p.mu.Lock()
	together := p.together
	p.mu.Unlock()
	switch {
	case together == nil:
		return p.meter(name, total)
	case total > 0 && total <= smallTransfer:
		return batchMeter{noMeter{}, together}
	}
	return batchMeter{p.meter(name, total), together}
}

// meter shows one transfer.
func (p *progress) meter(name string, total int64) fetch.Meter {
	now := time.Now()
	if p.bars {
		m := &barMeter{progress: p, name: name, total: total, begun: now}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.timer = time.AfterFunc(p.barAfter, m.show)
		return m
	}
	return &lineMeter{out: p.out, name: name, total: total, next: now.Add(quietFor)}
}

// done takes the bars off the terminal when the last one has ended, so that
// what follows, on stdout too, begins on a line of its own.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active--; p.active > 0 || p.pool == nil {
		return
	}
	p.pool.Wait()
	p.out.divert(nil)
	p.pool = nil
}

// close takes away bars that were never ended. It may be called again.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pool == nil {
		return
	}
	p.pool.Shutdown()
	p.out.divert(nil)
	p.pool = nil
}

type noMeter struct{}

func (noMeter) Add(int)    {}
func (noMeter) Done(error) {}

// barMeter is one bar, once its transfer has taken a while.
type barMeter struct {
	progress *progress
	name     string
	total    int64
	begun    time.Time
	timer    *time.Timer

	mu    sync.Mutex
	came  int64
	bar   *mpb.Bar // nil: not shown yet
	ended bool
}

// show puts the bar on the terminal.
func (m *barMeter) show() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return
	}
	if m.bar = m.progress.newBar(m.name, m.total, m.begun); m.bar == nil {
		m.timer.Reset(m.progress.barAfter)
		return
	}
	m.bar.SetCurrent(m.came)
}

// newBar adds a bar: name, bar, bytes, speed, time left. It is nil where enough of
// a batch have one.
func (p *progress) newBar(name string, total int64, begun time.Time) *mpb.Bar {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.together != nil && p.active > mostBars {
		return nil
	}
	const nameColumns = 20
	if short := []rune(name); len(short) > nameColumns {
		name = string(short[:nameColumns-1]) + "…"
	}
	return p.add(total,
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(
			decor.Any(func(s decor.Statistics) string { return " " + ofText(s.Current, "/", s.Total) }),
			decor.Any(func(s decor.Statistics) string { return " " + speedText(s.Current, time.Since(begun)) }),
			decor.NewAverageETA(decor.ET_STYLE_GO, begun, nil, decor.WCSyncSpace),
		))
}

// add puts a bar on the terminal; mu is held.
func (p *progress) add(total int64, options ...mpb.BarOption) *mpb.Bar {
	if p.pool == nil {
		p.pool = mpb.New(mpb.WithOutput(p.out.stderr), mpb.WithWidth(barColumns),
			mpb.WithRefreshRate(150*time.Millisecond), mpb.WithAutoRefresh())
		p.out.divert(p.pool)
	}
	p.active++
	style := mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]")
	return p.pool.New(total, style, append([]mpb.BarOption{mpb.BarWidth(20), mpb.BarRemoveOnComplete()}, options...)...)
}

func (m *barMeter) Add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.came += int64(n)
	if m.bar != nil {
		m.bar.SetCurrent(m.came)
	}
}

// Done takes the bar away.
func (m *barMeter) Done(error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timer.Stop()
	m.ended = true
	if m.bar == nil {
		return
	}
	// Not completed: a bar whose bytes were fewer than foreseen, as a missing
	// blob makes them, would never end. Where all came this does nothing.
	m.bar.Abort(true)
	m.progress.done()
}

// lineMeter tells of a long transfer, one line each quietFor.
type lineMeter struct {
	out   *printer
	name  string
	total int64

	mu   sync.Mutex
	came int64
	next time.Time
}

func (m *lineMeter) Add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.came += int64(n)
	now := time.Now()
	if now.Before(m.next) {
		return
	}
	m.next = now.Add(quietFor)
	m.out.talk("%s: %s", m.name, ofText(m.came, " of ", m.total))
}

func (m *lineMeter) Done(error) {}

// ofText tells how much there is of a total; of what nobody knows: 0.
func ofText(came int64, of string, total int64) string {
	if total <= 0 {
		return bytesText(came)
	}
	return bytesText(came) + of + bytesText(total)
}

// bytesText is a number of bytes for people: "2.1 GB".
func bytesText(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// speedText is how fast so many bytes came in a time: "2.1 MB/s".
func speedText(n int64, took time.Duration) string {
	// Within the first millisecond there is nothing to tell a speed from.
	return bytesText(int64(float64(n)/max(took, time.Millisecond).Seconds())) + "/s"
}

// tookText is how long something took: to the millisecond below a second, to
// its tenth above.
func tookText(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// watcher turns totals, as package cache tells them, into a transfer's steps.
type watcher struct {
	progress *progress
	name     string
	meter    fetch.Meter // nil until the first total is known
	last     int64
}

// watch begins a display under a name; done ends it.
func (a *app) watch(name string) *watcher { return &watcher{progress: a.progress, name: name} }

func (w *watcher) at(done, total int64) {
	if w.meter == nil {
		w.meter = w.progress.Start(w.name, total)
	}
	w.meter.Add(int(done - w.last))
	w.last = done
}

func (w *watcher) done(err error) {
	if w.meter != nil {
		w.meter.Done(err)
	}
}
