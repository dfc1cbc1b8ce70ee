package trust_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
)

// The same content in other bytes is stored in those bytes, as the complete set
// names them.
func TestTimestampInOtherBytes(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.remote.replace("timestamp.json", append(b.repo.Files(0)["timestamp.json"], ' '))
	b.mustRefresh()
	promisedBy(t, mustOffline(t, b), "a.txt", "targets")
}

// What had expired when it came is refused by its name, and not stored.
func TestRoleThatComesExpired(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first %v", role, first), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, testrepo.Options{})
				if !first {
					b.mustRefresh()
				}
				before := b.store.Entries()["role/"+role]
				must(t, b.repo.SetExpiry(role, -time.Hour))
				b.publish()
				var expired *trust.ExpiredError
				if err := b.refuses(trust.ErrExpired); !errors.As(err, &expired) || expired.Role != role || expired.Version != 2 {
					t.Errorf("expected %s 2 to have expired, found %v", role, err)
				}
				if after := b.store.Entries()["role/"+role]; string(after) != string(before) {
					t.Errorf("expected %q to stay, found %q", before, after)
				}
			})
		}
	}
}

// A refresh with nothing new does not look for what could be swept away: there
// may be thousands of roles.
func TestNothingNewSweepsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	for _, prefix := range []string{prefixMeta, prefixRole} {
		counter := &broken{Store: b.config.Store, kind: opKeys, under: prefix, at: -1, state: b.store.Entries}
		_, err := b.with(counter).Refresh(t.Context())
		must(t, err)
		if counter.count != 0 {
			t.Errorf("expected no list of keys under %s, found %d", prefix, counter.count)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*trust.Config)
		want   string
	}{
		"no name":          {func(c *trust.Config) { c.Name = "" }, "needs a name and a store"},
		"no store":         {func(c *trust.Config) { c.Store = nil }, "needs a name and a store"},
		"a negative grace": {func(c *trust.Config) { c.Grace = -time.Second }, "grace: expected at most 168h0m0s, found -1s"},
		"too long a grace": {func(c *trust.Config) { c.Grace = trust.MaxGrace + 1 }, "grace: expected at most 168h0m0s, found 168h0m0.000000001s"},
	} {
		config := trust.Config{Name: "acme", Store: &trust.MemStore{}, Grace: trust.MaxGrace}
		if _, err := trust.Open(config); err != nil {
			t.Fatal(err)
		}
		test.change(&config)
		if r, err := trust.Open(config); err == nil || !strings.Contains(err.Error(), test.want) || r != nil {
			t.Errorf("%s: expected %q, found %v", name, test.want, err)
		}
	}
}

// A damaged clock is what a reset is for.
func TestResetOfADamagedClock(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.put(keyClock, []byte("{}"))
	b.fails(trust.ErrState)
	if latest, err := b.open().ResetClock(t.Context()); err != nil || !latest.IsZero() {
		t.Errorf("expected nothing that was known, found %s, %v", latest, err)
	}
	b.mustRefresh()
}

// A given root that this program does not accept, as an older one may have, ends
// all that begins with it.
func TestStoredRootThatIsNoRoot(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*metadata.RootType){
		"another specification": func(s *metadata.RootType) { s.SpecVersion = "2.0.0" },
		"a role is missing":     func(s *metadata.RootType) { delete(s.Roles, "targets") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			b.config.Root, b.config.Store = nil, b.store // the police would rightly complain
			doc, err := metadata.Root().FromBytes(b.repo.Root())
			must(t, err)
			change(&doc.Signed)
			raw := signed(t, doc, b.repo.Keys("root"))
			sum, err := json.Marshal(artifact.DigestOf(artifact.SHA256, raw))
			must(t, err)
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error {
				return errors.Join(
					tx.Put("root/1", raw),
					edit(tx, keyGiven, func(fields map[string]any) { fields["sum"] = json.RawMessage(sum) }),
					edit(tx, "floor/root", func(fields map[string]any) { fields["sums"] = map[string]any{"1": json.RawMessage(sum)} }),
				)
			}))
			before := b.store.Entries()
			_, online := b.refresh()
			_, offline := b.open().Offline(t.Context())
			for name, err := range map[string]error{"refresh": online, "offline": offline} {
				if !errors.Is(err, trust.ErrMalformed) {
					t.Errorf("%s: expected ErrMalformed, found %v", name, err)
				}
			}
			if diff := differ(before, b.store.Entries()); len(diff) > 0 {
				t.Errorf("a refused refresh changed %q", diff)
			}
		})
	}
}
