package draft

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/artifact/release"
)

// Options say what to draft a release from.
type Options struct {
	Dist     string   // the folder that goreleaser wrote
	Defaults Defaults // what it can't know
	Output   string   // the tree of targets that the release will lie in; it need not exist yet
	Scratch  string   // where archives are unpacked to look into them; empty: the system's folder for that

	Product   string    // empty: that of the defaults, else goreleaser's name of the project
	TagObject string    // the id of the signed tag itself
	Log       string    // of the build; empty: that of the defaults
	Finished  time.Time // when the build was finished; zero: the time of goreleaser's youngest file
	Published time.Time // zero: as in the manifest that lies there already, else Now
	// PieceBytes asks for the digests of pieces of so many bytes; 0: for none.
	PieceBytes int64
	Now        time.Time
}

// Release is a release that was drafted, and not written yet.
type Release struct {
	Place     release.Place
	Manifest  []byte // as it will be written
	Checksums []byte // the content of the checksums file; nil: there is none
	LeftOut   []LeftOut
	Doubts    []string // what is wrong with it as a release that people are given, though not as a manifest

	options Options
	files   []file // the others, by name
}

// manifestName is the name of every manifest in its folder.
const manifestName = "release.json"

// drafter gathers a release.
type drafter struct {
	Options
	dist *dist
	meta metadata
	list []entry

	manifest release.Release
	own      *belongings
	sums     *checksums.List
	parts    parts
	bare     bool // an artifact has no SBOM
	modified int  // programs that were built from something else than the revision
	out      *Release
}

// New drafts a release: it reads all that goreleaser's list names of it, looks into
// the archives, compares, and makes the manifest. It writes nothing but what it
// unpacks for a look and removes again. What the manifest lacks is for
// release.Lint to say. Errors wrap one of this package's, or one of package
// unpack's where an archive can't be unpacked.
func New(ctx context.Context, options Options) (*Release, error) {
	d := &drafter{Options: options, out: &Release{options: options}}
	var err error
	if d.dist, err = openDist(options.Dist); err != nil {
		return nil, err
	}
	defer d.dist.close()
	for _, step := range []func(context.Context) error{d.read, d.head, d.checksums, d.artifacts, d.others, d.dates, d.doubts, d.end} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return d.out, nil
}

func (d *drafter) read(context.Context) (err error) {
	if d.meta, err = d.dist.readMetadata(); err != nil {
		return err
	}
	if d.list, err = d.dist.readList(); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, e := range d.list {
		// Names that differ in case alone are one name on some systems.
		key := strings.ToLower(e.Name)
		if names[key] || key == manifestName {
			return fmt.Errorf("%w: %s: expected each name once, and never %s, found %s", ErrDist, listName, manifestName, quote(e.Name))
		}
		names[key] = true
	}
	d.own, err = d.dist.belong(d.list)
	return err
}

// head fills in what is said of the release as a whole.
func (d *drafter) head(context.Context) error {
	product := cmp.Or(d.Product, d.Defaults.Product, d.meta.ProjectName)
	if err := artifact.ValidProduct(product); err != nil {
		return fmt.Errorf("%w: the product's name: %w", ErrInput, err)
	}
	version, err := artifact.ParseVersion(d.meta.Version)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDist, metadataName, err)
	}
	defaults, err := d.Defaults.filled(map[string]string{"version": d.meta.Version, "tag": d.meta.Tag, "revision": d.meta.Commit})
	if err != nil {
		return err
	}
	if d.TagObject != "" && !tagObject.MatchString(d.TagObject) {
		// git prints the name of a tag that it does not know.
		return fmt.Errorf("%w: expected the id of a tag object, 40 or 64 lower-case hex digits, found %s: is there such a tag?", ErrInput, quote(d.TagObject))
	}
	d.out.Place = release.Place{Kind: release.KindRelease, Product: product, Version: version}
	d.manifest = release.Release{
		Schema: "assay.release/v1", Product: product, Version: version,
		Summary: defaults.Summary, License: defaults.License, Notes: defaults.Notes,
		KnownIssues: defaults.KnownIssues, Documentation: defaults.Documentation,
		Publisher: release.Publisher(defaults.Publisher),
		Source: release.Source{
			Repository: defaults.Source.Repository, TagSigner: defaults.Source.TagSigner,
			Revision: revisionOf(d.meta.Commit), Tag: d.meta.Tag, TagObject: d.TagObject,
		},
		Build: release.Build{
			Started: d.meta.Date.UTC().Truncate(time.Second), Inputs: defaults.Build.Inputs, Toolchain: defaults.Build.Toolchain,
			Log: cmp.Or(d.Log, defaults.Build.Log), Reproducible: defaults.Build.Reproducible,
		},
	}
	return nil
}

