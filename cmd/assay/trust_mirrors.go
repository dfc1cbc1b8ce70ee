package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"assay/fetch"
)

const flagMirrors = "mirrors"

// sourceDoc is one place where a repository lies.
type sourceDoc struct {
	URL       string `json:"url"`
	Own       bool   `json:"own,omitempty"` // the repository's own place
	From      string `json:"from"`          // where it is declared
	Region    string `json:"region,omitempty"`
	Weight    int    `json:"weight,omitempty"`
	Rank      int    `json:"rank,omitempty"` // from 1; none: it is not asked
	Why       string `json:"why"`
	Timestamp int64  `json:"timestamp,omitempty"` // the version that it offers, if it was asked just now
	Dropped   string `json:"dropped,omitempty"`   // why it is not asked now, or last

	// What is remembered; absent: nothing is.
	LatencyMS float64   `json:"latency_ms,omitempty"`
	Rate      float64   `json:"bytes_per_second,omitempty"`
	Failures  float64   `json:"failures,omitempty"` // as they count now
	Lies      float64   `json:"lies,omitempty"`     // likewise
	Succeeded time.Time `json:"succeeded,omitzero"`
	Failed    time.Time `json:"failed,omitzero"`
}

// sourceTable prints where a repository is fetched from.
func (a *app) sourceTable(reports []fetch.Report) []sourceDoc {
	docs, rows := []sourceDoc{}, [][]string{}
	for _, r := range reports {
		doc := sourceDoc{
			URL: r.URL, Own: r.Own, From: r.Origin, Region: r.Region, Weight: r.Weight, Rank: r.Rank, Why: r.Why, Timestamp: r.Timestamp,
			LatencyMS: float64(r.Record.Latency) / float64(time.Millisecond), Rate: r.Record.Rate,
			Failures: r.Record.Failures, Lies: r.Record.Lies, Succeeded: r.Record.Succeeded, Failed: r.Record.Failed,
		}
		if r.Own {
			doc.From = "the repository's url"
		}
		if r.Out != nil {
			doc.Dropped = r.Out.Error()
		}
		docs = append(docs, doc)
		rows = append(rows, a.sourceRow(doc))
	}
	a.out.table([]string{"RANK", "URL", "REGION", "WEIGHT", "LATENCY", "RATE", "FAILED", "FROM"}, rows)
	a.out.line("")
	for _, doc := range docs {
		a.out.line("%s: %s", doc.URL, doc.Why)
		if doc.Dropped != "" {
			a.out.line("  %s: %s", a.out.bad("given up in this run"), doc.Dropped)
		}
	}
	return docs
}

// sourceRow is a place in the table; what is not known is a dash.
func (a *app) sourceRow(d sourceDoc) []string {
	row := []string{"-", d.URL, "-", "-", "-", "-", "-", d.From}
	if d.Rank > 0 {
		row[0] = strconv.Itoa(d.Rank)
	}
	if d.Region != "" {
		row[2] = d.Region
	}
	if d.Weight > 0 {
		row[3] = strconv.Itoa(d.Weight)
	}
	if d.LatencyMS > 0 {
		row[4] = fmt.Sprintf("%.1fms", d.LatencyMS)
	}
	if d.Rate > 0 {
		row[5] = humanize.IBytes(uint64(d.Rate)) + "/s"
	}
	if !d.Failed.IsZero() {
		row[6] = humanize.RelTime(d.Failed, a.now(), "ago", "from now")
		if d.Lies > 0 {
			row[6] += ", lied"
		}
	}
	return row
}
