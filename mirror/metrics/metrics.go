// Package metrics tells Prometheus how a mirror stands. It is the only user of that
// library.
//
// Parties: the mirror and its counters, which are asked anew for each scrape; a
// scraper, which the administrator's side has let in.
//
// Guarantees: what is told is what the Table has, and nothing else. The value of a
// label is the name of a repository, a product or a channel that verified metadata
// has, a role, or one of few words: never a path, a digest, or a reader's text. A
// scraper that hangs holds nothing but its connection.
package metrics

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"assay/mirror"
	"assay/mirror/counters"
)

// The bounds of scrapes.
const (
	maxScrapes = 4
	scrapeTime = 10 * time.Second
)

// Mirror is what is asked. It is safe for several goroutines.
type Mirror interface {
	Statuses() []mirror.Status
	Quarantine(repository string) ([]mirror.Quarantined, error)
	Storage(ctx context.Context) (mirror.StorageStatus, error)
	Ready() error
}

// Config is what is told of. Mirror is required.
type Config struct {
	Mirror   Mirror
	Counters *counters.Set // nil: nothing was counted
	Version  string        // of this program
}

// Handler answers scrapes, as text or OpenMetrics. It takes no longer than ten seconds
// to make an answer, and makes four at once; the caller bounds how long a client may
// take to read it.
func Handler(c Config) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	for _, one := range []prometheus.Collector{
		newCollector(c), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(one); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: maxScrapes, Timeout: scrapeTime, ErrorHandling: promhttp.HTTPErrorOnError,
	}), nil
}

// collector asks the mirror. It implements prometheus.Collector.
type collector struct {
	Config
	rows  map[string]row
	began time.Time
}

type row struct {
	Metric
	desc *prometheus.Desc
}

func newCollector(c Config) *collector {
	made := &collector{c, map[string]row{}, time.Now()}
	for _, m := range Table() {
		made.rows[m.Name] = row{m, prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)}
	}
	return made
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		to <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	s := &scrape{c, to, c.Mirror.Statuses()}
	s.repositories()
	s.quarantine()
	s.storage()
	s.counted()
	s.durations()
	ready := 1.0
	if c.Mirror.Ready() != nil {
		ready = 0
	}
	s.tell("assay_mirror_ready", ready)
	s.tell("assay_mirror_start_timestamp_seconds", moment(c.began))
	s.tell("assay_mirror_build_info", 1, c.Version, runtime.Version())
}

// scrape is one of them.
type scrape struct {
	*collector
	to       chan<- prometheus.Metric
	statuses []mirror.Status
}

// tell gives a metric's value, and the values of its labels.
func (s *scrape) tell(name string, value float64, labels ...string) {
	r, known := s.rows[name]
	if !known || r.Kind == Histogram {
		return
	}
	kind := prometheus.GaugeValue
	if r.Kind == Counter {
		kind = prometheus.CounterValue
	}
	m, err := prometheus.NewConstMetric(r.desc, kind, value, labels...)
	if err != nil { // labels that are not those of the table fail the scrape, and each test
		m = prometheus.NewInvalidMetric(r.desc, err)
	}
	s.to <- m
}

// values are those of labels, which are names and values in turn.
func values(labels []string) []string {
	var list []string
	for i := 1; i < len(labels); i += 2 {
		list = append(list, labels[i])
	}
	return list
}
