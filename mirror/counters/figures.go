package counters

import (
	"cmp"
	"slices"
	"strings"
)

// The names under which the public side counts. Those of releases have the labels
// repository, product and channel, the others repository alone, which is empty for
// what belongs to none.
const (
	Requests        = "assay_mirror_http_requests_total"
	ResponseBytes   = "assay_mirror_http_response_bytes_total"
	FirstByte       = "assay_mirror_http_time_to_first_byte_seconds"
	ReleaseRequests = "assay_mirror_release_requests_total"
	ReleaseBytes    = "assay_mirror_release_response_bytes_total"
	ReleaseByte     = "assay_mirror_release_time_to_first_byte_seconds"
	// Lookups has the label result: hit, what was held when it was asked for, or miss.
	Lookups = "assay_mirror_lookups_total"
)

// The names of the labels.
const (
	LabelRepository = "repository"
	LabelProduct    = "product"
	LabelChannel    = "channel"
	LabelResult     = "result"
)

// MaxReleases is how many products and channels are told apart in all, and Others the
// product under which what is beyond them counts: no product can be named so.
const (
	MaxReleases = 500
	Others      = "(others)"
)

// Figures are what readers have got since the start.
type Figures struct {
	Repository string `json:"repository"`
	Product    string `json:"product,omitempty"` // empty: of the whole repository
	Channel    string `json:"channel,omitempty"` // empty: no channel lists it
	Requests   int64  `json:"requests"`
	Bytes      int64  `json:"bytes"` // of bodies
	// Results are the requests by what became of them: ok, partial, not_modified,
	// not_found, refused, limited, unauthorized, unavailable, error, cut. None is 0.
	Results map[string]int64 `json:"results"`
	// Latency is the time from a request to the first byte of its answer.
	Latency Quantiles `json:"latency"`
}

// Quantiles are the times below which so many of a hundred lie, in seconds.
type Quantiles struct {
	P50 float64 `json:"p50_seconds"`
	P90 float64 `json:"p90_seconds"`
	P99 float64 `json:"p99_seconds"`
}

// Quantiles reckons those of what was counted.
func (d Durations) Quantiles() Quantiles {
	return Quantiles{d.Quantile(0.5).Seconds(), d.Quantile(0.9).Seconds(), d.Quantile(0.99).Seconds()}
}

// Distribution is what readers have got, of each repository and of each product and
// channel of it, sorted. Of the latter there are at most MaxReleases, and one of
// Others for each repository.
type Distribution struct {
	Repositories []Figures `json:"repositories"`
	Releases     []Figures `json:"releases"`
}

// Distribution sums up what the public side has counted.
func (s *Set) Distribution() Distribution {
	by := map[[3]string]*Figures{}
	of := func(labels []string) *Figures {
		key := [3]string{label(labels, LabelRepository), label(labels, LabelProduct), label(labels, LabelChannel)}
		if by[key] == nil {
			by[key] = &Figures{Repository: key[0], Product: key[1], Channel: key[2], Results: map[string]int64{}}
		}
		return by[key]
	}
	for _, one := range s.Samples() {
		switch one.Name {
		case Requests, ReleaseRequests:
			f := of(one.Labels)
			if f.Requests += one.Value; one.Value > 0 {
				f.Results[label(one.Labels, LabelResult)] = one.Value
			}
		case ResponseBytes, ReleaseBytes:
			of(one.Labels).Bytes += one.Value
		}
	}
	for _, one := range s.Durations() {
		if one.Name == FirstByte || one.Name == ReleaseByte {
			of(one.Labels).Latency = one.Quantiles()
		}
	}
	d := Distribution{Repositories: []Figures{}, Releases: []Figures{}}
	for key, f := range by {
		if key[1] == "" {
			d.Repositories = append(d.Repositories, *f)
		} else {
			d.Releases = append(d.Releases, *f)
		}
	}
	sorted := func(x, y Figures) int {
		return cmp.Or(strings.Compare(x.Repository, y.Repository), strings.Compare(x.Product, y.Product), strings.Compare(x.Channel, y.Channel))
	}
	slices.SortFunc(d.Repositories, sorted)
	slices.SortFunc(d.Releases, sorted)
	return d
}

// label is the value of a label; empty where there is none.
func label(labels []string, name string) string {
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i] == name {
			return labels[i+1]
		}
	}
	return ""
}
