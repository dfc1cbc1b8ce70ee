package transfer

import (
	"cmp"
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"assay/cache"
	"assay/fetch/wire"
)

// Options set the bounds of a Mover. Zero fields take the default that their
// comment names.
type Options struct {
	Retries     int           // 5: failures of a place in a row, without a byte, before it is given up; less than 0: none
	Pause       time.Duration // 250 ms: after the first failure; it doubles, with jitter, up to MaxPause
	MaxPause    time.Duration // 30 s; a place that asks for more by Retry-After is given up
	Connections int           // 8: for one object at once, at most
	MinRate     int64         // 1 KiB a second: less of it over Window, and a request is given up
	Window      time.Duration // 30 s
	Stall       time.Duration // 5 s: without a byte, then another place is asked, if there is one
	// Notice is told in a sentence of waiting, and of sources that sent wrong
	// bytes; it may be nil.
	Notice func(string)
}

func (o Options) withDefaults() Options {
	o.Retries = max(cmp.Or(o.Retries, 5), 0)
	o.Pause = cmp.Or(max(o.Pause, 0), 250*time.Millisecond)
	o.MaxPause = cmp.Or(max(o.MaxPause, 0), 30*time.Second)
	o.Connections = cmp.Or(max(o.Connections, 0), 8)
	o.MinRate = cmp.Or(max(o.MinRate, 0), 1<<10)
	o.Window = cmp.Or(max(o.Window, 0), 30*time.Second)
	o.Stall = cmp.Or(max(o.Stall, 0), 5*time.Second)
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	return o
}

// pauses are the pauses of one place.
func (o Options) pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = o.Pause, o.MaxPause, 2
	b.Reset()
	return b
}

// Mover moves objects. It is safe for several goroutines.
type Mover struct {
	engine  *wire.Engine
	options Options
	pace    pace
}

// New makes a Mover over an engine.
func New(engine *wire.Engine, options Options) *Mover {
	return &Mover{engine: engine, options: options.withDefaults(), pace: steady}
}

// Object is what is to be moved.
type Object struct {
	Name string // for messages
	// Limit is the most bytes that are taken where the stage does not know the
	// length.
	Limit  int64
	Pieces Pieces // the zero value: there are none
	// Observe is told what each request has shown; it may be nil, and is called
	// from the goroutine of Move.
	Observe func(Observation)
}

// Meter is told of bytes as they come; a negative number takes back bytes that
// have to be fetched again.
type Meter interface{ Add(n int) }

// Result is what a Move has taken.
type Result struct {
	Moved int64    // bytes that came over the places, wasted ones too
	From  string   // the place that sent most, as messages may have it
	Wrong []string // places that sent wrong bytes
}

// Move fills a stage with what is missing of an object and proves it. The stage is
// left open, to be committed, or, after an error, kept or given up: the caller
// decides. Errors are those of the stage, a *PlacesError where no place can bring
// it, and the cause of ctx.
func (m *Mover) Move(ctx context.Context, object Object, places []Place, stage *cache.Stage, meter Meter) (Result, error) {
	if len(places) == 0 {
		return Result{}, ErrNoPlace
	}
	if object.Observe == nil {
		object.Observe = func(Observation) {}
	}
	j := newJob(ctx, m, object, places, stage, meter)
	err := j.drive()
	return j.result(), err
}