var tagObject = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// doubts: goreleaser notes the last tag for a snapshot, too, and people would look
// for the source there; and what a program was built from may be in no revision.
func (d *drafter) doubts(context.Context) error {
	tag, version := d.meta.Tag, d.meta.Version
	before, named := strings.CutSuffix(tag, version)
	if tag != "" && (!named || before != strings.TrimRight(before, ".0123456789")) {
		d.out.Doubts = append(d.out.Doubts, fmt.Sprintf("the tag %s does not name the version %s: do not publish what was built as a snapshot", quote(tag), quote(version)))
	}
	if d.modified > 0 {
		d.out.Doubts = append(d.out.Doubts, fmt.Sprintf("%d of the programs say that they were built from a modified checkout, so not from the revision alone: look at `git status` before goreleaser builds, and after its hooks", d.modified))
	}
	return nil
}

// revisionOf is the revision that goreleaser noted; it writes "none" where it
// found no repository.
func revisionOf(commit string) string {
	if commit == "none" {
		return ""
	}
	return commit
}

func (d *drafter) target(name string) string {
	return path.Dir(d.out.Place.Path()) + "/" + name
}

func (d *drafter) targets(names []string) []string {
	var list []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		list = append(list, d.target(name))
	}
	return list
}

// checksums reads the checksums file. goreleaser can write one for each artifact
// instead, which nobody could sign at once.
func (d *drafter) checksums(ctx context.Context) error {
	for _, e := range d.list {
		if e.Type != typeChecksum {
			continue
		}
		if d.sums != nil {
			return fmt.Errorf("%w: expected one checksums file for all artifacts, found several: checksum.split has to be off in goreleaser's configuration", ErrInput)
		}
		data, err := d.dist.read(e.local, checksums.MaxBytes)
		if err != nil {
			return err
		}
		if d.sums, err = checksums.Parse(data); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDist, quote(e.Name), err)
		}
		d.out.Checksums = data
		d.manifest.Checksums = &release.Checksums{Target: d.target(e.Name), Bundles: d.targets(d.own.bundles[e.Name])}
	}
	return nil
}

// take measures a file, compares it and has it written.
func (d *drafter) take(ctx context.Context, e entry, pieces int64) (f file, long bool, err error) {
	if f, err = d.dist.measure(ctx, e.Name, e.local, pieces); err != nil {
		return f, false, err
	}
	if long, err = f.compare(d.sums, e); err != nil {
		return f, false, err
	}
	d.out.files = append(d.out.files, f)
	return f, long, nil
}

// dates: a build was finished when its youngest file was written, if nobody knows
// better; and a release that was drafted before keeps its day.
func (d *drafter) dates(context.Context) error {
	b := &d.manifest.Build
	b.Finished = d.Finished.UTC().Truncate(time.Second)
	if d.Finished.IsZero() {
		b.Finished = b.Started
		for _, f := range d.out.files {
			if at := f.changed.UTC().Truncate(time.Second); at.After(b.Finished) && !at.After(d.Now) {
				b.Finished = at
			}
		}
	}
	d.manifest.Published = d.Published.UTC().Truncate(time.Second)
	if d.Published.IsZero() {
		d.manifest.Published = d.before(b.Finished).UTC().Truncate(time.Second)
	}
	return nil
}

// before is when the release that lies in the output was published, if one does.
func (d *drafter) before(finished time.Time) time.Time {
	data, err := readSmall(filepath.Join(d.Output, filepath.FromSlash(d.out.Place.Path())), release.MaxReleaseBytes)
	if err != nil {
		return d.Now
	}
	old, err := release.DecodeRelease(data, d.out.Place.Product, d.out.Place.Version)
	if err != nil || old.Published.Before(finished) || old.Published.After(d.Now) {
		return d.Now
	}
	return old.Published
}

func (d *drafter) end(context.Context) error {
	slices.SortFunc(d.out.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d.manifest); err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	d.out.Manifest = text.Bytes()
	return nil
}

// readSmall reads a regular file of at most limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s: expected a regular file, found %s", ErrInput, quote(path), info.Mode().Type())
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: %s: expected at most %d bytes, found %d", ErrInput, quote(path), limit, info.Size())
	}
	data, err := os.ReadFile(path)
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: %s: expected at most %d bytes, found %d", ErrInput, quote(path), limit, len(data))
	}
	return data, err
}
