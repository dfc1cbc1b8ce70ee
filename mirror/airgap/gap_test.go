package airgap

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/mirror"
	"assay/trust"
)

func errorsJoin(errs ...error) error { return errors.Join(errs...) }

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// TestTwice carries a repository twice, the second time what is new alone, and tells
// how much that was.
func TestTwice(t *testing.T) {
	for name, options := range map[string]testrepo.Options{"consistent": {}, "plain": {PlainSnapshots: true}} {
		t.Run(name, func(t *testing.T) {
			g := newGap(t, options)
			near, far := g.near(), g.far()
			whole := g.export(near, ExportOptions{})
			if whole.Objects != whole.OfObjects || whole.Bytes != whole.OfBytes || len(whole.Volumes) != 1 {
				t.Errorf("expected all of it in one volume, found %+v", whole)
			}
			run, err := far.bring(t.Context(), whole.Volumes...)
			must(t, err)
			if run.Outcome != mirror.Done || !run.Changed {
				t.Errorf("expected it to be published, found %+v", run)
			}
			g.holds(near, far)
			g.untouched(far, 1)

			must(t, g.repo.SetStatus("hello", "stable", "1.5.0", "revoked", "test", ""))
			must(t, g.repo.Publish())
			record, err := FindRecord(ExportOptions{Folder: filepath.Join(g.dir, "out")}, "acme", whole.Export.Hex()[:12])
			must(t, err)
			next := g.export(near, ExportOptions{Since: record})
			if next.Objects == 0 || next.Objects > 8 || next.OfObjects < whole.Objects || next.Since != whole.Export {
				t.Errorf("expected what is new alone, found %+v", next)
			}
			size := int64(len(read(t, next.Volumes[0])))
			t.Logf("whole: %d objects, %d bytes; the next: %d objects, %d bytes, a volume of %d", whole.Objects, whole.Bytes, next.Objects, next.Bytes, size)
			_, err = far.bring(t.Context(), next.Volumes...)
			must(t, err)
			g.holds(near, far)

			// The same by an inventory, and again the same bytes.
			var inventory bytes.Buffer
			_, err = TakeInventory(t.Context(), far.reader(t), []string{"acme"}, &inventory)
			must(t, err)
			inv, err := ReadInventory(&inventory)
			must(t, err)
			none := g.export(near, ExportOptions{Inventory: inv})
			if none.Objects != 0 || none.Inventory.IsZero() {
				t.Errorf("expected nothing to be lacking, found %+v", none)
			}
			before := read(t, none.Volumes[0])
			if again := g.export(near, ExportOptions{Inventory: inv}); !bytes.Equal(before, read(t, again.Volumes[0])) {
				t.Error("expected the same bytes, found others")
			}
			run, err = far.bring(t.Context(), none.Volumes...)
			must(t, err)
			if run.Changed {
				t.Errorf("expected nothing new, found %+v", run)
			}
		})
	}
}

// TestThird follows a chain of differences, and names the export that is lacking.
func TestThird(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	first := g.export(near, ExportOptions{})
	sets := []Exported{first}
	for range 2 {
		must(t, g.repo.PublishTimestamp())
		g.now = g.now.Add(time.Minute)
		record, err := FindRecord(ExportOptions{Folder: filepath.Join(g.dir, "out")}, "acme", sets[len(sets)-1].Export.Hex())
		must(t, err)
		sets = append(sets, g.export(near, ExportOptions{Since: record}))
	}
	_, err := far.bring(t.Context(), sets[2].Volumes...)
	var lacking *LackingError
	if !errors.As(err, &lacking) || lacking.First[0].In != first.Export || !strings.Contains(err.Error(), short(first.Export)) {
		t.Fatalf("expected the first export to be named, found %v", err)
	}
	// It stays, and goes on once the first one came.
	must(t, errOf(far.bring(t.Context(), first.Volumes...)))
	must(t, errOf(far.bring(t.Context(), sets[2].Volumes...)))
	g.holds(near, far)
}

func errOf[T any](_ T, err error) error { return err }

// TestRefused: what a verifier refuses is refused from a file as from a network, and
// leaves nothing.
func TestRefused(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	old := g.export(near, ExportOptions{})
	must(t, g.repo.PublishTimestamp())
	g.now = g.now.Add(time.Minute)
	now := g.export(near, ExportOptions{})
	must(t, errOf(far.bring(t.Context(), now.Volumes...)))
	for _, test := range []struct {
		name   string
		change func(*node)
		volume string
		want   error
	}{
		{"an older one", func(*node) {}, old.Volumes[0], trust.ErrRollback},
		{"a clock that is behind", func(n *node) { n.offset = -5 * time.Hour }, now.Volumes[0], trust.ErrClock},
		{"expired", func(n *node) { n.offset = 24 * 3650 * time.Hour }, now.Volumes[0], trust.ErrExpired},
	} {
		other := g.far()
		test.change(other)
		if _, err := other.bring(t.Context(), test.volume); !errors.Is(err, test.want) {
			t.Errorf("%s: expected %v, found %v", test.name, test.want, err)
		}
		g.untouched(far, 1)
	}
	// Another publisher's, under the same name.
	stranger := newGap(t, testrepo.Options{})
	theirs := stranger.export(stranger.near(), ExportOptions{})
	if _, err := far.bring(t.Context(), theirs.Volumes...); err == nil || errors.Is(err, trust.ErrNoMetadata) {
		t.Errorf("expected it to be refused, found %v", err)
	}
	g.untouched(far, 1)
	fresh := farNode(filepath.Join(g.dir, "fresh"), g.repo.RootBytes(1), func() time.Time { return g.now })
	if _, err := fresh.bring(t.Context(), theirs.Volumes...); !errors.Is(err, trust.ErrSignature) && !errors.Is(err, trust.ErrRootChain) {
		t.Errorf("expected another root's signatures to be refused, found %v", err)
	}
	g.untouched(fresh, 0)
}

// TestLeftOut: what is in quarantine there is not sent, and told here; what is simply
// not there has all of it refused.
func TestLeftOut(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	_, err := near.run(t.Context())
	must(t, err)
	store := near.reader(t)
	p, err := mirror.ReadPublished(t.Context(), store, "acme")
	must(t, err)
	target := p.Targets[len(p.Targets)-1]
	p.Quarantined = []mirror.Quarantined{{Repository: "acme", Path: target.Path, Digest: target.Digests.Primary(), Reason: "looks odd"}}
	write := func(name string, p *mirror.Published, change func(*plan)) string {
		set, err := planOf(p, ExportOptions{})
		must(t, err)
		change(set)
		set.head.Set, err = set.head.setID()
		must(t, err)
		path := filepath.Join(g.dir, name)
		_, err = set.write(t.Context(), store, ExportOptions{File: path})
		must(t, err)
		return path
	}
	honest := write("honest.tar", p, func(*plan) {})
	lying := write("lying.tar", p, func(set *plan) { set.head.LeftOut = nil })
	if _, err := far.bring(t.Context(), lying); !errors.Is(err, mirror.ErrNotWhole) {
		t.Errorf("expected %v, found %v", mirror.ErrNotWhole, err)
	}
	g.untouched(far, 0)
	run, err := far.bring(t.Context(), honest)
	if !errors.Is(err, mirror.ErrLeftOut) || run.Outcome != mirror.Partial || !slices.ContainsFunc(run.Faults, func(f mirror.Fault) bool { return f.Path == target.Path && strings.Contains(f.Reason, "looks odd") }) {
		t.Errorf("expected it to be published without %s, found %+v, %v", target.Path, run, err)
	}
	g.untouched(far, 1)
}
