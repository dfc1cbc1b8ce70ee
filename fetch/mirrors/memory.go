package mirrors

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// Store keeps the memory from one run to the next.
type Store interface {
	// Load returns what was saved last, at most MaxBytes and one more; nil where
	// there is nothing.
	Load() ([]byte, error)
	// Save replaces it, whole or not at all.
	Save([]byte) error
}

// Options are the outside of a Memory; each has a default.
type Options struct {
	Store  Store            // nil: nothing outlives the process
	Now    func() time.Time // nil: time.Now
	Notice func(string)     // is told, in a sentence, what was forgotten and why; nil: nobody
}

// Memory is what was learnt of mirrors. It is safe for several goroutines; the
// nil *Memory remembers nothing.
type Memory struct {
	store  Store
	now    func() time.Time
	notice func(string)

	mu      sync.Mutex
	loaded  bool
	before  map[string]Record // as loaded
	records map[string]Record
	changed map[string]bool // by this process
}

// NewMemory makes a memory. It reads nothing before it is asked.
func NewMemory(o Options) *Memory {
	m := &Memory{store: o.Store, now: o.Now, notice: o.Notice, changed: map[string]bool{}}
	if m.now == nil {
		m.now = time.Now
	}
	if m.notice == nil {
		m.notice = func(string) {}
	}
	return m
}

// load reads the store once. m.mu is held.
func (m *Memory) load() {
	if m.loaded {
		return
	}
	m.loaded = true
	m.before = m.read()
	m.records = maps.Clone(m.before)
}

// read decodes what is stored. What can't be read, or is damaged, is forgotten:
// the next Flush writes over it.
func (m *Memory) read() map[string]Record {
	if m.store == nil {
		return map[string]Record{}
	}
	data, err := m.store.Load()
	if err == nil && data == nil {
		return map[string]Record{}
	}
	var records map[string]Record
	if err == nil {
		records, err = decode(data, m.now())
	}
	if err != nil {
		m.notice(fmt.Sprintf("what was remembered of mirrors is forgotten: %v", err))
		return map[string]Record{}
	}
	return records
}

// Record is what is remembered of a URL, as it counts now.
func (m *Memory) Record(url string) Record {
	if m == nil {
		return Record{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	return m.records[url].at(m.now())
}

// Observe takes an event in. It does no input or output but for the first use.
func (m *Memory) Observe(url string, e Event) {
	m.change(url, func(r Record, now time.Time) Record { return r.with(e, now) })
}

// SetLayout remembers where a mirror's metadata lies.
func (m *Memory) SetLayout(url, layout string) {
	m.change(url, func(r Record, now time.Time) Record {
		r = r.at(now)
		r.Layout, r.Updated = layout, now
		return r
	})
}

func (m *Memory) change(url string, change func(Record, time.Time) Record) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	m.records[url], m.changed[url] = change(m.records[url], m.now().UTC().Round(0)), true
}

// Flush saves what this process has learnt, joined with what others saved
// meanwhile. Where nothing was learnt it does nothing.
//
// Two processes that flush in the same moment may lose what one of them has
// learnt, and nothing else.
func (m *Memory) Flush() error {
	if m == nil || m.store == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.changed) == 0 {
		return nil
	}
	records := m.read()
	for url := range m.changed {
		if other := records[url]; other != m.before[url] {
			records[url] = m.records[url].merge(other)
			continue
		}
		records[url] = m.records[url]
	}
	data, err := encode(records, m.now())
	if err == nil {
		err = m.store.Save(data)
	}
	if err != nil {
		return fmt.Errorf("what was learnt of mirrors is not kept: %w", err)
	}
	m.before, m.records, m.changed = records, maps.Clone(records), map[string]bool{}
	return nil
}
