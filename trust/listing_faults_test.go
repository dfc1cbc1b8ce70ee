package trust_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// lists are all that a view lists, as texts.
var lists = map[string]func(context.Context, *trust.View) iter.Seq2[string, error]{
	"targets": func(ctx context.Context, view *trust.View) iter.Seq2[string, error] {
		return texts(view.Targets(ctx), func(t trust.Target) string { return t.Path() })
	},
	"metadata": func(ctx context.Context, view *trust.View) iter.Seq2[string, error] {
		return texts(view.Metadata(ctx), func(f trust.File) string { return f.Name })
	},
	"delegated roles": func(ctx context.Context, view *trust.View) iter.Seq2[string, error] {
		return texts(view.DelegatedRoles(ctx), func(s trust.RoleStatus) string { return s.Role })
	},
}

func texts[T any](list iter.Seq2[T, error], text func(T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for item, err := range list {
			if !yield(text(item), err) {
				return
			}
		}
	}
}

// read takes at most n of a list, and tells what came: the error, if there was
// one, last.
func read(t *testing.T, list iter.Seq2[string, error], n int) (all []string, last error) {
	t.Helper()
	for text, err := range list {
		if last != nil {
			t.Errorf("%q, %v came after the error %v", text, err, last)
		}
		if all, last = append(all, text), err; len(all) == n {
			break
		}
	}
	return all, last
}

// branching is a repository with two roots and some delegated roles.
func branching(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}},
		testrepo.DelegatedRole{Name: "other", Paths: []string{"other/*"}},
	)
	b.delegate("team", testrepo.DelegatedRole{Name: "below", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	b.add("team/b", "below")
	b.add("other/a", "other")
	b.add("other/b", "other")
	must(t, b.repo.RotateRoot())
	b.publish()
	return b
}

// Whoever has seen enough of a list is given no more of it, whenever that is;
// what was fetched on the way is stored, and the whole list can be had later.
func TestListThatIsLeftEarly(t *testing.T) {
	t.Parallel()
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := branching(t)
			b.delegate("team", testrepo.DelegatedRole{Name: "beside", Paths: []string{"team/*"}})
			b.publish()
			whole, err := read(t, list(t.Context(), b.mustRefresh()), -1)
			must(t, err)
			for n := 1; n <= len(whole); n++ {
				b.config.Store = newPolice(t, &trust.MemStore{})
				part, err := read(t, list(t.Context(), b.mustRefresh()), n)
				must(t, err)
				if name != "delegated roles" && !slices.Equal(part, whole[:n]) {
					t.Errorf("the first %d: expected %q, found %q", n, whole[:n], part)
				}
				fetched := len(b.remote.requests())
				again, err := read(t, list(t.Context(), b.mustRefresh()), n)
				must(t, err)
				// The next root and the timestamp are asked for each time.
				if asked := b.remote.requests(); len(asked) != 2 || !slices.Equal(again, part) {
					t.Errorf("the first %d again: expected no other request (before: %d), found %q and %q", n, fetched, asked, again)
				}
			}
		})
	}
}

// What a disk that fails holds back is told, once and last, and is no shorter
// list.
func TestListOnADiskThatFails(t *testing.T) {
	t.Parallel()
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := branching(t)
			view := b.mustRefresh()
			empty := b.store.Entries()
			_, err := read(t, list(t.Context(), view), -1)
			must(t, err)
			if _, err := view.Target(t.Context(), "team/none"); !errors.Is(err, trust.ErrNoTarget) {
				t.Fatal(err)
			}
			for what, entries := range map[string]map[string][]byte{"nothing held": empty, "all held": b.store.Entries()} {
				for _, kind := range operations {
					for at := 0; ; at++ {
						disk := &broken{Store: copyOf(t, entries), kind: kind, at: 1 << 30, complain: func(string) {}}
						disk.state = disk.Store.(*trust.MemStore).Entries
						view, err := b.with(disk).Refresh(t.Context())
						must(t, err)
						disk.at = disk.count + at
						_, err = read(t, list(t.Context(), view), -1)
						if !disk.failed {
							must(t, err)
							break
						}
						if !errors.Is(err, errDisk) {
							t.Errorf("%s, %s %d fails: expected the error of the disk, found %v", what, kind, at, err)
						}
					}
				}
			}
		})
	}
}

// A view that has expired lists no target, and says why.
func TestListOfAnExpiredView(t *testing.T) {
	t.Parallel()
	b := branching(t)
	_, err := read(t, lists["targets"](t.Context(), b.mustRefresh()), -1)
	must(t, err)
	b.now = b.now.Add(30 * 24 * time.Hour)
	view := mustOffline(t, b)
	for _, name := range []string{"targets", "metadata"} {
		if all, err := read(t, lists[name](t.Context(), view), -1); !errors.Is(err, trust.ErrExpired) || !slices.Equal(all, []string{""}) {
			t.Errorf("%s: expected ErrExpired alone, found %q, %v", name, all, err)
		}
	}
}

