package trust_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"

	"assay/internal/testrepo"
	"assay/trust"
)

// refusals are the errors that hostile bytes may end with.
var refusals = []error{
	trust.ErrMalformed, trust.ErrTooLarge, trust.ErrSignature, trust.ErrRootChain, trust.ErrRollback,
	trust.ErrMismatch, trust.ErrExpired, trust.ErrNoMetadata,
}

// spliced is data with something else in the place of some bytes. The keys of a
// test are random, so that whole files could never be seeds; a splice of what
// was signed can be, and reaches any bytes as well.
func spliced(data []byte, at, cut uint16, insert []byte) []byte {
	from := min(int(at), len(data))
	to := min(from+int(cut), len(data))
	return slices.Concat(data[:from], insert, data[to:])
}

// saysTheSame reports whether the signed part of two files is the same, as the
// canonical form has it.
func saysTheSame(one, two []byte) bool {
	canonical := func(raw []byte) []byte {
		var file map[string]json.RawMessage
		var signed any
		decoder := json.NewDecoder(bytes.NewReader(raw))
		if decoder.Decode(&file) != nil {
			return nil
		}
		decoder = json.NewDecoder(bytes.NewReader(file["signed"]))
		decoder.UseNumber()
		if decoder.Decode(&signed) != nil {
			return nil
		}
		text, err := cjson.EncodeCanonical(signed)
		if err != nil {
			return nil
		}
		return text
	}
	a, b := canonical(one), canonical(two)
	return a != nil && bytes.Equal(a, b)
}

// hostileBench is a repository of which nothing is known by hash, so that only
// signatures stand between a mirror and the client, with news of every role.
func hostileBench(t *testing.T) (b *bench, held map[string][]byte) {
	b = newBench(t, testrepo.Options{NoMetaHashes: true, Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.publish()
	b.mustRefresh()
	held = b.store.Entries()
	must(t, b.repo.PublishRoot())
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.add("team/a", "team")
	b.publish()
	return b, held
}

// Whatever a mirror makes of one file: it is refused, with nothing moved below
// what was accepted before it; or it says what was signed, and all of it.
func FuzzRefresh(f *testing.F) {
	names := []string{"timestamp.json", "3.snapshot.json", "3.targets.json", "2.root.json", "2.team.json"}
	var once sync.Once
	var b *bench
	var held, honest map[string][]byte
	book := &casebook{}
	f.Fuzz(func(t *testing.T, which uint8, at, cut uint16, insert []byte) {
		once.Do(func() {
			b, held = hostileBench(t)
			honest = b.repo.Files(0)
		})
		name := names[int(which)%len(names)]
		if honest[name] == nil {
			t.Fatalf("%s is not there: the test tests nothing", name)
		}
		data := spliced(honest[name], at, cut, insert)
		store := copyOf(t, held)
		mirror := &remote{repo: b.repo}
		mirror.replace(name, data)
		config := b.config
		config.Remote, config.Store = mirror, newPolice(t, store, book)
		r, err := trust.Open(config)
		must(t, err)
		view, err := r.Refresh(t.Context())
		if err == nil {
			_, err = view.Target(t.Context(), "team/a")
		}
		if err == nil {
			if !saysTheSame(data, honest[name]) {
				t.Errorf("%s was accepted, and says something else than was signed: %q", name, data)
			}
			if diff := rolesThatDiffer(view, b); len(diff) > 0 {
				t.Errorf("%s: accepted with other versions of %q", name, diff)
			}
			return
		}
		if !slices.ContainsFunc(refusals, func(kind error) bool { return errors.Is(err, kind) }) {
			t.Errorf("%s: expected a refusal, found %v", name, err)
		}
		config.Remote = &remote{repo: b.repo}
		if r, err = trust.Open(config); err == nil {
			_, err = r.Refresh(t.Context())
		}
		if err != nil {
			t.Errorf("%s: the honest mirror afterwards: %v", name, err)
		}
	})
}

// rolesThatDiffer lists the top-level roles that are not of the newest version.
func rolesThatDiffer(view *trust.View, b *bench) (names []string) {
	for _, role := range view.Roles() {
		if role.Version != b.repo.Version(role.Role) {
			names = append(names, role.Role)
		}
	}
	return names
}

// Whatever lies under one key of the state: the refresh heals it or says that it
// is damaged, and a mirror that serves what is old gains nothing.
func FuzzStoredState(f *testing.F) {
	var once sync.Once
	var b *bench
	var entries map[string][]byte
	var keys []string
	book := &casebook{}
	f.Fuzz(func(t *testing.T, which uint8, other string, at, cut uint16, insert []byte) {
		once.Do(func() {
			b, _ = hostileBench(t)
			promisedBy(t, b.mustRefresh(), "team/a", "team")
			entries = b.store.Entries()
			keys = keysInOrder(t, entries)
		})
		state := maps.Clone(entries)
		key := keys[int(which)%len(keys)]
		if other != "" {
			key = other // one that is not there, perhaps
		}
		state[key] = spliced(state[key], at, cut, insert)
		for _, generation := range []int{b.repo.Generation() - 1, 0} {
			store := copyOf(t, state)
			config := b.config
			config.Remote, config.Store = &remote{repo: b.repo, generation: generation}, newPolice(t, store, book)
			r, err := trust.Open(config)
			must(t, err)
			view, err := r.Refresh(t.Context())
			if err == nil {
				_, err = view.Target(t.Context(), "team/a")
			}
			switch {
			case err == nil && generation != 0:
				t.Errorf("%s: what is old was accepted", key)
			case err == nil:
				if diff := rolesThatDiffer(view, b); len(diff) > 0 {
					t.Errorf("%s: accepted with other versions of %q", key, diff)
				}
			case !errors.Is(err, trust.ErrState) && (generation == 0 || !errors.Is(err, trust.ErrRollback)):
				t.Errorf("%s: expected ErrState, found %v", key, err)
			case errors.Is(err, trust.ErrState) && !lost(key) && entries[key] != nil:
				t.Errorf("%s: expected it to heal, found %v", key, err)
			}
		}
	})
}

// keysInOrder are the keys of a state in an order that is the same for any keys
// of roles, whose digests differ from one test to the next.
func keysInOrder(t *testing.T, entries map[string][]byte) (keys []string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if !strings.HasPrefix(key, prefixMeta) {
			keys = append(keys, key)
		}
	}
	for _, role := range []string{"timestamp", "snapshot", "targets", "team"} {
		fields, err := record(readOnly(entries), prefixRole+role)
		must(t, err)
		keys = append(keys, prefixMeta+sumIn(fields, "sum"))
	}
	return keys
}
