package metrics

import "assay/mirror/counters"

// Kind is what a metric is, as Prometheus has it.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Metric is one row of the table.
type Metric struct {
	Name   string
	Kind   Kind
	Labels []string
	Help   string
	// Values are what the last label may be. Of a counter each is told as 0 of every
	// repository until something was counted, so that the first time is seen as a rise.
	Values []string
	// seldom: what is 0 is not told, as there may be many.
	seldom bool
}

// The labels that rows share.
var (
	ofRepository = []string{counters.LabelRepository}
	ofResult     = []string{counters.LabelRepository, counters.LabelResult}
	ofRole       = []string{counters.LabelRepository, "role"}
	roles        = []string{"root", "timestamp", "snapshot", "targets"}
	ofRelease    = []string{counters.LabelRepository, counters.LabelProduct, counters.LabelChannel}
)

// Table is every metric of a mirror, but for those of the Go runtime and the process
// (go_…, process_…). What is not in it is not told.
func Table() []Metric {
	return []Metric{
		// How each repository stands.
		{Name: "assay_mirror_serving", Kind: Gauge, Labels: ofRepository, Help: "1 if the repository is served."},
		{Name: "assay_mirror_good", Kind: Gauge, Labels: ofRepository, Help: "1 if it is served, has not expired, and the last run was done."},
		{Name: "assay_mirror_generation", Kind: Gauge, Labels: ofRepository, Help: "Number of the generation that is served; 0: none."},
		{Name: "assay_mirror_published_timestamp_seconds", Kind: Gauge, Labels: ofRepository, Help: "When that generation was published."},
		{Name: "assay_mirror_metadata_version", Kind: Gauge, Labels: ofRole, Help: "Version of a top-level role that is served.", Values: roles},
		{Name: "assay_mirror_metadata_expiry_timestamp_seconds", Kind: Gauge, Labels: ofRole, Help: "When a top-level role that is served expires.", Values: roles},
		{Name: "assay_mirror_metadata_expiry_warning_timestamp_seconds", Kind: Gauge, Labels: ofRole, Help: "From when on a top-level role that is served is said to expire soon, as the status page has it.", Values: roles},
		{Name: "assay_mirror_targets", Kind: Gauge, Labels: []string{counters.LabelRepository, "state"}, Help: "Targets, by how they stand.", Values: []string{"promised", "carried", "held", "quarantined", "missing"}},
		{Name: "assay_mirror_target_bytes", Kind: Gauge, Labels: ofRepository, Help: "Bytes of the targets that are held."},
		{Name: "assay_mirror_quarantined", Kind: Gauge, Labels: ofRepository, Help: "Objects in quarantine."},
		// Runs.
		{Name: "assay_mirror_syncs_total", Kind: Counter, Labels: []string{counters.LabelRepository, "outcome"}, Help: "Runs by how they ended.", Values: []string{"done", "partial", "failed", "cancelled"}},
		{Name: "assay_mirror_last_sync_success_timestamp_seconds", Kind: Gauge, Labels: ofRepository, Help: "Begin of the last run in which the upstream was asked and everything accepted; 0: none since the start."},
		{Name: "assay_mirror_last_sync_outcome", Kind: Gauge, Labels: []string{counters.LabelRepository, "outcome"}, Help: "1 for how the last run ended, 0 for the others.", Values: []string{"done", "partial", "failed", "cancelled"}},
		{Name: "assay_mirror_last_sync_duration_seconds", Kind: Gauge, Labels: ofRepository, Help: "How long the last run took."},
		{Name: "assay_mirror_verification_failures_total", Kind: Counter, Labels: []string{counters.LabelRepository, "kind"}, Help: "What verification has refused: targets by policy, digest or other, metadata by the rest.", Values: []string{"policy", "digest", "rollback", "expired", "signature", "root", "malformed", "other"}},
		// The upstream.
		{Name: "assay_mirror_upstream_up", Kind: Gauge, Labels: ofRepository, Help: "1 if the upstream answered when it was last asked for metadata, whatever it said."},
		{Name: "assay_mirror_upstream_requests_total", Kind: Counter, Labels: ofResult, Help: "HTTP requests to the upstream and its mirrors.", Values: []string{"ok", "not_modified", "redirect", "not_found", "refused", "error", "no_answer"}},
		{Name: "assay_mirror_upstream_request_seconds", Kind: Histogram, Labels: ofRepository, Help: "Time from such a request to the head of its answer."},
		{Name: "assay_mirror_upstream_bytes_total", Kind: Counter, Labels: ofRepository, Help: "Bytes of targets that came."},
		// What is served.
		{Name: counters.Requests, Kind: Counter, Labels: ofResult, Help: "Requests of readers; an empty repository is what belongs to none.", Values: []string{"ok", "partial", "not_modified", "not_found", "refused", "limited", "unauthorized", "unavailable", "error", "cut"}},
		{Name: counters.ResponseBytes, Kind: Counter, Labels: ofRepository, Help: "Bytes of bodies that were sent."},
		{Name: counters.FirstByte, Kind: Histogram, Labels: ofRepository, Help: "Time from a request to the first byte of its answer."},
		{Name: counters.ReleaseRequests, Kind: Counter, Labels: append(ofRelease[:3:3], counters.LabelResult), Help: "Requests for files of releases, by product and first channel; at most 500 of these are told apart.", seldom: true},
		{Name: counters.ReleaseBytes, Kind: Counter, Labels: ofRelease, Help: "Bytes that were sent of them.", seldom: true},
		{Name: "assay_mirror_http_connections_total", Kind: Counter, Help: "Connections that were taken."},
		{Name: "assay_mirror_http_connections_open", Kind: Gauge, Help: "Connections that are open."},
		{Name: "assay_mirror_http_connections_refused_total", Kind: Counter, Labels: []string{"limit"}, Help: "Connections beyond the limit: of all, or of one client."},
		{Name: counters.Lookups, Kind: Counter, Labels: ofResult, Help: "Files that were found to be held when asked for, or not.", Values: []string{"hit", "miss"}},
		{Name: "assay_mirror_demands_total", Kind: Counter, Labels: ofResult, Help: "Targets that were fetched because somebody asked.", Values: []string{"fetched", "failed"}},
		{Name: "assay_mirror_waiters", Kind: Gauge, Labels: ofRepository, Help: "Requests that wait for the upstream."},
		// The storage.
		{Name: "assay_mirror_storage_used_bytes", Kind: Gauge, Help: "Bytes of all objects."},
		{Name: "assay_mirror_storage_objects", Kind: Gauge, Help: "Objects."},
		{Name: "assay_mirror_storage_quota_bytes", Kind: Gauge, Help: "The quota; 0: none."},
		{Name: "assay_mirror_storage_free_bytes", Kind: Gauge, Help: "Bytes that may still be fetched, by quota and disk; missing where it is not known."},
		{Name: "assay_mirror_evictions_total", Kind: Counter, Help: "Targets that were removed to make room."},
		{Name: "assay_mirror_collected_objects_total", Kind: Counter, Help: "Objects that nothing led to any more and that were removed."},
		{Name: "assay_mirror_collected_bytes_total", Kind: Counter, Help: "Their bytes."},
		{Name: "assay_mirror_scrub_ended_timestamp_seconds", Kind: Gauge, Help: "End of the last whole scrub; 0: none since the start."},
		{Name: "assay_mirror_scrubbed_objects_total", Kind: Counter, Help: "Objects that were hashed anew."},
		{Name: "assay_mirror_scrub_damaged_total", Kind: Counter, Help: "Objects that were found damaged."},
		{Name: "assay_mirror_scrub_healed_total", Kind: Counter, Help: "Those of them that were fetched again."},
		// The daemon.
		{Name: "assay_mirror_ready", Kind: Gauge, Help: "1 if the storage can be read and at least one repository is served, as /readyz says."},
		{Name: "assay_mirror_start_timestamp_seconds", Kind: Gauge, Help: "When the daemon was started. What the library tells of that, process_start_time_seconds, is missing where /proc is hidden, as by the unit."},
		{Name: "assay_mirror_build_info", Kind: Gauge, Labels: []string{"version", "goversion"}, Help: "1, for its labels."},
	}
}
