package upstream

import (
	"context"
	"errors"

	"assay/fetch/wire"
	"assay/mirror/counters"
)

// watched has the requests that are made under ctx counted, and told to the tracer.
func (c *Config) watched(ctx context.Context) context.Context {
	if c.Counters == nil && c.Tracer == nil {
		return ctx
	}
	return wire.Observed(ctx, func(ctx context.Context, seen wire.Exchange) {
		c.Counters.Counter("assay_mirror_upstream_requests_total", counters.LabelRepository, c.Name, counters.LabelResult, seen.Result()).Add(1)
		c.Counters.Histogram("assay_mirror_upstream_request_seconds", counters.LabelRepository, c.Name).Observe(seen.Took)
		span := c.Tracer.Past(ctx, "upstream", seen.Began)
		span.Text("server.address", seen.Host)
		span.Number("http.response.status_code", int64(seen.Status))
		var err error
		if result := seen.Result(); result == "no_answer" || result == "error" {
			err = errors.New(result)
		}
		span.End(err)
	})
}

// noteHealth notes whether the upstream answers, whatever it says.
func (c *Config) noteHealth(err error) {
	up := int64(1)
	if err != nil && wire.Temporary(err) {
		up = 0
	}
	c.Counters.Counter("assay_mirror_upstream_up", counters.LabelRepository, c.Name).Store(up)
}
