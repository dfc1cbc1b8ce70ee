package mirrors

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMemoryFades(t *testing.T) {
	c := &clock{day0}
	m := newMemory(c, nil)
	m.Observe("u", Event{Latency: 10 * time.Millisecond, Bytes: 1 << 20, Took: time.Second})
	m.Observe("u", Event{Result: Failed})
	m.Observe("u", Event{Result: Lied})
	if r := m.Record("u"); !r.Failing() || !r.Lied() || r.Latency != 10*time.Millisecond || r.Rate != 1<<20 || !r.Succeeded.Equal(day0) || !r.Failed.Equal(day0) {
		t.Fatalf("found %+v", r)
	}
	c.after(59 * time.Minute)
	if r := m.Record("u"); !r.Failing() || math.Abs(r.Failures-0.506) > 1e-3 {
		t.Errorf("after almost an hour: found %+v", r)
	}
	c.after(2 * time.Minute)
	if r := m.Record("u"); r.Failing() || !r.Lied() {
		t.Errorf("after more than an hour: found %+v", r)
	}
	c.after(6*24*time.Hour + 22*time.Hour)
	if r := m.Record("u"); r.Latency == 0 || r.Rate == 0 || !r.Lied() {
		t.Errorf("after almost a week: found %+v", r)
	}
	c.after(2 * time.Hour)
	if r := m.Record("u"); r.Latency != 0 || r.Rate != 0 || r.Weight != 0 || !r.Lied() {
		t.Errorf("after a week: found %+v", r)
	}
	c.after(7*24*time.Hour + time.Minute)
	if r := m.Record("u"); r.Lied() || r.Lies == 0 {
		t.Errorf("after two weeks: found %+v", r)
	}
	c.after(90 * 24 * time.Hour)
	if r := m.Record("u"); r != (Record{}) {
		t.Errorf("after all: found %+v", r)
	}
	// A clock that goes back fades nothing, and breaks nothing.
	m.Observe("u", Event{Result: Lied})
	c.after(-48 * time.Hour)
	if r := m.Record("u"); !r.Lied() || r.Lies != 1 {
		t.Errorf("before: found %+v", r)
	}
}

func TestMeans(t *testing.T) {
	c := &clock{day0}
	m := newMemory(c, nil)
	for range 100 {
		m.Observe("u", Event{Latency: 100 * time.Millisecond, Bytes: minBytes, Took: time.Second})
	}
	m.Observe("u", Event{Latency: time.Second})
	if got := m.Record("u").Latency; got != 200*time.Millisecond {
		t.Errorf("one among many: found %v", got)
	}
	c.after(3 * 24 * time.Hour) // eight samples weigh as one
	m.Observe("u", Event{Latency: 1200 * time.Millisecond})
	if got := m.Record("u").Latency.Round(10 * time.Millisecond); got < 650*time.Millisecond || got > 800*time.Millisecond {
		t.Errorf("after days: found %v", got)
	}
	// What says nothing changes nothing.
	rate := m.Record("u").Rate
	m.Observe("u", Event{Bytes: minBytes - 1, Took: time.Nanosecond})
	m.Observe("u", Event{Bytes: 1 << 30})
	if got := m.Record("u").Rate; got != rate {
		t.Errorf("expected the rate %v, found %v", rate, got)
	}
	// The first rate is not drawn to the latencies' weight.
	m.Observe("v", Event{Latency: time.Second})
	m.Observe("v", Event{Bytes: 1 << 20, Took: time.Second})
	if got := m.Record("v").Rate; got != 1<<20 {
		t.Errorf("found the rate %v", got)
	}
	m.Observe("w", Event{Bytes: 1 << 20, Took: time.Second})
	m.Observe("w", Event{Latency: time.Second})
	if got := m.Record("w").Latency; got != time.Second {
		t.Errorf("found the latency %v", got)
	}
	// A success halves what failures count; what is absurd is bounded.
	for range 200 {
		m.Observe("x", Event{Result: Failed})
		m.Observe("x", Event{Result: Lied})
	}
	m.Observe("x", Event{Latency: 1000 * time.Hour, Bytes: math.MaxInt64, Took: time.Nanosecond})
	if r := m.Record("x"); r.Failures != maxCount/2 || r.Lies != maxCount || r.Latency != maxLatency || r.Rate != maxRate {
		t.Errorf("found %+v", r)
	}
	if data, err := encode(map[string]Record{"https://x": m.Record("x")}, c.now()); err != nil {
		t.Error(err)
	} else if _, err := decode(data, c.now()); err != nil {
		t.Errorf("what is bounded does not decode: %v", err)
	}
}

