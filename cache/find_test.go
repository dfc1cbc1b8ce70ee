package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

const someRevision = "0123456789abcdef0123456789abcdef01234567"

// describe stores a blob of the text and describes it.
func describe(t *testing.T, s *Store, text string, f Facts) artifact.Digest {
	t.Helper()
	f.Digest = store(t, s, []byte(text)).Digest()
	f.Product = text
	if err := s.Describe(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	return f.Digest
}

// find gives the products of what is found, each with the names and versions of
// the components.
func find(t *testing.T, s *Store, q Query) string {
	t.Helper()
	var found []string
	for m, err := range s.Find(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		text := m.Product
		for _, c := range m.Matched {
			text += ":" + c.Name + "@" + c.Version
		}
		found = append(found, text)
	}
	return strings.Join(found, " ")
}

func is(want string) func(string) bool { return func(found string) bool { return found == want } }

// has is a question for a part of a licence expression.
func has(part string) func(string) bool {
	return func(expression string) bool {
		return strings.Contains(strings.ToLower(expression), strings.ToLower(part))
	}
}

// stocked has three artifacts, which share some components.
func stocked(t *testing.T) *Store {
	t.Helper()
	s := open(t, t.TempDir())
	text2 := Component{Name: "golang.org/x/text", Version: "v0.3.7", PURL: "pkg:golang/golang.org/x/text@v0.3.7", License: "BSD-3-Clause"}
	ssl := Component{Name: "OpenSSL", Version: "3.0.1", License: "(Apache-2.0 OR MIT) AND Zlib", Names: []string{"openssl", "debian/openssl"}}
	describe(t, s, "alpha", Facts{
		Version: "1.0", Builder: "https://builder/1", Source: "https://code/alpha", Revision: strings.ToUpper(someRevision),
		Signers: []string{"a@example.com", "b@example.com"}, License: "MIT", Components: []Component{text2, ssl},
	})
	describe(t, s, "beta", Facts{
		Builder: "https://builder/2", Revision: "0123456fff", Signers: []string{"b@example.com"}, License: "GPL-2.0-only",
		Components: []Component{{Name: "golang.org/x/text", Version: "v0.4.0"}, ssl, ssl},
	})
	describe(t, s, "gamma", Facts{})
	return s
}

func TestFind(t *testing.T) {
	s := stocked(t)
	for name, test := range map[string]struct {
		query Query
		want  string
	}{
		"whole name":            {Query{Name: "golang.org/x/text"}, "alpha:golang.org/x/text@v0.3.7 beta:golang.org/x/text@v0.4.0"},
		"last segment":          {Query{Name: "Text"}, "alpha:golang.org/x/text@v0.3.7 beta:golang.org/x/text@v0.4.0"},
		"part of a segment":     {Query{Name: "tex"}, ""},
		"two segments":          {Query{Name: "x/text"}, ""},
		"given name":            {Query{Name: "debian/OpenSSL"}, "alpha:OpenSSL@3.0.1 beta:OpenSSL@3.0.1"},
		"version":               {Query{Name: "text", Keep: func(c Component) bool { return c.Version == "v0.4.0" }}, "beta:golang.org/x/text@v0.4.0"},
		"kept alone":            {Query{Keep: func(c Component) bool { return c.PURL != "" }}, "alpha:golang.org/x/text@v0.3.7"},
		"component and licence": {Query{Name: "openssl", License: has("bsd-3-clause")}, ""},
		"component's licence":   {Query{Name: "text", License: has("BSD-3-clause")}, "alpha:golang.org/x/text@v0.3.7"},
		"licence of either":     {Query{License: has("MIT")}, "alpha:OpenSSL@3.0.1 beta:OpenSSL@3.0.1"},
		"licence in an AND":     {Query{License: has("zlib")}, "alpha:OpenSSL@3.0.1 beta:OpenSSL@3.0.1"},
		"artifact's licence":    {Query{License: has("gpl")}, "beta"},
		"no licence":            {Query{License: has("")}, "alpha:golang.org/x/text@v0.3.7:OpenSSL@3.0.1 beta:OpenSSL@3.0.1"},
		"revision":              {Query{Revision: someRevision}, "alpha"},
		"short revision":        {Query{Revision: "0123456"}, "alpha beta"},
		"revision, upper case":  {Query{Revision: "0123456F"}, "beta"},
		"other revision":        {Query{Revision: "1234567"}, ""},
		"builder":               {Query{Builder: is("https://builder/2")}, "beta"},
		"signer":                {Query{Signer: is("b@example.com")}, "alpha beta"},
		"any signer":            {Query{Signer: func(string) bool { return true }}, "alpha beta"},
		"all of it":             {Query{Name: "text", Revision: "01234567", Builder: is("https://builder/1"), Signer: is("a@example.com")}, "alpha:golang.org/x/text@v0.3.7"},
		"all but one":           {Query{Name: "text", Revision: "01234567", Builder: is("https://builder/2")}, ""},
		"nothing known":         {Query{Name: "nothing", Signer: is("b@example.com")}, ""},
	} {
		if got := find(t, s, test.query); got != test.want {
			t.Errorf("%s: expected %q, found %q", name, test.want, got)
		}
	}
	if got := find(t, open(t, t.TempDir()), Query{Name: "x"}); got != "" {
		t.Errorf("expected nothing in an empty cache, found %q", got)
	}
}

func TestFindRefuses(t *testing.T) {
	s := stocked(t)
	for name, q := range map[string]Query{
		"nothing asked":  {},
		"short revision": {Revision: "012345"},
		"no revision":    {Revision: "main-branch"},
	} {
		count := 0
		for m, err := range s.Find(t.Context(), q) {
			if count++; !errors.Is(err, ErrInvalid) || m.Product != "" {
				t.Errorf("%s: expected %v, found %+v, %v", name, ErrInvalid, m, err)
			}
		}
		if count != 1 {
			t.Errorf("%s: expected one error, found %d", name, count)
		}
	}
}

// TestFindGivesUp: a search ends with its context, in the file and between matches.
func TestFindGivesUp(t *testing.T) {
	s := stocked(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	count := 0
	for _, err := range s.Find(ctx, Query{Name: "text"}) {
		cancel()
		last = err
		count++
	}
	if !errors.Is(last, context.Canceled) || count != 2 {
		t.Errorf("expected one match and %v, found %d and %v", context.Canceled, count, last)
	}
	for _, err := range s.Find(ctx, Query{Name: "text"}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("expected %v, found %v", context.Canceled, err)
		}
	}
	for range s.Find(t.Context(), Query{Name: "text"}) {
		break // and nothing goes on
	}
}

func TestFacts(t *testing.T) {
	s := stocked(t)
	want := Facts{
		Repository: "acme", Target: "t", Product: "delta", Version: "1", Platform: "linux/amd64", Builder: "b", Source: "s", Revision: "r",
		Signers: []string{"x"}, License: "MIT",
		Components: []Component{{Name: "n", Version: "v", PURL: "p", License: "l", Names: []string{"m"}}, {Name: "o"}},
	}
	want.Digest = describe(t, s, "delta", want)
	got, found, err := s.Facts(t.Context(), want.Digest)
	if err != nil || !found || !reflect.DeepEqual(got, want) {
		t.Errorf("expected\n%+v, found\n%+v, %v, %v", want, got, found, err)
	}
	none := artifact.DigestOf(artifact.SHA256, []byte("none"))
	if _, found, err := s.Facts(t.Context(), none); found || err != nil {
		t.Errorf("expected no facts, found %v, %v", found, err)
	}
	for d, want := range map[artifact.Digest]bool{want.Digest: true, none: false} {
		if found, err := s.Described(t.Context(), d); found != want || err != nil {
			t.Errorf("described: expected %v, found %v, %v", want, found, err)
		}
	}
	if left, err := s.Undescribed(t.Context(), []artifact.Digest{none, want.Digest, none}); err != nil || !slices.Equal(left, []artifact.Digest{none, none}) {
		t.Errorf("expected %v twice, found %v, %v", none, left, err)
	}
	// The same again is not written.
	before, err := os.Stat(s.facts.path)
	if err != nil {
		t.Fatal(err)
	}
	describe(t, s, "delta", want)
	if after, err := os.Stat(s.facts.path); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the same facts were written again: %v", err)
	}
}

func TestDescribeRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	held := store(t, s, bytesA).Digest()
	long, many := strings.Repeat("x", maxFactText+1), make([]string, maxFactList+1)
	for name, test := range map[string]struct {
		facts Facts
		want  error
	}{
		"no digest":       {Facts{}, ErrInvalid},
		"not held":        {Facts{Digest: artifact.DigestOf(artifact.SHA256, []byte("none"))}, ErrMissing},
		"long text":       {Facts{Digest: held, Builder: long}, ErrInvalid},
		"long signer":     {Facts{Digest: held, Signers: []string{long}}, ErrInvalid},
		"many signers":    {Facts{Digest: held, Signers: many}, ErrInvalid},
		"long purl":       {Facts{Digest: held, Components: []Component{{PURL: long}}}, ErrInvalid},
		"many names":      {Facts{Digest: held, Components: []Component{{Names: many}}}, ErrInvalid},
		"many components": {Facts{Digest: held, Components: make([]Component, maxComponents+1)}, ErrInvalid},
	} {
		if err := s.Describe(t.Context(), test.facts); !errors.Is(err, test.want) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
	}
	if found, err := s.Described(t.Context(), held); found || err != nil {
		t.Errorf("expected nothing kept, found %v, %v", found, err)
	}
}

// counts are the numbers of entries in the buckets of facts.db.
func counts(t *testing.T, s *Store) map[string]int {
	t.Helper()
	all := map[string]int{}
	err := s.facts.run(t.Context(), false, func(tx *bbolt.Tx) error {
		for _, name := range factsBuckets() {
			all[string(name)] = 0
			if err := tx.Bucket(name).ForEach(func(_, _ []byte) error { all[string(name)]++; return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDescribeReplaces: other facts about a blob leave nothing of those before.
func TestDescribeReplaces(t *testing.T) {
	s := stocked(t)
	before := counts(t, s)
	describe(t, s, "gamma", Facts{
		Builder: "b", Revision: "cafecafecafe", Signers: []string{"s"}, License: "MIT AND ISC",
		Components: []Component{{Name: "OpenSSL", Version: "3.0.1", License: "(Apache-2.0 OR MIT) AND Zlib", Names: []string{"openssl", "debian/openssl"}}, {Name: "own", License: "ISC"}},
	})
	if got, want := find(t, s, Query{Name: "own"})+" "+find(t, s, Query{Revision: "cafecafe"}), "gamma:own@ gamma"; got != want {
		t.Errorf("expected %q, found %q", want, got)
	}
	if after := counts(t, s); after["components"] != before["components"]+1 || after["artifacts"] != before["artifacts"] {
		t.Errorf("expected one component more and no artifact, found %v and then %v", before, after)
	}
	describe(t, s, "gamma", Facts{})
	if after := counts(t, s); !reflect.DeepEqual(after, before) {
		t.Errorf("expected the entries of before, %v, found %v", before, after)
	}
}

// TestRemovedBlobHasNoFacts: what is gone is not found, and Verify forgets it.
func TestRemovedBlobHasNoFacts(t *testing.T) {
	s := stocked(t)
	for _, text := range []string{"alpha", "beta", "gamma"} {
		if err := os.Remove(s.path(artifact.DigestOf(artifact.SHA256, []byte(text)))); err != nil {
			t.Fatal(err)
		}
		if got := find(t, s, Query{Name: "openssl"}); strings.Contains(got, text) {
			t.Errorf("%s is not held, but was found: %q", text, got)
		}
	}
	if report, err := s.Verify(t.Context(), nil); err != nil || len(report.Missing) != 3 {
		t.Fatalf("expected three missing, found %+v, %v", report, err)
	}
	for bucket, n := range counts(t, s) {
		if n != 0 {
			t.Errorf("%d entries are left in %s", n, bucket)
		}
	}
}

// TestDamagedFacts damages facts.db in many ways: it is set aside or gives what
// was written, the blobs are as they were, and describing again heals it.
func TestDamagedFacts(t *testing.T) {
	s := stocked(t)
	whole, err := os.ReadFile(s.facts.path)
	if err != nil {
		t.Fatal(err)
	}
	want := find(t, s, Query{Name: "openssl"})
	size := os.Getpagesize()
	damages := map[string][]byte{"empty": nil, "garbage": []byte("garbage"), "cut": whole[:3*size]}
	for at := 0; at < len(whole); at += 509 {
		flipped := slices.Clone(whole)
		flipped[at] ^= 0x41
		damages[fmt.Sprintf("byte %d", at)] = flipped
	}
	for name, data := range damages {
		if err := os.WriteFile(s.facts.path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		fresh := open(t, s.dir)
		got := find(t, fresh, Query{Name: "openssl"})
		aside, _ := filepath.Glob(s.facts.path + ".damaged-*")
		if got != want && len(aside) == 0 && !strings.HasPrefix(name, "byte") {
			t.Errorf("%s: expected %q or the file set aside, found %q", name, want, got)
		}
		describe(t, fresh, "gamma", Facts{Builder: name})
		if got := find(t, fresh, Query{Builder: is(name)}); got != "gamma" {
			t.Errorf("%s: expected it to be healed, found %q", name, got)
		}
		if list, err := fresh.List(t.Context()); err != nil || len(list) != 3 {
			t.Errorf("%s: expected three blobs, found %d, %v", name, len(list), err)
		}
		for _, path := range aside {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDamagedFactsEntry: a value that does not fit its checksum has the file set
// aside, whoever meets it.
func TestDamagedFactsEntry(t *testing.T) {
	for _, bucket := range [][]byte{bucketArtifacts, bucketComponents, bucketParts} {
		s := stocked(t)
		err := s.facts.run(t.Context(), true, func(tx *bbolt.Tx) error {
			var keys, values [][]byte
			err := tx.Bucket(bucket).ForEach(func(key, value []byte) error {
				value = slices.Clone(value)
				value[len(value)-1] ^= 1
				keys, values = append(keys, slices.Clone(key)), append(values, value)
				return nil
			})
			for i, key := range keys {
				err = errors.Join(err, tx.Bucket(bucket).Put(key, values[i]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := find(t, s, Query{Name: "openssl"}); got != "" {
			t.Errorf("%s: expected nothing, found %q", bucket, got)
		}
		if aside, _ := filepath.Glob(s.facts.path + ".damaged-*"); len(aside) != 1 {
			t.Errorf("%s: expected the file set aside, found %q", bucket, aside)
		}
		describe(t, s, "beta", Facts{Builder: "b"})
		if got := find(t, s, Query{Builder: is("b")}); got != "beta" {
			t.Errorf("%s: expected it healed, found %q", bucket, got)
		}
	}
}

func TestNewerFacts(t *testing.T) {
	s := stocked(t)
	err := s.facts.run(t.Context(), true, func(tx *bbolt.Tx) error { return tx.Bucket(bucketFormat).Put(keyVersion, []byte("2")) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Described(t.Context(), artifact.DigestOf(artifact.SHA256, []byte("alpha"))); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
}
