package mirrors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"assay/internal/strictjson"
)

// The bounds of what is stored.
const (
	MaxBytes   = 256 << 10
	maxRecords = 256
	maxURL     = 512 // bytes
)

// schema is what the stored document says it is.
const schema = "assay.sources/v1"

// ErrDamaged: what is stored is not what this package writes.
var ErrDamaged = errors.New("the memory of mirrors is damaged")

// document is what is stored.
type document struct {
	Schema  string            `json:"schema"`
	Sources map[string]Record `json:"sources"` // by URL
}

// decode reads what encode wrote, and nothing else. Every error is ErrDamaged.
func decode(data []byte, now time.Time) (map[string]Record, error) {
	damaged := func(err error) error { return fmt.Errorf("%w: %w", ErrDamaged, err) }
	if err := strictjson.Screen(data, strictjson.Limits{Bytes: MaxBytes, Depth: 3}); err != nil {
		return nil, damaged(err)
	}
	var doc document
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, damaged(err)
	}
	if doc.Schema != schema {
		return nil, damaged(fmt.Errorf("expected the schema %s, found %.40q", schema, doc.Schema))
	}
	if len(doc.Sources) > maxRecords {
		return nil, damaged(fmt.Errorf("expected at most %d sources, found %d", maxRecords, len(doc.Sources)))
	}
	records := map[string]Record{}
	for url, r := range doc.Sources {
		if err := checkURL(url); err != nil {
			return nil, damaged(err)
		}
		if err := r.check(); err != nil {
			return nil, damaged(fmt.Errorf("%.80q: %w", url, err))
		}
		// A time ahead of the clock would never fade.
		r.Updated, r.Succeeded, r.Failed = earlier(r.Updated, now), earlier(r.Succeeded, now), earlier(r.Failed, now)
		records[url] = r
	}
	return records, nil
}

func earlier(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

// check holds a record to the bounds that with keeps.
func (r Record) check() error {
	switch {
	case r.Latency < 0 || r.Latency > maxLatency:
		return fmt.Errorf("expected a latency of at most %s, found %s", maxLatency, r.Latency)
	case r.Rate < 0 || r.Rate > maxRate:
		return fmt.Errorf("expected a rate of at most %g, found %g", maxRate, r.Rate)
	case r.Weight < 0 || r.Weight > maxWeight:
		return fmt.Errorf("expected a weight of at most %d, found %g", maxWeight, r.Weight)
	case r.Failures < 0 || r.Failures > maxCount || r.Lies < 0 || r.Lies > maxCount:
		return fmt.Errorf("expected at most %d failures and lies, found %g and %g", maxCount, r.Failures, r.Lies)
	case r.Updated.IsZero():
		return errors.New("expected a time, found none")
	case len(r.Layout) > 16:
		return fmt.Errorf("expected a layout, found %.40q", r.Layout)
	}
	return nil
}

// checkURL refuses a URL that could hold a secret, as it would be shown.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Scheme == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return fmt.Errorf("expected a URL of at most %d bytes without user, query and fragment, found another", maxURL)
	}
	return nil
}

// encode writes the records that still say something, at most maxRecords, the
// latest first; what may not be written is left out.
func encode(records map[string]Record, now time.Time) ([]byte, error) {
	doc := document{Schema: schema, Sources: map[string]Record{}}
	urls := slices.SortedFunc(maps.Keys(records), func(a, b string) int {
		return cmp.Or(records[b].Updated.Compare(records[a].Updated), cmp.Compare(a, b))
	})
	for _, url := range urls {
		r := records[url].at(now)
		if r.empty() || checkURL(url) != nil || len(doc.Sources) == maxRecords {
			continue
		}
		doc.Sources[url] = records[url]
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // which could make it six times as long
	err := encoder.Encode(doc)
	return b.Bytes(), err
}