func TestMemoryOutlivesTheProcess(t *testing.T) {
	c, p := &clock{day0}, &paper{}
	m := newMemory(c, p)
	if err := m.Flush(); err != nil || p.saves != 0 {
		t.Errorf("nothing was learnt, and yet it is saved: %v", err)
	}
	m.Observe("https://a.example/x", Event{Latency: time.Second})
	m.SetLayout("https://a.example/x", "metadata")
	m.Observe("https://ann:secret@a.example", Event{Latency: time.Second})
	m.Observe("https://a.example/?secret", Event{Latency: time.Second})
	m.Observe("https://a.example/"+strings.Repeat("x", maxURL), Event{Latency: time.Second})
	if p.saves != 0 {
		t.Error("an observation writes")
	}
	if err := m.Flush(); err != nil || p.saves != 1 {
		t.Fatal(err)
	}
	if strings.Contains(string(p.data), "secret") || strings.Contains(string(p.data), "xxx") {
		t.Errorf("found %s", p.data)
	}
	if err := m.Flush(); err != nil || p.saves != 1 {
		t.Errorf("nothing was learnt since, and yet it is saved: %v", err)
	}
	c.after(time.Minute)
	if r := newMemory(c, p).Record("https://a.example/x"); r.Latency != time.Second || r.Layout != "metadata" {
		t.Errorf("found %+v", r)
	}
	m.Observe("https://a.example/x", Event{})
	p.err = errDisk
	if err := m.Flush(); !errors.Is(err, errDisk) {
		t.Errorf("expected the disk's error, found %v", err)
	}
	p.err = nil
	if err := m.Flush(); err != nil || p.saves != 3 {
		t.Errorf("what was not saved is not tried again: %v", err)
	}
	unsaved := newMemory(c, nil)
	unsaved.Observe("https://a.example", Event{Latency: time.Second})
	if err := unsaved.Flush(); err != nil || unsaved.Record("https://a.example").Latency != time.Second {
		t.Errorf("without a store: %v", err)
	}
	var none *Memory
	none.Observe("u", Event{})
	if err := none.Flush(); err != nil || none.Record("u") != (Record{}) {
		t.Error("a nil Memory remembers")
	}
}

// What was learnt goes on from what is stored, and not beside it.
func TestMemoryGoesOn(t *testing.T) {
	c, p := &clock{day0}, &paper{}
	m := newMemory(c, p)
	m.Observe("https://a.example", Event{Result: Failed})
	m.Observe("https://old.example", Event{Latency: time.Second})
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	m = newMemory(c, p)
	m.Observe("https://a.example", Event{Result: Worked})
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	if r := newMemory(c, p).Record("https://a.example"); r.Failures != 0.5 {
		t.Errorf("expected a success to halve the failure, found %+v", r)
	}
	c.after(91 * 24 * time.Hour)
	m = newMemory(c, p)
	m.Observe("https://a.example", Event{Result: Worked})
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	if records, err := decode(p.data, c.now()); err != nil || len(records) != 1 {
		t.Errorf("expected what says nothing any more to be left out, found %v, %v", records, err)
	}
}

