package metrics

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"assay/mirror"
	"assay/mirror/counters"
)

// repositories tells how each stands.
func (s *scrape) repositories() {
	for _, st := range s.statuses {
		name := st.Repository
		s.tell("assay_mirror_serving", number(st.Serving), name)
		s.tell("assay_mirror_good", number(st.Good), name)
		s.tell("assay_mirror_generation", float64(st.Generation), name)
		s.tell("assay_mirror_published_timestamp_seconds", moment(st.Published), name)
		s.tell("assay_mirror_last_sync_success_timestamp_seconds", moment(st.Confirmed), name)
		for _, role := range st.Roles {
			s.tell("assay_mirror_metadata_version", float64(role.Version), name, role.Role)
			s.tell("assay_mirror_metadata_expiry_warning_timestamp_seconds", moment(role.Soon), name, role.Role)
			s.tell("assay_mirror_metadata_expiry_timestamp_seconds", moment(role.Expires), name, role.Role)
		}
		t := st.Targets
		for state, n := range map[string]int{"promised": t.Promised, "carried": t.Carried, "held": t.Held, "quarantined": t.Quarantined, "missing": t.Missing} {
			s.tell("assay_mirror_targets", float64(n), name, state)
		}
		s.tell("assay_mirror_target_bytes", float64(t.Bytes), name)
		var last mirror.Run
		if st.LastRun != nil {
			last = *st.LastRun
			s.tell("assay_mirror_last_sync_duration_seconds", last.Took.Seconds(), name)
		}
		for _, outcome := range []mirror.Outcome{mirror.Done, mirror.Partial, mirror.Failed, mirror.Cancelled} {
			s.tell("assay_mirror_last_sync_outcome", number(last.Outcome == outcome), name, string(outcome))
		}
	}
}

// quarantine tells how much is in it.
func (s *scrape) quarantine() {
	for _, st := range s.statuses {
		// A repository that went meanwhile has none.
		if list, err := s.Mirror.Quarantine(st.Repository); err == nil {
			s.tell("assay_mirror_quarantined", float64(len(list)), st.Repository)
		}
	}
}

// storage tells how full it is.
func (s *scrape) storage() {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime/2)
	defer cancel()
	st, err := s.Mirror.Storage(ctx)
	s.tell("assay_mirror_storage_used_bytes", float64(st.Used))
	s.tell("assay_mirror_storage_objects", float64(st.Objects))
	s.tell("assay_mirror_storage_quota_bytes", float64(st.Quota))
	if err == nil && st.Free >= 0 {
		s.tell("assay_mirror_storage_free_bytes", float64(st.Free))
	}
	s.tell("assay_mirror_scrub_ended_timestamp_seconds", moment(st.Scrub.Ended))
	s.tell("assay_mirror_scrub_healed_total", float64(st.Scrub.Healed))
}

// counted tells the counters, and 0 for what was not counted yet.
func (s *scrape) counted() {
	told := map[string]bool{}
	for _, one := range s.Counters.Samples() {
		list := values(one.Labels)
		told[one.Name+"\x00"+strings.Join(list, "\x00")] = true
		if r := s.rows[one.Name]; r.Kind == "" || r.seldom && one.Value == 0 {
			continue
		}
		s.tell(one.Name, float64(one.Value), list...)
	}
	zero := func(name string, list ...string) {
		if !told[name+"\x00"+strings.Join(list, "\x00")] {
			s.tell(name, 0, list...)
		}
	}
	for _, name := range []string{
		"assay_mirror_evictions_total", "assay_mirror_collected_objects_total", "assay_mirror_collected_bytes_total",
		"assay_mirror_scrubbed_objects_total", "assay_mirror_scrub_damaged_total",
	} {
		zero(name)
	}
	for _, st := range s.statuses {
		zero("assay_mirror_waiters", st.Repository)
		zero("assay_mirror_upstream_bytes_total", st.Repository)
		for _, r := range s.rows {
			if r.Kind != Counter {
				continue
			}
			for _, value := range r.Values {
				zero(r.Name, st.Repository, value)
			}
		}
	}
}

// durations tells the histograms.
func (s *scrape) durations() {
	bounds := counters.Bounds()
	for _, one := range s.Counters.Durations() {
		r, known := s.rows[one.Name]
		if !known || r.Kind != Histogram {
			continue
		}
		buckets, below := map[float64]uint64{}, uint64(0)
		for i, bound := range bounds {
			below += uint64(one.Buckets[i])
			buckets[bound.Seconds()] = below
		}
		m, err := prometheus.NewConstHistogram(r.desc, uint64(one.Count()), one.Sum.Seconds(), buckets, values(one.Labels)...)
		if err != nil {
			m = prometheus.NewInvalidMetric(r.desc, err)
		}
		s.to <- m
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// moment is a time in seconds since 1970; 0: there is none.
func moment(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
