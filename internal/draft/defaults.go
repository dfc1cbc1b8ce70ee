package draft

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"assay/internal/stricttoml"
)

// Defaults are what no build can know: who answers for the product, where its
// source lies and what the publisher promises. They come from a TOML file that
// lies beside the sources; docs/publishing.md explains its keys.
type Defaults struct {
	Product       string   `toml:"product"` // empty: as goreleaser calls the project
	Summary       string   `toml:"summary"`
	License       string   `toml:"license"` // an SPDX expression
	Notes         string   `toml:"notes"`   // may have placeholders, as all that lead somewhere
	Documentation string   `toml:"documentation"`
	KnownIssues   []string `toml:"known_issues"`

	Publisher struct {
		Team       string `toml:"team"`
		Homepage   string `toml:"homepage"`
		BugTracker string `toml:"bug_tracker"`
		Support    string `toml:"support"`
		Warranty   string `toml:"warranty"`
	} `toml:"publisher"`

	Source struct {
		Repository string `toml:"repository"`
		TagSigner  string `toml:"tag_signer"`
	} `toml:"source"`

	Build struct {
		Inputs       []string `toml:"inputs"`
		Toolchain    string   `toml:"toolchain"` // empty: as the programs say
		Log          string   `toml:"log"`
		Reproducible bool     `toml:"reproducible"`
	} `toml:"build"`

	// Platform holds, by operating system as Go names it, what its artifacts need.
	Platform map[string]struct {
		Libc  string `toml:"libc"`
		MinOS string `toml:"min_os"`
	} `toml:"platform"`
}

// ReadDefaults reads the publisher's defaults; name is the file's, for errors. A
// key that is not known is refused. The error wraps ErrInput and is a
// *stricttoml.Error.
func ReadDefaults(name string, data []byte) (Defaults, error) {
	var d Defaults
	if err := stricttoml.Decode(name, data, &d); err != nil {
		return Defaults{}, fmt.Errorf("%w: %w", ErrInput, err)
	}
	return d, nil
}

// filled replaces the placeholders {version}, {tag} and {revision} in what leads
// somewhere. One that is not known, or that has no value here, is an ErrInput.
func (d Defaults) filled(values map[string]string) (Defaults, error) {
	d.Build.Inputs = slices.Clone(d.Build.Inputs)
	fields := []*string{&d.Notes, &d.Documentation, &d.Build.Log}
	for i := range d.Build.Inputs {
		fields = append(fields, &d.Build.Inputs[i])
	}
	for _, field := range fields {
		text, err := fill(*field, values)
		if err != nil {
			return d, err
		}
		*field = text
	}
	return d, nil
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func fill(text string, values map[string]string) (string, error) {
	var wrong error
	filled := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		value, known := values[strings.Trim(found, "{}")]
		switch {
		case wrong != nil:
		case !known:
			wrong = fmt.Errorf("%w: defaults: expected one of {%s}, found %s in %s", ErrInput,
				strings.Join(slices.Sorted(maps.Keys(values)), "}, {"), found, quote(text))
		case value == "":
			wrong = fmt.Errorf("%w: defaults: %s in %s: goreleaser's %s does not say it", ErrInput, found, quote(text), metadataName)
		}
		return value
	})
	return filled, wrong
}

// Way says how to give a field of a manifest that is missing or wrong; empty
// where neither the defaults nor an option of the command set it.
func Way(field string) string {
	if strings.HasPrefix(field, "components") || strings.HasSuffix(field, "].sbom") {
		return "have goreleaser make an SBOM of each archive (sboms in its configuration)"
	}
	if strings.HasPrefix(field, "checksums") {
		return "checksum in goreleaser's configuration makes the file"
	}
	if field == "artifacts" || strings.HasSuffix(field, "].bundles") {
		return "signs in goreleaser's configuration makes bundles, with signature: \"${artifact}.sigstore.json\""
	}
	return ways[field]
}

var ways = map[string]string{
	"summary":               `summary = "…" in the defaults`,
	"license":               `license = "…" in the defaults`,
	"documentation":         `documentation = "…" in the defaults`,
	"notes":                 `notes = "…" in the defaults`,
	"publisher.team":        `team = "…" under [publisher] in the defaults`,
	"publisher.homepage":    `homepage = "…" under [publisher] in the defaults`,
	"publisher.bug_tracker": `bug_tracker = "…" under [publisher] in the defaults`,
	"publisher.support":     `support = "…" under [publisher] in the defaults`,
	"publisher.warranty":    `warranty = "…" under [publisher] in the defaults`,
	"source.repository":     `repository = "…" under [source] in the defaults`,
	"source.tag_signer":     `tag_signer = "…" under [source] in the defaults`,
	"source.tag_object":     "--tag-object \"$(git rev-parse TAG)\", of a signed tag",
	"source.tag":            "build from a tag: goreleaser notes it in " + metadataName,
	"source.revision":       "build from a commit: goreleaser notes it in " + metadataName,
	"build.inputs":          `inputs = ["…"] under [build] in the defaults`,
	"build.toolchain":       `toolchain = "…" under [build] in the defaults`,
	"build.log":             "--log URL, or log under [build] in the defaults",
	"build.finished":        "--finished TIME",
	"published":             "--published TIME",
}
