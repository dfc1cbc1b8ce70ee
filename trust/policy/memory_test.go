package policy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/trust"
	"assay/trust/policy"
)

// release is good in another version, with other bytes.
func release(version string) policy.Subject {
	s := good()
	v, err := artifact.ParseVersion(version)
	if err != nil {
		panic(err)
	}
	s.Version, s.Target, s.Digests = v, "hello/"+version+"/hello.tar.gz", digestsOf("hello "+version)
	for i := range s.Signatures {
		s.Signatures[i].Artifact = s.Digests[0]
	}
	return s
}

// bare is a release without any proof.
func bare(version string) policy.Subject {
	s := release(version)
	s.Signatures, s.HasSBOM, s.Agreed = nil, false, nil
	return s
}

func newMemory(t *testing.T, subjects ...policy.Subject) (*policy.Memory, *trust.MemStore) {
	t.Helper()
	store := &trust.MemStore{}
	m := policy.NewMemory(store)
	for _, s := range subjects {
		if err := m.Record(t.Context(), s, now()); err != nil {
			t.Fatal(err)
		}
	}
	return m, store
}

// update runs fn in a transaction, and fails the test with its error.
func update(t *testing.T, store *trust.MemStore, fn func(trust.Tx) error) {
	t.Helper()
	if err := store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func unchanged(store *trust.MemStore, repository, path string, digests artifact.Digests) (check trust.Check, err error) {
	err = store.View(context.Background(), func(tx trust.Tx) error {
		check, err = policy.CheckUnchanged(tx, repository, path, digests)
		return err
	})
	return check, err
}

func ratchet(store *trust.MemStore, s policy.Subject, at time.Time) (check trust.Check, err error) {
	err = store.View(context.Background(), func(tx trust.Tx) error {
		check, err = policy.CheckRatchet(tx, s, at)
		return err
	})
	return check, err
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	_, store := newMemory(t, release("1.0.0"))
	s := release("1.0.0")
	long := artifact.DigestOf(artifact.SHA512, []byte("hello 1.0.0"))
	both, err := artifact.NewDigests(s.Digests[0], long)
	both = must(t, both, err)

	check, err := unchanged(store, "acme", s.Target, s.Digests)
	if err != nil || check.Result != trust.Pass || check.ID != "release.unchanged" || !strings.Contains(check.Expected, "2026-03-01T12:00:00Z") {
		t.Errorf("expected a pass, found %+v, %v", check, err)
	}
	check, err = unchanged(store, "acme", "hello/9.9.9/hello.tar.gz", s.Digests)
	if err != nil || check.Result != trust.NotChecked || check.Why != "not seen before" {
		t.Errorf("expected what was never seen not to be checked, found %+v, %v", check, err)
	}
	for name, digests := range map[string]artifact.Digests{
		"other bytes":         digestsOf("evil"),
		"no common algorithm": {long},
		"one of two":          {s.Digests[0], artifact.DigestOf(artifact.SHA512, []byte("evil"))},
	} {
		_, store := newMemory(t, release("1.0.0"))
		if name == "one of two" {
			again := release("1.0.0")
			again.Digests = both
			update(t, store, func(tx trust.Tx) error { return policy.Record(tx, again, now().Add(day)) })
		}
		check, err := unchanged(store, "acme", s.Target, digests)
		var changed *policy.ChangedError
		if !errors.Is(err, policy.ErrChanged) || !errors.As(err, &changed) || check.Result != trust.Fail {
			t.Errorf("%s: expected %v, found %+v, %v", name, policy.ErrChanged, check, err)
			continue
		}
		for _, d := range append(slices.Clone(changed.Seen), digests...) {
			if !strings.Contains(err.Error(), d.String()) {
				t.Errorf("%s: expected %s in %v", name, d, err)
			}
		}
		if !changed.At.Equal(now()) {
			t.Errorf("%s: expected the time of the first sight, found %s", name, changed.At)
		}
	}
	// From then on either algorithm will do.
	again := release("1.0.0")
	again.Digests = both
	update(t, store, func(tx trust.Tx) error { return policy.Record(tx, again, now().Add(day)) })
	if check, err := unchanged(store, "acme", s.Target, artifact.Digests{long}); err != nil || check.Result != trust.Pass {
		t.Errorf("expected the other algorithm to be remembered, found %+v, %v", check, err)
	}
}

// What was changed is not recorded either, and no waiver helps.
func TestChangedBytesAreNotRecorded(t *testing.T) {
	t.Parallel()
	m, store := newMemory(t, release("1.0.0"))
	before := store.Entries()
	s := release("1.0.0")
	s.Digests = digestsOf("evil")
	if err := m.Record(t.Context(), s, now()); !errors.Is(err, policy.ErrChanged) {
		t.Errorf("expected %v, found %v", policy.ErrChanged, err)
	}
	if after := store.Entries(); !slices.Equal(keysOf(before), keysOf(after)) || string(before[keysOf(before)[0]]) != string(after[keysOf(before)[0]]) {
		t.Error("it was recorded")
	}
	if _, err := m.Waive(t.Context(), s.Digests[0], "it is fine", now().Add(day), "ana", now()); err != nil {
		t.Fatal(err)
	}
	checks, err := m.Check(t.Context(), s, now())
	if !errors.Is(err, policy.ErrChanged) || len(checks) != 1 || checks[0].Result != trust.Fail {
		t.Errorf("expected %v in spite of a waiver, found %v, %v", policy.ErrChanged, checks, err)
	}
}

func keysOf(entries map[string][]byte) []string {
	var keys []string
	for key := range entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// No name reaches the memory of another.
func TestKeysThatWouldCollide(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é/", 3000)
	places := [][2]string{
		{"acme", "a/b"}, {"acme/a", "b"}, {"acme", "a%2Fb"}, {"acme%2Fa", "b"}, {"acme", "a//b"}, {"acme", "A/b"}, {"acme", "a"}, {"acme", "a\x00"},
		{"acme", long}, {"acme", long + "x"}, {"acme", "%%" + artifact.DigestOf(artifact.SHA256, []byte(long)).Hex()},
	}
	_, store := newMemory(t)
	for i, place := range places {
		s := release("1.0.0")
		s.Repository, s.Target, s.Digests = place[0], place[1], digestsOf(strings.Repeat("x", i))
		update(t, store, func(tx trust.Tx) error { return policy.Record(tx, s, now()) })
	}
	for i, place := range places {
		if check, err := unchanged(store, place[0], place[1], digestsOf(strings.Repeat("x", i))); err != nil || check.Result != trust.Pass {
			t.Errorf("%.40q: expected its own digest, found %+v, %v", place, check, err)
		}
	}
	for key := range store.Entries() {
		if len(key) > 4096 || strings.ContainsAny(key, "\x00\n") {
			t.Errorf("expected a short, plain key, found %.80q", key)
		}
	}
}

func TestNothingToRemember(t *testing.T) {
	t.Parallel()
	_, store := newMemory(t)
	for name, change := range map[string]func(*policy.Subject){
		"no repository": func(s *policy.Subject) { s.Repository = "" },
		"no path":       func(s *policy.Subject) { s.Target = "" },
		"no digest":     func(s *policy.Subject) { s.Digests = nil },
	} {
		s := release("1.0.0")
		change(&s)
		_, err := unchanged(store, s.Repository, s.Target, s.Digests)
		recorded := store.Update(t.Context(), func(tx trust.Tx) error { return policy.Record(tx, s, now()) })
		for _, err := range []error{err, recorded} {
			if err == nil || !strings.Contains(err.Error(), "expected a repository, a target path and digests") {
				t.Errorf("%s: expected it to be refused, found %v", name, err)
			}
		}
	}
	if len(store.Entries()) > 0 {
		t.Errorf("expected nothing, found %v", keysOf(store.Entries()))
	}
}

// A newer release may not have less proof than an older one had.
func TestRatchet(t *testing.T) {
	t.Parallel()
	noProvenance := release("1.5.0")
	noProvenance.Signatures = []policy.Signature{byKey("acme")}
	for name, test := range map[string]struct {
		seen    []policy.Subject
		next    policy.Subject
		result  trust.Result
		lacking []policy.Kind
	}{
		"as much":                       {[]policy.Subject{release("1.4.0")}, release("1.5.0"), trust.Pass, nil},
		"none was seen":                 {nil, bare("1.0.0"), trust.NotChecked, nil},
		"none had any":                  {[]policy.Subject{bare("1.0.0")}, bare("1.1.0"), trust.Pass, nil},
		"provenance dropped":            {[]policy.Subject{release("1.4.0")}, noProvenance, trust.Fail, []policy.Kind{policy.KindProvenance, policy.KindRebuild}},
		"all dropped":                   {[]policy.Subject{release("1.4.0")}, bare("1.5.0"), trust.Fail, []policy.Kind{policy.KindSignature, policy.KindProvenance, policy.KindSBOM, policy.KindAgreement, policy.KindRebuild}},
		"an older one":                  {[]policy.Subject{release("1.4.0")}, bare("1.3.9"), trust.Pass, nil},
		"the same again":                {[]policy.Subject{release("1.4.0")}, bare("1.4.0"), trust.Pass, nil},
		"another build of it":           {[]policy.Subject{release("1.4.0")}, bare("1.4.0+7"), trust.Fail, nil},
		"the one without a build":       {[]policy.Subject{release("1.4.0+7")}, bare("1.4.0"), trust.Fail, nil},
		"another build with as much":    {[]policy.Subject{release("1.4.0")}, release("1.4.0+7"), trust.Pass, nil},
		"the same build again":          {[]policy.Subject{release("1.4.0+7")}, bare("1.4.0+7"), trust.Pass, nil},
		"a release candidate with it":   {[]policy.Subject{release("1.4.0-rc.1")}, bare("1.4.0"), trust.Fail, nil},
		"between two that had it":       {[]policy.Subject{release("1.4.0"), release("2.0.0")}, bare("1.4.1"), trust.Fail, nil},
		"between, seen the other way":   {[]policy.Subject{release("2.0.0"), release("1.4.0")}, bare("1.4.1"), trust.Fail, nil},
		"after one that dropped it all": {[]policy.Subject{release("1.4.0"), bare("1.5.0")}, bare("1.6.0"), trust.Fail, nil},
		"numbers, not text":             {[]policy.Subject{release("1.9.0")}, bare("1.10.0"), trust.Fail, nil},
	} {
		_, store := newMemory(t, test.seen...)
		check, err := ratchet(store, test.next, now())
		if check.Result != test.result || check.ID != "proof.ratchet" || (err != nil) != (test.result == trust.Fail) {
			t.Errorf("%s: expected %s, found %+v, %v", name, test.result, check, err)
		}
		if test.result != trust.Fail {
			continue
		}
		var weaker *policy.WeakerError
		if !errors.Is(err, policy.ErrWeaker) || !errors.As(err, &weaker) {
			t.Errorf("%s: expected %v, found %v", name, policy.ErrWeaker, err)
			continue
		}
		var kinds []policy.Kind
		for _, l := range weaker.Lacking {
			kinds = append(kinds, l.Kind)
		}
		if test.lacking != nil && !slices.Equal(kinds, test.lacking) || !strings.Contains(err.Error(), "as "+weaker.Lacking[0].Since.String()+" had") {
			t.Errorf("%s: expected that %v lack, found %v, %v", name, test.lacking, kinds, err)
		}
	}
}

// Strangers' provenances are no rebuild: to count them would have them refuse the
// next honest release. Nor is a rebuild asked for where no rule names rebuilders
// any more.
func TestRatchetOfRebuilds(t *testing.T) {
	t.Parallel()
	without := func(version string) policy.Subject {
		s := release(version)
		s.Rebuilders = nil
		return s
	}
	one := func(version string) policy.Subject {
		s := release(version)
		s.Rebuilders = s.Rebuilders[:1]
		return s
	}
	alone := release("1.5.0")
	alone.Signatures = alone.Signatures[:3]
	for name, test := range map[string]struct {
		seen, next policy.Subject
		lacking    []policy.Kind
	}{
		"named":                   {release("1.4.0"), alone, []policy.Kind{policy.KindRebuild}},
		"strangers":               {without("1.4.0"), alone, nil},
		"one named, one stranger": {one("1.4.0"), alone, nil},
		"strangers now":           {release("1.4.0"), one("1.5.0"), []policy.Kind{policy.KindRebuild}},
		"named no more":           {release("1.4.0"), without("1.5.0"), nil},
	} {
		_, store := newMemory(t, test.seen)
		check, err := ratchet(store, test.next, now())
		var weaker *policy.WeakerError
		var found []policy.Kind
		if errors.As(err, &weaker) {
			for _, l := range weaker.Lacking {
				found = append(found, l.Kind)
			}
		}
		asked := strings.Contains(check.Expected, string(policy.KindRebuild))
		if !slices.Equal(found, test.lacking) || asked != (test.lacking != nil) {
			t.Errorf("%s: expected that %v lack, found %+v, %v", name, test.lacking, check, err)
		}
	}
}

// A path that tells no version is no way around the proof that versions had, and
// is no version that others are compared with.
func TestRatchetWithoutVersion(t *testing.T) {
	t.Parallel()
	_, store := newMemory(t, release("1.0.0"))
	s := bare("2.0.0")
	s.Version, s.Target = artifact.Version{}, "hello/latest/hello.tgz"
	check, err := ratchet(store, s, now())
	var weaker *policy.WeakerError
	if !errors.As(err, &weaker) || check.Result != trust.Fail || !strings.Contains(err.Error(), "hello of no version that its path tells: weaker proof than before") {
		t.Errorf("expected less proof than before to be refused, found %+v, %v", check, err)
	}
	kinds := string(store.Entries()["kinds/acme/hello"])
	s = release("2.0.0")
	s.Version = artifact.Version{}
	if check, err := ratchet(store, s, now()); err != nil || check.Result != trust.Pass {
		t.Errorf("expected as much proof as before to pass, found %+v, %v", check, err)
	}
	update(t, store, func(tx trust.Tx) error { return policy.Record(tx, s, now()) })
	if found := string(store.Entries()["kinds/acme/hello"]); found != kinds {
		t.Errorf("expected the kinds of proof to stay %s, found %s", kinds, found)
	}
}

// The proof of one product says nothing of another, nor of the same name in
// another repository.
func TestRatchetOfAnother(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*policy.Subject){
		"product":    func(s *policy.Subject) { s.Product = "hello2" },
		"repository": func(s *policy.Subject) { s.Repository = "acme2" },
		"no product": func(s *policy.Subject) { s.Product = "" },
		"no place":   func(s *policy.Subject) { s.Repository = "" },
	} {
		_, store := newMemory(t, release("1.0.0"))
		s := bare("2.0.0")
		change(&s)
		why := "it is of no product in a repository"
		if s.Product == "hello2" || s.Repository == "acme2" {
			why = "no version was seen before"
		}
		if check, err := ratchet(store, s, now()); err != nil || check.Result != trust.NotChecked || check.Why != why {
			t.Errorf("%s: expected it not to be checked, found %+v, %v", name, check, err)
		}
		if s.Repository == "" || why == "no version was seen before" {
			continue
		}
		before := len(store.Entries())
		kinds := string(store.Entries()["kinds/acme/hello"])
		s = release("2.0.0")
		change(&s)
		update(t, store, func(tx trust.Tx) error { return policy.Record(tx, s, now()) })
		for _, key := range keysOf(store.Entries()) {
			if strings.HasPrefix(key, "kinds/") && (key != "kinds/acme/hello" || string(store.Entries()[key]) != kinds) {
				t.Errorf("%s: its kinds are remembered under %s", name, key)
			}
		}
		if name == "no product" && len(store.Entries()) != before+1 {
			t.Errorf("%s: expected its bytes to be remembered", name)
		}
	}
}

func TestWaiver(t *testing.T) {
	t.Parallel()
	m, store := newMemory(t, release("1.4.0"))
	s, until := bare("1.5.0"), now().Add(30*day)
	w, err := m.Waive(t.Context(), s.Digests[0], "signing was down, see #12", until, "ana", now())
	if err != nil || w.Until != until || w.At != now() {
		t.Fatalf("%+v, %v", w, err)
	}
	check, err := ratchet(store, s, until.Add(-time.Second))
	if err != nil || check.Result != trust.NotChecked || check.Why != "waived by ana until 2026-03-31T12:00:00Z: signing was down, see #12" {
		t.Errorf("expected the waiver to be told of, found %+v, %v", check, err)
	}
	if checks, err := m.Check(t.Context(), s, now()); err != nil || len(checks) != 2 {
		t.Errorf("expected two checks, found %v, %v", checks, err)
	}
	for name, test := range map[string]struct {
		s  policy.Subject
		at time.Time
	}{
		"ended":            {s, until},
		"of other bytes":   {bare("1.6.0"), now()},
		"of an older file": {func() policy.Subject { o := bare("1.5.0"); o.Digests = digestsOf("x"); return o }(), now()},
	} {
		if check, err := ratchet(store, test.s, test.at); !errors.Is(err, policy.ErrWeaker) || check.Result != trust.Fail {
			t.Errorf("%s: expected %v, found %+v, %v", name, policy.ErrWeaker, check, err)
		}
	}
	// What was waived once does not lower what the next must have.
	if err := m.Record(t.Context(), s, now()); err != nil {
		t.Fatal(err)
	}
	if _, err := ratchet(store, bare("1.5.1"), now()); !errors.Is(err, policy.ErrWeaker) {
		t.Errorf("expected %v, found %v", policy.ErrWeaker, err)
	}
	// It helps against no rule.
	if got := failing(t, newPolicy(t, policy.Rule{Require: []policy.Kind{policy.KindSBOM}}), s); got == nil {
		t.Error("expected the policy to refuse in spite of a waiver")
	}
	if list, err := m.Waivers(t.Context()); err != nil || len(list) != 1 || list[0] != w {
		t.Errorf("expected %v, found %v, %v", w, list, err)
	}
}

func TestWaiversThatCannotBe(t *testing.T) {
	t.Parallel()
	d, good := digestsOf("x")[0], "signing was down"
	for name, test := range map[string]struct {
		digest     artifact.Digest
		reason, by string
		until      time.Time
		says       string
	}{
		"no digest":         {artifact.Digest{}, good, "ana", now().Add(day), "a digest"},
		"no reason":         {d, "", "ana", now().Add(day), "a reason in one line"},
		"a blank reason":    {d, " \u00a0", "ana", now().Add(day), "a reason in one line"},
		"a long reason":     {d, strings.Repeat("x", policy.MaxReason+1), "ana", now().Add(day), "at most 1024 bytes, found 1025"},
		"two lines":         {d, "a\nb", "ana", now().Add(day), "a reason in one line"},
		"an escape":         {d, "a\x1b[2J", "ana", now().Add(day), "a reason in one line"},
		"no UTF-8":          {d, "a\xff", "ana", now().Add(day), "a reason in one line"},
		"a line separator":  {d, "a\u2028b", "ana", now().Add(day), "a reason in one line"},
		"nobody":            {d, good, "", now().Add(day), "who waives"},
		"a long name":       {d, good, strings.Repeat("x", 257), now().Add(day), "who waives of at most 256"},
		"no end":            {d, good, "ana", time.Time{}, "an end after"},
		"ends now":          {d, good, "ana", now(), "an end after"},
		"ended":             {d, good, "ana", now().Add(-day), "an end after"},
		"more than 90 days": {d, good, "ana", now().Add(policy.MaxWaiver + time.Second), "at most 90d later"},
		"for ever":          {d, good, "ana", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "at most 90d later"},
	} {
		m, store := newMemory(t)
		w, err := m.Waive(t.Context(), test.digest, test.reason, test.until, test.by, now())
		if !errors.Is(err, policy.ErrWaiver) || !strings.Contains(err.Error(), test.says) || strings.ContainsAny(err.Error(), "\n\x1b") || w != (policy.Waiver{}) {
			t.Errorf("%s: expected %v and %q, found %v", name, policy.ErrWaiver, test.says, err)
		}
		if len(store.Entries()) > 0 {
			t.Errorf("%s: it was stored", name)
		}
	}
	m, _ := newMemory(t)
	if _, err := m.Waive(t.Context(), d, strings.Repeat("x", policy.MaxReason), now().Add(policy.MaxWaiver), "ana", now()); err != nil {
		t.Errorf("expected the longest waiver to be taken, found %v", err)
	}
}

// What is damaged is never taken for "never seen".
func TestDamagedMemory(t *testing.T) {
	t.Parallel()
	s := bare("1.5.0")
	fill := func() *trust.MemStore {
		m, store := newMemory(t, release("1.4.0"))
		if err := m.Record(t.Context(), s, now()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Waive(t.Context(), s.Digests[0], "why", now().Add(day), "ana", now()); err != nil {
			t.Fatal(err)
		}
		return store
	}
	harms := map[string]func(value, other []byte) []byte{
		"a flipped bit":  func(v, _ []byte) []byte { v[len(v)/2] ^= 1; return v },
		"cut short":      func(v, _ []byte) []byte { return v[:len(v)-1] },
		"empty":          func([]byte, []byte) []byte { return []byte{} },
		"null":           func([]byte, []byte) []byte { return []byte("null") },
		"another record": func(_, other []byte) []byte { return other },
	}
	keys := keysOf(fill().Entries())
	for i, key := range keys {
		for name, harm := range harms {
			store := fill()
			entries := store.Entries()
			update(t, store, func(tx trust.Tx) error { return tx.Put(key, harm(entries[key], entries[keys[(i+1)%len(keys)]])) })
			m := policy.NewMemory(store)
			_, err := m.Check(t.Context(), s, now())
			if strings.HasPrefix(key, "seen/") && !strings.Contains(key, "1.5.0") {
				_, err = m.Check(t.Context(), release("1.4.0"), now())
			}
			if !errors.Is(err, policy.ErrMemory) || errors.Is(err, policy.ErrWeaker) {
				t.Errorf("%s, %s: expected %v, found %v", key, name, policy.ErrMemory, err)
			}
			if strings.HasPrefix(key, "waiver/") {
				if list, err := m.Waivers(t.Context()); !errors.Is(err, policy.ErrMemory) || list != nil {
					t.Errorf("%s, %s: expected %v of the list, found %v", key, name, policy.ErrMemory, err)
				}
				continue
			}
			of := s
			if strings.Contains(key, "1.4.0") {
				of = release("1.4.0")
			}
			if err := m.Record(t.Context(), of, now()); !errors.Is(err, policy.ErrMemory) {
				t.Errorf("%s, %s: expected %v of Record, found %v", key, name, policy.ErrMemory, err)
			}
		}
	}
	if len(keys) != 4 {
		t.Errorf("expected two paths, one product and one waiver, found %v", keys)
	}
}

// A store that fails is heard, and nothing is written that is there already.
func TestStoreThatFails(t *testing.T) {
	t.Parallel()
	_, store := newMemory(t, release("1.4.0"))
	both := release("1.4.0")
	both.Digests = append(both.Digests, artifact.DigestOf(artifact.SHA512, []byte("hello 1.4.0")))
	waived := bare("1.5.0")
	waived.Digests = both.Digests
	for name, test := range map[string]struct {
		operations int // get, put, keys
		run        func(trust.Tx) error
	}{
		"a new version":   {4, func(tx trust.Tx) error { return policy.Record(tx, release("1.5.0"), now()) }},
		"the same again":  {2, func(tx trust.Tx) error { return policy.Record(tx, release("1.4.0"), now()) }},
		"one more digest": {3, func(tx trust.Tx) error { return policy.Record(tx, both, now()) }},
		"unchanged": {1, func(tx trust.Tx) error {
			_, err := policy.CheckUnchanged(tx, "acme", both.Target, both.Digests)
			return err
		}},
		"ratchet": {3, func(tx trust.Tx) error {
			_, err := policy.CheckRatchet(tx, waived, now())
			if errors.Is(err, policy.ErrWeaker) {
				return nil
			}
			return err
		}},
		"waive": {1, func(tx trust.Tx) error {
			_, err := policy.Waive(tx, digestsOf("x")[0], "why", now().Add(day), "ana", now())
			return err
		}},
		"waivers": {1, func(tx trust.Tx) error { _, err := policy.Waivers(tx); return err }},
	} {
		tx := &failingTx{entries: store.Entries(), at: -1}
		if err := test.run(tx); err != nil || tx.done != test.operations {
			t.Errorf("%s: expected %d operations, found %d, %v", name, test.operations, tx.done, err)
		}
		for i := range test.operations {
			if err := test.run(&failingTx{entries: store.Entries(), at: i}); !errors.Is(err, errBroken) {
				t.Errorf("%s, operation %d: expected it to be heard, found %v", name, i, err)
			}
		}
	}
	// A time that can't be written is no reason to write none.
	m, store := newMemory(t)
	if err := m.Record(t.Context(), release("1.0.0"), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil || len(store.Entries()) > 0 {
		t.Errorf("expected an error, found %v and %v", err, keysOf(store.Entries()))
	}
}

var errBroken = errors.New("broken")

// failingTx fails at one operation, and writes nothing.
type failingTx struct {
	entries  map[string][]byte
	at, done int
}

func (f *failingTx) fail() error {
	f.done++
	if f.done == f.at+1 {
		return errBroken
	}
	return nil
}

func (f *failingTx) Get(key string) ([]byte, error) { return f.entries[key], f.fail() }
func (f *failingTx) Put(string, []byte) error       { return f.fail() }
func (f *failingTx) Delete(string) error            { return f.fail() }
func (f *failingTx) Keys(string) ([]string, error)  { return nil, f.fail() }