// Two processes learn at once: what either has learnt stays.
func TestMemoryIsMerged(t *testing.T) {
	c, p := &clock{day0}, &paper{}
	seed := newMemory(c, p)
	for _, url := range []string{"https://mine", "https://theirs", "https://both", "https://same"} {
		seed.Observe(url, Event{Latency: 10 * time.Millisecond})
	}
	if err := seed.Flush(); err != nil {
		t.Fatal(err)
	}
	mine, theirs := newMemory(c, p), newMemory(c, p)
	mine.Record("https://mine")
	theirs.Record("https://mine")
	c.after(time.Minute)
	mine.Observe("https://mine", Event{Result: Failed})
	mine.Observe("https://both", Event{Result: Lied})
	theirs.Observe("https://theirs", Event{Result: Failed})
	c.after(time.Minute)
	theirs.Observe("https://both", Event{Result: Failed, Latency: 30 * time.Millisecond})
	theirs.SetLayout("https://both", "base")
	theirs.Observe("https://new", Event{Bytes: 1 << 20, Took: time.Second})
	if err := errors.Join(theirs.Flush(), mine.Flush()); err != nil {
		t.Fatal(err)
	}
	got := newMemory(c, p)
	for url, want := range map[string][2]bool{
		"https://mine": {true, false}, "https://theirs": {true, false}, "https://both": {true, true}, "https://same": {}, "https://new": {},
	} {
		if r := got.Record(url); r.Failing() != want[0] || r.Lied() != want[1] || r == (Record{}) {
			t.Errorf("%s: found %+v", url, r)
		}
	}
	if r := got.Record("https://both"); r.Latency <= 10*time.Millisecond || r.Layout != "base" {
		t.Errorf("both: expected the later latency and the layout, found %+v", r)
	}
	// In either order it is the same, and nothing is lost that one alone knows.
	a := Record{Latency: 1, Rate: 2, Layout: "base", Updated: day0, Succeeded: day0}
	b := Record{Lies: 1, Updated: day0.Add(time.Minute), Failed: day0.Add(time.Minute)}
	if x, y := a.merge(b), b.merge(a); x != y || x.Latency != 1 || x.Rate != 2 || x.Layout != "base" || x.Lies != 1 || x.Succeeded != day0 || x.Failed != b.Failed {
		t.Errorf("found %+v and %+v", x, y)
	}
}

