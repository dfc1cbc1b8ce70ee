package mirrors

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var day0 = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is one that tests move.
type clock struct{ time.Time }

func (c *clock) now() time.Time           { return c.Time }
func (c *clock) after(d time.Duration)    { c.Time = c.Add(d) }
func newMemory(c *clock, s Store) *Memory { return NewMemory(Options{Store: s, Now: c.now}) }

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestChoose(t *testing.T) {
	client := Client{Region: "eu-west", Addresses: []netip.Addr{netip.MustParseAddr("10.20.3.4"), netip.MustParseAddr("2001:db8::7")}}
	ms := func(n int) Event { return Event{Latency: time.Duration(n) * time.Millisecond} }
	for _, test := range []struct {
		name   string
		list   []Mirror
		events map[string]Event
		want   string
		why    string // part of the reason of the first
	}{
		{"the order given", []Mirror{{URL: "b"}, {URL: "a"}}, nil, "b a", "named by the repository, nothing remembered"},
		{"configured before named", []Mirror{{URL: "a", Region: "eu-west", Weight: 9}, {URL: "b", Configured: true}}, nil, "b a", "configured"},
		{"the region", []Mirror{{URL: "a", Weight: 9}, {URL: "b", Region: "eu"}, {URL: "c", Region: "EU-West"}, {URL: "d", Region: "eu-west-1"}}, nil, "c b d a", "in the region eu-west"},
		{"no part of the name alone", []Mirror{{URL: "a", Region: "eu-we"}, {URL: "b", Region: "e"}, {URL: "c", Region: "eu"}}, nil, "c a b", "region eu is near eu-west"},
		{"the network", []Mirror{{URL: "a", Weight: 9}, {URL: "b", CIDRs: prefixes("10.0.0.0/8")}, {URL: "c", CIDRs: prefixes("10.99.0.0/16", "10.20.0.0/16")}, {URL: "d", CIDRs: prefixes("2001:db8::/32")}}, nil, "d c b a", "this machine is in 2001:db8::/32"},
		{"the region before the network", []Mirror{{URL: "a", CIDRs: prefixes("10.20.0.0/16")}, {URL: "b", Region: "eu-west"}}, nil, "b a", ""},
		{"the network before weight", []Mirror{{URL: "a", Weight: 9}, {URL: "b", CIDRs: prefixes("0.0.0.0/0")}}, nil, "b a", ""},
		{"weight before latency", []Mirror{{URL: "a"}, {URL: "b", Weight: 1}}, map[string]Event{"a": ms(1), "b": ms(900)}, "b a", "weight 1, 900ms remembered"},
		{"latency", []Mirror{{URL: "a"}, {URL: "b"}, {URL: "c"}}, map[string]Event{"a": ms(20), "c": ms(10)}, "c a b", "10ms remembered"},
		{"failures", []Mirror{{URL: "a", Configured: true, Region: "eu-west", Weight: 9}, {URL: "b"}}, map[string]Event{"a": {Result: Failed}}, "b a", ""},
		{"lies", []Mirror{{URL: "a", Configured: true}, {URL: "b"}, {URL: "c"}}, map[string]Event{"a": {Result: Lied}, "b": {Result: Failed}}, "c b a", ""},
		{"one URL once", []Mirror{{URL: "a", Configured: true}, {URL: "b"}, {URL: "a", Region: "eu-west", Weight: 9}}, nil, "a b", "configured, nothing remembered"},
	} {
		c := &clock{day0}
		memory := newMemory(c, nil)
		for url, e := range test.events {
			memory.Observe(url, e)
		}
		choices := Choose(test.list, client, memory)
		var got []string
		for _, choice := range choices {
			got = append(got, choice.URL)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: expected %s, found %s", test.name, test.want, got)
		}
		if !strings.Contains(choices[0].Why, test.why) {
			t.Errorf("%s: expected the reason %q, found %q", test.name, test.why, choices[0].Why)
		}
	}
	// Nothing is known of this machine, and nothing is remembered.
	list := []Mirror{{URL: "a"}, {URL: "b", Region: "eu", CIDRs: prefixes("0.0.0.0/0")}}
	if got := Choose(list, Client{}, nil); got[0].URL != "a" {
		t.Errorf("expected the order given, found %v", got)
	}
	var many []Mirror
	for i := range Most + 10 {
		many = append(many, Mirror{URL: fmt.Sprint(i), Weight: i})
	}
	if got := Choose(many, Client{}, nil); len(got) != Most || got[0].Weight != Most+9 {
		t.Errorf("expected the first %d, found %d", Most, len(got))
	}
}

func TestWhyOfLiarsAndFailures(t *testing.T) {
	memory := newMemory(&clock{day0}, nil)
	memory.Observe("a", Event{Result: Lied})
	memory.Observe("b", Event{Result: Failed})
	got := Choose([]Mirror{{URL: "a"}, {URL: "b"}}, Client{}, memory)
	if !strings.HasPrefix(got[1].Why, "last: it sent what is wrong, ") || !strings.HasPrefix(got[0].Why, "last: it failed lately, ") {
		t.Errorf("found %q and %q", got[1].Why, got[0].Why)
	}
}

func TestProbe(t *testing.T) {
	list := []Mirror{{URL: "a", Weight: 1}, {URL: "b", Weight: 1}, {URL: "c", Weight: 1}, {URL: "d"}}
	memory := newMemory(&clock{day0}, nil)
	probe := func(n, most int) string {
		var urls []string
		for _, c := range Probe(Choose(list[:n], Client{}, memory), Client{}, most) {
			urls = append(urls, c.URL)
		}
		return strings.Join(urls, " ")
	}
	for _, test := range []struct {
		n, most int
		want    string
	}{{0, 4, ""}, {1, 4, ""}, {2, 4, "a b"}, {4, 4, "a b c"}, {4, 2, "a b"}} {
		if got := probe(test.n, test.most); got != test.want {
			t.Errorf("%v: found %q", test, got)
		}
	}
	for _, url := range []string{"a", "b"} {
		memory.Observe(url, Event{Latency: time.Millisecond})
	}
	if got := probe(2, 4); got != "" {
		t.Errorf("all is remembered, and yet %q are probed", got)
	}
	memory = newMemory(&clock{day0}, nil)
	memory.Observe("b", Event{Latency: time.Millisecond})
	if got := probe(4, 4); got != "" {
		t.Errorf("something is remembered, and yet %q are probed", got)
	}
}

// paper is a Store in memory.
type paper struct {
	data  []byte
	err   error
	saves int
}

func (p *paper) Load() ([]byte, error) { return p.data, p.err }
func (p *paper) Save(data []byte) error {
	p.data, p.saves = data, p.saves+1
	return p.err
}

var errDisk = errors.New("the disk is full")
