package advisory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/trust/sbom"
)

// osvShape is what is read of an OSV record (OSV schema 1.7).
var osvShape = shape{
	"id": nil, "modified": nil, "withdrawn": nil, "aliases": nil, "summary": nil,
	"severity": {"type": nil, "score": nil},
	"affected": {
		"package":  {"name": nil, "ecosystem": nil, "purl": nil},
		"severity": {"type": nil, "score": nil},
		"versions": nil,
		"ranges":   {"type": nil, "events": {"introduced": nil, "fixed": nil, "last_affected": nil, "limit": nil}},
	},
	"database_specific": {"severity": nil},
}

// osvRecord receives it. The types that OSV publishes for Go are generated from
// protocol buffers; they read at a third of the speed, and refuse a record for
// what nobody asks of it.
type osvRecord struct {
	ID        string        `json:"id"`
	Modified  string        `json:"modified"`
	Withdrawn string        `json:"withdrawn"`
	Aliases   []string      `json:"aliases"`
	Summary   string        `json:"summary"`
	Severity  []osvSeverity `json:"severity"`
	Affected  []osvAffected `json:"affected"`
	Database  struct {
		Severity any `json:"severity"` // GitHub's word, HIGH for one; anything elsewhere
	} `json:"database_specific"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvAffected struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
		PURL      string `json:"purl"`
	} `json:"package"`
	Severity []osvSeverity `json:"severity"`
	Versions []string      `json:"versions"`
	Ranges   []struct {
		Type   string     `json:"type"`
		Events []osvEvent `json:"events"`
	} `json:"ranges"`
}

type osvEvent struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
	Limit        string `json:"limit"`
}

// record is what is kept of an OSV record.
type record struct {
	id       string
	aliases  []string
	summary  string
	severity string
	modified time.Time
	affected []affected
}

// affected is one package of a record.
type affected struct {
	keys     []string // of the package's purl
	name     string   // of the package, in lower case, with slashes
	kind     string   // whose rules compare its versions
	release  string   // of the distribution, like 11 or 3.18; empty: any
	severity string
	versions []string // without a leading v, sorted
	ranges   []span
	commits  bool // it has ranges of commits
}

// span is a range of a record.
type span struct {
	semantic bool // by semantic versioning, whatever the package
	events   []event
	limits   []string
}

// event is a point at which versions begin or cease to be affected.
type event struct {
	what    eventKind
	version string
}

// eventKind is ordered as events at one version are: introduced again undoes
// fixed, and what is affected last ceases just behind the version.
type eventKind uint8

const (
	fixed eventKind = iota
	introduced
	lastAffected
)

// addRecord reads one record; a withdrawn one is counted and left out.
func (d *Document) addRecord(object []byte, where string) error {
	var read osvRecord
	if err := d.decode(object, where, osvShape, &read); err != nil {
		return err
	}
	if err := d.checkID(read.ID, where+".id"); err != nil {
		return err
	}
	where += " (" + read.ID + ")"
	aliases, err := d.checkIDs(read.Aliases, where+".aliases")
	if err != nil {
		return err
	}
	d.Format = OSV
	r := record{
		id: read.ID, aliases: aliases, modified: parseTime(read.Modified),
		summary: plain(read.Summary, maxSummary), severity: severityOf(read.Severity),
	}
	if word, ok := read.Database.Severity.(string); ok && word != "" {
		r.severity = strings.TrimSpace(plain(word, 20) + " " + r.severity)
	}
	if err := d.count(where, r.modified); err != nil {
		return err
	}
	if read.Withdrawn != "" {
		if parseTime(read.Withdrawn).IsZero() {
			return wrong(ErrMalformed, d.Name+": "+where+".withdrawn", "a time", quote(read.Withdrawn))
		}
		return nil
	}
	for i, a := range read.Affected {
		kept, err := d.affected(a, fmt.Sprintf("%s.affected[%d]", where, i))
		if err != nil {
			return err
		}
		if len(kept.keys) > 0 || kept.name != "" {
			r.affected = append(r.affected, kept)
		}
	}
	d.records = append(d.records, r)
	return nil
}

// affected keeps what counts of one package.
func (d *Document) affected(read osvAffected, where string) (affected, error) {
	a := packageOf(read.Package.Ecosystem, read.Package.Name, read.Package.PURL)
	a.severity = severityOf(read.Severity)
	for _, version := range read.Versions {
		a.versions = append(a.versions, withoutV(version))
	}
	slices.Sort(a.versions)
	for i, r := range read.Ranges {
		switch r.Type {
		case "GIT":
			a.commits = true
			continue
		case "SEMVER", "ECOSYSTEM":
		default:
			return a, wrong(ErrMalformed, fmt.Sprintf("%s: %s.ranges[%d].type", d.Name, where, i), "SEMVER, ECOSYSTEM or GIT", quote(r.Type))
		}
		s := span{semantic: r.Type == "SEMVER"}
		for j, e := range r.Events {
			if !s.add(e) {
				return a, wrong(ErrMalformed, fmt.Sprintf("%s: %s.ranges[%d].events[%d]", d.Name, where, i, j),
					"one of introduced, fixed, last_affected and limit", "none or several")
			}
		}
		a.ranges = append(a.ranges, s)
	}
	return a, nil
}

// add keeps one event, which must name one version.
func (s *span) add(e osvEvent) bool {
	count := 0
	for _, each := range []struct {
		what    eventKind
		version string
	}{{introduced, e.Introduced}, {fixed, e.Fixed}, {lastAffected, e.LastAffected}} {
		if each.version != "" {
			count++
			s.events = append(s.events, event{each.what, each.version})
		}
	}
	if e.Limit != "" {
		count++
		s.limits = append(s.limits, e.Limit)
	}
	return count == 1
}

// severityOf is the score of the newest kind, as text.
func severityOf(list []osvSeverity) string {
	var best osvSeverity
	for _, each := range list {
		if each.Type >= best.Type && each.Score != "" {
			best = each
		}
	}
	if best.Score == "" || strings.HasPrefix(best.Score, "CVSS:") {
		return plain(best.Score, maxID)
	}
	return plain(best.Type+" "+best.Score, maxID)
}

func withoutV(version string) string {
	if len(version) > 1 && (version[0] == 'v' || version[0] == 'V') {
		return version[1:]
	}
	return version
}

// packageOf names a package in all ways by which components are found.
func packageOf(ecosystem, name, purl string) affected {
	var a affected
	if key, _ := sbom.KeyOf(purl); key != "" {
		a.keys = append(a.keys, key)
	}
	base, suffix, _ := strings.Cut(ecosystem, ":")
	if key := keyInEcosystem(base, name); key != "" && !slices.Contains(a.keys, key) {
		a.keys = append(a.keys, key)
	}
	a.name = strings.ToLower(strings.ReplaceAll(name, ":", "/"))
	a.release = firstNumber(suffix)
	if len(a.keys) > 0 {
		a.kind, _, _ = strings.Cut(a.keys[0], "/")
	}
	return a
}
