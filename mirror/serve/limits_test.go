package serve_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"assay/mirror/serve"
)

func TestRateOfRequests(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	shelf := newShelf(t)
	s := open(t, shelf, serve.Config{Limits: serve.Limits{Requests: 0.5, Burst: 3}, Now: func() time.Time { return now }})
	shelf.add(t, "acme/timestamp.json", []byte("{}"))
	for i, want := range []int{200, 200, 200, 429, 429} {
		answer, _ := s.get("GET", "/r/acme/timestamp.json")
		if answer.StatusCode != want {
			t.Errorf("request %d: expected %d, found %s", i, want, answer.Status)
		}
		if want == 429 {
			expect(t, answer.Header, "Retry-After", "2")
			expect(t, answer.Header, "Cache-Control", "no-store")
		}
	}
	if answer, _ := s.get("GET", "/livez"); answer.StatusCode != 200 {
		t.Errorf("a probe: found %s", answer.Status)
	}
	now = now.Add(2 * time.Second)
	for i, want := range []int{200, 429} {
		if answer, _ := s.get("GET", "/r/acme/timestamp.json"); answer.StatusCode != want {
			t.Errorf("two seconds later, request %d: expected %d, found %s", i, want, answer.Status)
		}
	}
	now = now.Add(-time.Hour)
	if answer, _ := s.get("GET", "/r/acme/timestamp.json"); answer.StatusCode != 429 {
		t.Errorf("the clock went back: expected 429, found %s", answer.Status)
	}
	if n := s.counts.Counter("assay_mirror_http_requests_total", "repository", "", "result", "limited").Value(); n != 4 {
		t.Errorf("counted: expected 4, found %d", n)
	}
}

func TestConnectionsPerClientAndInAll(t *testing.T) {
	t.Parallel()
	for label, limits := range map[string]serve.Limits{"client": {ConnectionsPerClient: 3}, "all": {Connections: 3}} {
		s := open(t, newShelf(t), serve.Config{Limits: limits})
		var open []net.Conn
		dial := func() (net.Conn, error) {
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(20 * time.Second))
			c.Write([]byte("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"))
			_, err = c.Read(make([]byte, 1))
			return c, err
		}
		for range 3 {
			c, err := dial()
			if err != nil {
				t.Fatalf("%s: %v", label, err)
			}
			open = append(open, c)
		}
		c, err := dial()
		c.Close()
		if err == nil {
			t.Errorf("%s: the fourth is let in", label)
		}
		if n := s.counts.Counter("assay_mirror_http_connections_refused_total", "limit", label).Value(); n != 1 {
			t.Errorf("%s: expected one refusal, found %d", label, n)
		}
		open[0].Close()
		for end := time.Now().Add(20 * time.Second); ; {
			c, err := dial()
			c.Close()
			if err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: a place that is free stays so: %v", label, err)
			}
		}
		for _, c := range open {
			c.Close()
		}
	}
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]serve.Config{
		"expected a library":            {},
		"limits: expected bounds":       {Library: newShelf(t), Limits: serve.Limits{MinRate: -1}},
		"expected bounds of 0 or more,": {Library: newShelf(t), Memory: -1},
		"tokens: open":                  {Library: newShelf(t), Tokens: "none"},
		"tls: certificate: open":        {Library: newShelf(t), TLS: &serve.TLSFiles{Certificate: "none", Key: "none"}},
	} {
		if _, err := serve.New(c); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("expected %q, found %v", want, err)
		}
	}
}