func TestDamagedMemoryIsForgotten(t *testing.T) {
	fine := `{"schema":"assay.sources/v1","sources":{"https://a.example":{"latency_ns":5,"updated":"2026-11-21T11:00:00Z"}}}`
	edit := func(old, new string) string { return strings.Replace(fine, old, new, 1) }
	many := strings.Builder{}
	for i := range maxRecords {
		fmt.Fprintf(&many, `"https://b.example/%d":{"updated":"2026-11-21T11:00:00Z"},`, i)
	}
	for name, text := range map[string]string{
		"empty":          "",
		"no JSON":        "x",
		"cut":            fine[:len(fine)-5],
		"more behind":    fine + "{}",
		"twice":          edit(`{"latency_ns":5,`, `{"latency_ns":5,"latency_ns":6,`),
		"null":           edit("5", "null"),
		"too deep":       edit("5", `{"a":{}}`),
		"unknown":        edit("latency_ns", "lag"),
		"schema":         edit("/v1", "/v2"),
		"no schema":      edit(`"schema":"assay.sources/v1",`, ""),
		"negative":       edit("5", "-5"),
		"too slow":       edit("5", "3600000000001"),
		"rate":           edit(`"latency_ns":5`, `"rate":1e13`),
		"negative rate":  edit(`"latency_ns":5`, `"rate":-1`),
		"weight":         edit(`"latency_ns":5`, `"weight":9`),
		"light":          edit(`"latency_ns":5`, `"weight":-1`),
		"failures":       edit(`"latency_ns":5`, `"failures":101`),
		"few failures":   edit(`"latency_ns":5`, `"failures":-1`),
		"lies":           edit(`"latency_ns":5`, `"lies":101`),
		"few lies":       edit(`"latency_ns":5`, `"lies":-1`),
		"no time":        edit(`,"updated":"2026-11-21T11:00:00Z"`, ""),
		"wrong time":     edit("2026-11-21T11", "yesterday"),
		"layout":         edit(`"latency_ns":5`, `"layout":"`+strings.Repeat("x", 17)+`"`),
		"password":       edit("https://a", "https://ann:hunter2@a"),
		"query":          edit("example", "example?x"),
		"empty query":    edit("example", "example?"),
		"fragment":       edit("example", "example#x"),
		"no URL":         edit("https://a.example", "a"),
		"bad URL":        edit("https://a.example", "https://%zz"),
		"long URL":       edit("https://a.example", "https://a.example/"+strings.Repeat("x", maxURL)),
		"too many":       edit(`"https://a.example"`, many.String()+`"https://a.example"`),
		"too long":       fine + strings.Repeat(" ", MaxBytes),
		"can't be read!": fine,
	} {
		p := &paper{data: []byte(text)}
		if name == "can't be read!" {
			p.err = errDisk
		}
		var said []string
		m := NewMemory(Options{Store: p, Now: func() time.Time { return day0 }, Notice: func(text string) { said = append(said, text) }})
		if r := m.Record("https://a.example"); r != (Record{}) {
			t.Errorf("%s: expected it to be forgotten, found %+v", name, r)
		}
		if len(said) != 1 || !strings.HasPrefix(said[0], "what was remembered of mirrors is forgotten: ") || strings.Contains(said[0], "hunter2") {
			t.Errorf("%s: found the notices %q", name, said)
		}
		if _, err := decode([]byte(text), day0); name != "can't be read!" && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: expected ErrDamaged, found %v", name, err)
		}
		p.err = nil
		m.Observe("https://new.example", Event{Latency: time.Second})
		if err := m.Flush(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "can't be read!" {
			if records, err := decode(p.data, day0); err != nil || len(records) != 1 {
				t.Errorf("%s: expected it to be written anew, found %s, %v", name, p.data, err)
			}
		}
	}
	if records, err := decode([]byte(fine), day0); err != nil || records["https://a.example"].Latency != 5 {
		t.Errorf("the example itself: %v, %v", records, err)
	}
	// A time ahead of the clock counts as now.
	ahead := edit("2026-11-21T11:00:00Z", "2036-11-21T11:00:00Z")
	if records, err := decode([]byte(ahead), day0); err != nil || !records["https://a.example"].Updated.Equal(day0) {
		t.Errorf("ahead: %v, %v", records, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c, p := &clock{day0}, &paper{}
	m := newMemory(c, p)
	m.Observe("https://old.example", Event{Latency: time.Second})
	c.after(91 * 24 * time.Hour)
	m.Observe("https://first.example", Event{Latency: time.Second})
	for i := range 2 * maxRecords {
		c.after(time.Second)
		m.Observe(fmt.Sprintf("https://a.example/%d&<>", i)+strings.Repeat("&", 400), Event{Latency: time.Second})
	}
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	records, err := decode(p.data, c.now())
	if err != nil || len(records) != maxRecords {
		t.Fatalf("expected %d records, found %d, %v", maxRecords, len(records), err)
	}
	for _, gone := range []string{"https://old.example", "https://first.example"} {
		if _, there := records[gone]; there {
			t.Errorf("%s is still there", gone)
		}
	}
}

func TestMemoryForSeveralGoroutines(t *testing.T) {
	c := &clock{day0}
	m := newMemory(c, &paper{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				m.Observe(fmt.Sprintf("https://%d.example", i%3), Event{Latency: time.Second})
				m.Record("https://0.example")
				if err := m.Flush(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// What decodes is within the bounds, encodes, and decodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"schema":"assay.sources/v1","sources":{"https://a.example":{"latency_ns":5,"rate":1e6,"weight":3,"failures":0.5,"lies":1,"succeeded":"2026-11-21T11:00:00Z","failed":"2026-11-21T11:00:00Z","updated":"2026-11-21T11:00:00Z","layout":"base"}}}`))
	f.Add([]byte(`{"schema":"assay.sources/v1","sources":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := decode(data, day0)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("expected ErrDamaged, found %v", err)
			}
			return
		}
		for url, r := range records {
			if r.check() != nil || checkURL(url) != nil || r.Updated.After(day0) {
				t.Errorf("%q: out of bounds: %+v", url, r)
			}
		}
		again, err := encode(records, day0)
		if err != nil {
			t.Fatal(err)
		}
		second, err := decode(again, day0)
		if err != nil {
			t.Fatalf("what was encoded does not decode: %v", err)
		}
		for url, r := range second {
			if first := records[url]; first.Latency != r.Latency || first.Rate != r.Rate || !first.Updated.Equal(r.Updated) {
				t.Errorf("%q: expected %+v, found %+v", url, first, r)
			}
		}
	})
}
