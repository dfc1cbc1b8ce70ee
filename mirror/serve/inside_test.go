package serve

import (
	"net/netip"
	"testing"
	"time"
)

// One machine has a /64, and its IPv4 address in two spellings.
func TestWhoIsOneClient(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{"192.0.2.1:80", "192.0.2.1:81"}, {"192.0.2.1:80", "[::ffff:192.0.2.1]:80"},
		{"[2001:db8::1]:80", "[2001:db8::ffff:1]:80"}, {"[fe80::1%eth0]:80", "[fe80::2%eth1]:80"}, {"@", ""},
	} {
		if clientOf(same[0]) != clientOf(same[1]) {
			t.Errorf("%q are two clients: %s and %s", same, clientOf(same[0]), clientOf(same[1]))
		}
	}
	for _, two := range [][2]string{{"192.0.2.1:80", "192.0.2.2:80"}, {"[2001:db8::1]:80", "[2001:db8:0:1::1]:80"}, {"@", "192.0.2.1:80"}} {
		if clientOf(two[0]) == clientOf(two[1]) {
			t.Errorf("%q are one client", two)
		}
	}
}

// However many clients come, so many are remembered.
func TestTheTableOfClientsIsBounded(t *testing.T) {
	t.Parallel()
	c := newClients(Limits{Requests: 1, Burst: 1})
	now := time.Unix(1e9, 0)
	for i := range maxClients + 1000 {
		if _, ok := c.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now); !ok {
			t.Fatalf("client %d is refused its first request", i)
		}
	}
	if n, m := len(c.buckets.byKey), c.buckets.order.Len(); n != maxClients || m != maxClients {
		t.Errorf("expected %d, found %d and %d", maxClients, n, m)
	}
	if _, ok := c.take(netip.AddrFrom4([4]byte{10, 1, 3, 0xe7}), now); ok {
		t.Error("the last client is forgotten")
	}
}

// What is kept in memory is bounded by its bytes.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := newLRU[int, string](10)
	for i := range 100 {
		l.put(i, "x", 3)
		l.get(0) // used all the time
	}
	_, first := l.get(0)
	_, last := l.get(99)
	if _, old := l.get(50); l.weight > 10 || len(l.byKey) != 3 || !first || !last || old {
		t.Errorf("found %d of weight %d, first %v, last %v", len(l.byKey), l.weight, first, last)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	l, err := Limits{}.filled()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1e9, 0)
	for bytes, want := range map[int64]time.Duration{0: 10 * time.Second, 1 << 20: 74 * time.Second, 1 << 62: 10*time.Second + 1<<32*time.Second} {
		if got := l.deadline(now, bytes).Sub(now); got != want {
			t.Errorf("%d bytes: expected %s, found %s", bytes, want, got)
		}
	}
}

// Large buffers are as many as there may be, and come back.
func TestBuffers(t *testing.T) {
	t.Parallel()
	b := newBuffers()
	var large []*[]byte
	for range largeBuffers {
		large = append(large, b.get())
	}
	if one := b.get(); len(*one) != smallBuffer {
		t.Errorf("one more: expected %d bytes, found %d", smallBuffer, len(*one))
	} else {
		b.put(one)
	}
	for _, one := range large {
		if len(*one) != largeBuffer {
			t.Fatalf("expected %d bytes, found %d", largeBuffer, len(*one))
		}
		b.put(one)
	}
	if one := b.get(); len(*one) != largeBuffer {
		t.Errorf("again: expected %d bytes, found %d", largeBuffer, len(*one))
	}
}

func TestRangesThatAreTooMany(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": true, "bytes": true, "bytes=0-1": true, "bytes=x": true, "bytes=-": true, "bytes=0-1,2-3,4-5,6-7": true,
		"bytes=0-1,2-3,4-5,6-7,8-9": false, "bytes=,,,,": false,
		"bytes=0-5,5-9": true, "bytes=0-5,5-9,9-10": false, "bytes=-5,-6,-7": false, "bytes=0-,0-,0-": false, "bytes=9-,8-,7-": false,
		"bytes=0-99999999999999999999,1-2,2-3": false,
	} {
		if got := fewRanges([]string{header}, 100, 4); got != want {
			t.Errorf("%q: expected %v, found %v", header, want, got)
		}
	}
	if !fewRanges(nil, 100, 4) {
		t.Error("none are too many")
	}
}

// Lines are judged the same however they come apart.
func TestLinesInPieces(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n": true, "\r\nGET": true, "a\r\n b: c\r\n": false, "a\r\n\tb\r\n": false, "a\nb\r\n": false,
		"\nGET": false, "a\r\n\n": false, "a\r\n\r\n\n": false, "a\rb\n": false, "a\rb\r\n": true,
	} {
		for at := range len(text) {
			p := &place{cleartext: true}
			err := p.check([]byte(text[:at]))
			if err == nil {
				err = p.check([]byte(text[at:]))
			}
			if got := err == nil; got != want {
				t.Errorf("%q, cut at %d: expected %v, found %v", text, at, want, err)
			}
		}
		if err := (&place{}).check([]byte(text)); err != nil {
			t.Errorf("%q inside TLS: found %v", text, err)
		}
	}
}
