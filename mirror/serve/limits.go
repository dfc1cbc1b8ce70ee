package serve

import (
	"cmp"
	"errors"
	"net/netip"
	"sync"
	"time"
)

// Limits bound what clients may take. A client is an IPv4 address, or the /64
// around an IPv6 one. A zero field stands for what its comment says.
type Limits struct {
	Requests             float64       // a second and client; 0: as many as come
	Burst                int           // requests at once; 0: two seconds' worth
	Connections          int           // in all; 0: 10,000
	ConnectionsPerClient int           // 0: 512
	MinRate              int64         // bytes a second that a client has to read; 0: 16 KiB
	Patience             time.Duration // added to the time that MinRate gives; 0: 10 s
	MaxRanges            int           // in one request; 0: 16
	HeaderTimeout        time.Duration // for the handshake, and for a request's head; 0: 10 s
	IdleTimeout          time.Duration // between requests; 0: 75 s
}

// maxHeader bounds a request's head, in bytes; the HTTP library grants 4 KiB more.
const maxHeader = 16 << 10

// filled puts in what is zero.
func (l Limits) filled() (Limits, error) {
	if l.Requests < 0 || l.Burst < 0 || l.Connections < 0 || l.ConnectionsPerClient < 0 || l.MinRate < 0 || l.Patience < 0 ||
		l.MaxRanges < 0 || l.HeaderTimeout < 0 || l.IdleTimeout < 0 {
		return l, errors.New("expected bounds of 0 or more, found less")
	}
	l.Burst = cmp.Or(l.Burst, max(1, int(2*l.Requests)))
	l.Connections = cmp.Or(l.Connections, 10_000)
	l.ConnectionsPerClient = cmp.Or(l.ConnectionsPerClient, 512)
	l.MinRate = cmp.Or(l.MinRate, 16<<10)
	l.Patience = cmp.Or(l.Patience, 10*time.Second)
	l.MaxRanges = cmp.Or(l.MaxRanges, 16)
	l.HeaderTimeout = cmp.Or(l.HeaderTimeout, 10*time.Second)
	l.IdleTimeout = cmp.Or(l.IdleTimeout, 75*time.Second)
	return l, nil
}

// deadline is when a response of some bytes has to be through.
func (l *Limits) deadline(now time.Time, bytes int64) time.Time {
	seconds := bytes / l.MinRate
	return now.Add(l.Patience + time.Duration(min(seconds, 1<<32))*time.Second)
}

// clientOf is whom an address belongs to; the zero address: a client without one,
// of a unix socket for one.
func clientOf(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return blockOf(at.Addr())
}

// blockOf takes an IPv6 address for all of its /64, as one machine has that many.
func blockOf(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return netip.Addr{}
	}
	return prefix.Addr()
}

// maxClients is how many clients' rates are remembered. Who is forgotten had none
// for longer than all the others, and begins with a full burst.
const maxClients = 1 << 16

// clients hold a token bucket for each client that asked lately.
type clients struct {
	rate, burst float64
	mu          sync.Mutex // guards what follows
	buckets     *lru[netip.Addr, bucket]
}

// bucket has so many tokens at a time.
type bucket struct {
	tokens float64
	at     time.Time
}

func newClients(l Limits) *clients {
	return &clients{rate: l.Requests, burst: float64(l.Burst), buckets: newLRU[netip.Addr, bucket](maxClients)}
}

// take takes a token, or tells how long it is until there is one.
func (c *clients) take(client netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if c.rate == 0 {
		return 0, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b, known := c.buckets.get(client)
	if !known {
		b = c.buckets.put(client, bucket{tokens: c.burst, at: now}, 1)
	}
	// A clock that went back gives nothing and takes nothing.
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(c.burst, b.tokens+c.rate*passed.Seconds())
	}
	b.at = now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / c.rate * float64(time.Second)), false
	}
	b.tokens--
	return 0, true
}
