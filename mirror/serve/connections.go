package serve

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"

	"assay/mirror/counters"
)

// places are the connections that may be open, in all and per client.
type places struct {
	all, each                int
	opened, open             *counters.Counter
	refusedAll, refusedByOne *counters.Counter

	mu    sync.Mutex // guards what follows
	taken int
	by    map[netip.Addr]int // of those who have one
}

func newPlaces(l Limits, set *counters.Set) *places {
	return &places{
		all: l.Connections, each: l.ConnectionsPerClient, by: map[netip.Addr]int{},
		opened:       set.Counter("assay_mirror_http_connections_total"),
		open:         set.Counter("assay_mirror_http_connections_open"),
		refusedAll:   set.Counter("assay_mirror_http_connections_refused_total", "limit", "all"),
		refusedByOne: set.Counter("assay_mirror_http_connections_refused_total", "limit", "client"),
	}
}

// enter takes a place, or tells that there is none.
func (p *places) enter(client netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.taken >= p.all:
		p.refusedAll.Add(1)
		return false
	case p.by[client] >= p.each:
		p.refusedByOne.Add(1)
		return false
	}
	p.taken++
	p.by[client]++
	p.opened.Add(1)
	p.open.Add(1)
	return true
}

func (p *places) leave(client netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.by[client]--; p.by[client] == 0 {
		delete(p.by, client)
	}
	p.open.Add(-1)
}

// listener closes connections that have no place at once.
type listener struct {
	net.Listener
	places    *places
	cleartext bool
}

// Accept waits for a connection that has a place.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := clientOf(c.RemoteAddr().String())
		if !l.places.enter(client) {
			c.Close() // that it did not close well is its own loss
			continue
		}
		place := &place{leave: func() { l.places.leave(client) }, cleartext: l.cleartext}
		if tcp, ok := c.(*net.TCPConn); ok {
			return &tcpConn{TCPConn: tcp, place: place}, nil
		}
		return &otherConn{Conn: c, place: place}, nil
	}
}

// place is what a connection gives back in the end.
type place struct {
	once      sync.Once
	leave     func()
	cleartext bool
	last      byte // that was read
}

// errLines ends a connection. RFC 9112 lets a server take a line feed alone for the
// end of a line (section 2.2), and a line that begins with a space for more of the
// one before (section 5.2), as the HTTP library does; a proxy before it that does not
// sees other requests than the server.
var errLines = errors.New("expected lines that end in CR LF and are not folded, found others")

// check looks at what was read. As requests have no bodies, all of it is lines.
func (p *place) check(data []byte) error {
	if !p.cleartext || len(data) == 0 {
		return nil
	}
	if p.last == '\n' && folds(data[0]) {
		return errLines
	}
	for from := 0; ; {
		at := bytes.IndexByte(data[from:], '\n')
		if at < 0 {
			break
		}
		before := p.last
		if at += from; at > 0 {
			before = data[at-1]
		}
		if from = at + 1; before != '\r' || from < len(data) && folds(data[from]) {
			return errLines
		}
	}
	p.last = data[len(data)-1]
	return nil
}

func folds(c byte) bool { return c == ' ' || c == '\t' }

// tcpConn is a TCP connection in its place. ReadFrom goes to the connection's own, so
// that the system sends files by itself.
type tcpConn struct {
	*net.TCPConn
	place *place
	quick bool // it has taken its probe in time
}

func (c *tcpConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if bad := c.place.check(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

func (c *tcpConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.late(err)
	return n, err
}

func (c *tcpConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.probe(r)
	if err == nil {
		var rest int64
		rest, err = c.TCPConn.ReadFrom(r)
		n += rest
	}
	c.late(err)
	return n, err
}

// late lets a connection whose time was over go at once: else the system would keep
// megabytes for a client that reads them slowly, or never.
func (c *tcpConn) late(err error) {
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.TCPConn.SetLinger(0) // it is gone already
	}
}

func (c *tcpConn) Close() error {
	c.place.once.Do(c.place.leave)
	return c.TCPConn.Close()
}

// otherConn is any other connection in its place.
type otherConn struct {
	net.Conn
	place *place
}

func (c *otherConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bad := c.place.check(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

func (c *otherConn) Close() error {
	c.place.once.Do(c.place.leave)
	return c.Conn.Close()
}
