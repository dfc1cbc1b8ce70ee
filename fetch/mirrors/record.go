package mirrors

import (
	"math"
	"time"
)

// How fast what was learnt fades.
const (
	halfSpeed    = 24 * time.Hour      // the weight of a latency or rate against newer ones
	halfFailures = time.Hour           // how much failures count
	halfLies     = 14 * 24 * time.Hour // how much lies count
	keepSpeed    = 7 * 24 * time.Hour  // then latency and rate are forgotten, and probed anew
	keepRecord   = 90 * 24 * time.Hour // then all is
)

// The bounds of a record; what is beyond them counts as them.
const (
	maxLatency = time.Hour
	maxRate    = 1e12 // bytes a second
	maxCount   = 100  // of failures, or of lies
	maxWeight  = 8    // of a mean, in samples: each new one moves it by a ninth at least
)

// counts is above what failures, or lies, put a mirror behind others: one failure
// for an hour, unless it worked since, one lie for two weeks.
const counts = 0.5

// Result is how an event ended.
type Result int

// The results.
const (
	Worked Result = iota
	Failed        // it was silent, broke off, or served an old state
	Lied          // what it sent is not what is promised
)

// Event is what was learnt of a mirror by one request. What is 0 was not learnt.
type Event struct {
	Latency time.Duration // from the request to the answer
	Bytes   int64
	Took    time.Duration // for them
	Result  Result
}

// minBytes is from how many bytes on a rate says something: less comes in one go.
const minBytes = 64 << 10

// Record is what is remembered of one mirror. The zero Record says nothing.
type Record struct {
	Latency   time.Duration `json:"latency_ns,omitempty"` // a mean; 0: not known
	Rate      float64       `json:"rate,omitempty"`       // bytes a second, a mean; 0: not known
	Weight    float64       `json:"weight,omitempty"`     // of the means, in samples
	Failures  float64       `json:"failures,omitempty"`   // as they count now
	Lies      float64       `json:"lies,omitempty"`       // likewise
	Succeeded time.Time     `json:"succeeded,omitzero"`   // last
	Failed    time.Time     `json:"failed,omitzero"`      // last, or lied
	Updated   time.Time     `json:"updated"`              // what the rest is as of
	// Layout is where its metadata lies under its URL, in the words of whoever
	// remembers it; empty: not known.
	Layout string `json:"layout,omitempty"`
}

// Failing reports whether it failed lately.
func (r Record) Failing() bool { return r.Failures > counts }

// Lied reports whether it lied, not long ago.
func (r Record) Lied() bool { return r.Lies > counts }

// empty reports whether the record says nothing any more.
func (r Record) empty() bool { return r == Record{} }

// at is the record as it counts at a later time. A clock that went back fades
// nothing.
func (r Record) at(now time.Time) Record {
	age := max(now.Sub(r.Updated), 0)
	if r.Updated.IsZero() || age > keepRecord {
		return Record{}
	}
	r.Failures, r.Lies = faded(r.Failures, age, halfFailures), faded(r.Lies, age, halfLies)
	r.Weight = faded(r.Weight, age, halfSpeed)
	if age > keepSpeed {
		r.Latency, r.Rate, r.Weight = 0, 0, 0
	}
	r.Updated = r.Updated.Add(age)
	return r
}

// faded halves a count each half-life.
func faded(count float64, age, half time.Duration) float64 {
	return count * math.Exp2(-age.Seconds()/half.Seconds())
}

// with is the record after an event.
func (r Record) with(e Event, now time.Time) Record {
	r = r.at(now)
	r.Updated = now
	switch e.Result {
	case Worked:
		r.Failures, r.Succeeded = r.Failures/2, now
	case Failed:
		r.Failures, r.Failed = min(r.Failures+1, maxCount), now
	case Lied:
		r.Lies, r.Failed = min(r.Lies+1, maxCount), now
	}
	if e.Latency > 0 {
		old := r.Weight
		if r.Latency == 0 {
			old = 0
		}
		r.Latency = min(time.Duration(mean(float64(r.Latency), old, float64(e.Latency))), maxLatency)
	}
	if e.Bytes >= minBytes && e.Took > 0 {
		old := r.Weight
		if r.Rate == 0 {
			old = 0
		}
		r.Rate = min(mean(r.Rate, old, float64(e.Bytes)/e.Took.Seconds()), maxRate)
	}
	if e.Latency > 0 || e.Bytes >= minBytes {
		r.Weight = min(r.Weight+1, maxWeight)
	}
	return r
}

// mean takes one more sample into a mean of so many.
func mean(old, weight, sample float64) float64 { return (old*weight + sample) / (weight + 1) }

// merge joins what two processes have learnt at once: the means of whoever asked
// last, and the most failures and lies that either has seen.
func (r Record) merge(other Record) Record {
	if other.Updated.After(r.Updated) {
		r, other = other, r
	}
	other = other.at(r.Updated)
	if r.Latency == 0 {
		r.Latency = other.Latency
	}
	if r.Rate == 0 {
		r.Rate = other.Rate
	}
	if r.Layout == "" {
		r.Layout = other.Layout
	}
	r.Failures, r.Lies, r.Weight = max(r.Failures, other.Failures), max(r.Lies, other.Lies), max(r.Weight, other.Weight)
	r.Succeeded, r.Failed = later(r.Succeeded, other.Succeeded), later(r.Failed, other.Failed)
	return r
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
