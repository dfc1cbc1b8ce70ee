package wire

import (
	"bytes"
	"net/url"
	"sync"
	"time"
)

// The bounds of what an Engine remembers to ask conditionally: a process that lives
// for long asks for the same timestamp again and again.
const (
	maxRemembered      = 256      // documents
	maxRememberedBytes = 64 << 10 // of one
	// rememberedFor is how long an ETag counts. A server that gives two texts the same
	// one would else keep us on the first for ever.
	rememberedFor = time.Hour
)

// remembered is a document as a server has given it, with its ETag.
type remembered struct {
	validator string
	data      []byte
	read      time.Time
}

// documents are what was read lately. Nothing of it is believed more than what
// comes: it is the same bytes, from the same server.
type documents struct {
	mu    sync.Mutex
	byURL map[string]remembered
}

// known is what was read of a URL, if it may still be asked about.
func (d *documents) known(u *url.URL, limit int64, now time.Time) (remembered, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, found := d.byURL[u.String()]
	if !found || int64(len(r.data)) > limit || now.Sub(r.read) >= rememberedFor || now.Before(r.read) {
		return remembered{}, false
	}
	return r, true
}

// keep remembers a document that has a strong ETag.
func (d *documents) keep(u *url.URL, validator string, data []byte, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := u.String()
	if validator == "" || len(data) > maxRememberedBytes {
		delete(d.byURL, key)
		return
	}
	if d.byURL == nil {
		d.byURL = map[string]remembered{}
	}
	if _, found := d.byURL[key]; !found && len(d.byURL) >= maxRemembered {
		for other := range d.byURL { // whichever: it costs a few bytes to read it again
			delete(d.byURL, other)
			break
		}
	}
	d.byURL[key] = remembered{validator, bytes.Clone(data), now}
}