// A target that can't be looked up, as its role is too deep, is not left out of
// the list in silence.
func TestListOfATargetThatIsTooDeep(t *testing.T) {
	t.Parallel()
	b := branching(t)
	b.config.Limits.Roles = 1
	view := b.mustRefresh()
	if _, err := view.Target(t.Context(), "team/b"); !errors.Is(err, trust.ErrSearchLimit) {
		t.Errorf("looked up: expected ErrSearchLimit, found %v", err)
	}
	all, err := read(t, lists["targets"](t.Context(), view), -1)
	if !errors.Is(err, trust.ErrSearchLimit) || slices.Contains(all, "team/b") {
		t.Errorf("listed: expected ErrSearchLimit at the end, found %q, %v", all, err)
	}
}

// The list of files is that of the view, also when another process has accepted
// newer roots since; and it is none at all where the given root is damaged.
func TestMetadataOfAViewThatWasOvertaken(t *testing.T) {
	t.Parallel()
	b := branching(t)
	view := b.mustRefresh()
	want, err := read(t, lists["metadata"](t.Context(), view), -1)
	must(t, err)
	must(t, b.repo.RotateRoot())
	b.mustRefresh()
	if all, err := read(t, lists["metadata"](t.Context(), view), -1); err != nil || !slices.Equal(all, want) || want[1] != "2.root.json" {
		t.Errorf("expected %q, found %q, %v", want, all, err)
	}
	b.put(rootKey(1), []byte("{}"))
	if all, err := read(t, lists["metadata"](t.Context(), view), -1); !errors.Is(err, trust.ErrState) || len(all) != 1 {
		t.Errorf("without the given root: expected ErrState alone, found %q, %v", all, err)
	}
}

// A long list stores what it fetches now and then, and goes on; nobody counts
// the transactions of a short one.
func TestLongListIsStoredInParts(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("takes long with the race detector, and runs nothing at once")
	}
	b := newBench(t, testrepo.Options{})
	bins := testrepo.Bins{Prefix: "bin", BitLength: 8}
	b.delegate("targets", testrepo.DelegatedRole{Name: "binned", Paths: []string{"*/*"}})
	must(t, b.repo.DelegateBins("binned", bins))
	for i := range 300 {
		path := fmt.Sprintf("f/%d", i)
		b.add(path, testrepo.BinOf(bins, path))
	}
	b.publish()
	b.config.Store = b.store // the police would look at each signature
	b.mustRefresh()
	entries := b.store.Entries()
	list := func(fail int) (all []string, disk *faulty, err error) {
		disk = &faulty{Store: copyOf(t, entries), at: -1, how: refused}
		view, err := b.with(disk).Refresh(t.Context())
		must(t, err)
		b.remote.requests()
		disk.count, disk.at = 0, fail
		all, err = read(t, lists["targets"](t.Context(), view), -1)
		return all, disk, err
	}
	// 257 roles: 256, and the last.
	if all, disk, err := list(-1); err != nil || len(all) != 301 || disk.count != 2 {
		t.Errorf("expected 301 targets by 2 transactions, found %d by %d, %v", len(all), disk.count, err)
	}
	if _, _, err := list(0); !errors.Is(err, errDisk) {
		t.Errorf("the first transaction fails: expected its error, found %v", err)
	} else if asked := len(b.remote.requests()); asked != 256 {
		t.Errorf("the first transaction fails: expected nothing to be asked for behind it, found %d requests", asked)
	}
	if _, _, err := list(1); !errors.Is(err, errDisk) {
		t.Errorf("the second transaction fails: expected its error, found %v", err)
	}
}

// A snapshot lists what bins are called, and what only looks like it: that is no
// bin of anybody.
func TestStrangersBesideBins(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.DelegateBins("targets", testrepo.Bins{Prefix: "bin", BitLength: 5}))
	strangers := []string{"bin-20", "bin-ff", "bin-1F", "bin-1", "bin-001", "bin-", "bin", "1f", "-1f", "xbin-1f", "bin-1f ", "bin-zz", "bin-+1", "bin-1000000000000001f", "BIN-1f"}
	must(t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) {
		for _, name := range strangers {
			s.(*metadata.SnapshotType).Meta[name+".json"] = metadata.MetaFile(1)
		}
	}}))
	b.publish()
	view := b.mustRefresh()
	var names []string
	for role, err := range view.DelegatedRoles(t.Context()) {
		must(t, err)
		if role.Keys > 0 { // somebody delegates to it
			names = append(names, role.Role)
		}
	}
	if len(names) != 32 || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(strangers, name) }) {
		t.Errorf("expected the 32 bins, found %q", names)
	}
	b.remote.requests()
	if all, err := read(t, lists["targets"](t.Context(), view), -1); err != nil || !slices.Equal(all, []string{"a.txt"}) {
		t.Errorf("expected a.txt, found %q, %v", all, err)
	}
	if asked := b.remote.requests(); len(asked) != 32 || slices.ContainsFunc(asked, func(name string) bool { return strings.HasSuffix(name, "bin-20.json") }) {
		t.Errorf("expected the 32 bins to be asked for, found %q", asked)
	}
}
