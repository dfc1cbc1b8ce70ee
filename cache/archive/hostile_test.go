package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
	"assay/cache"
)

// entry is one of an archive that is made by hand.
type entry struct {
	tar.Header
	text []byte
}

func file(name string, text []byte) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)), Mode: 0o444}, text}
}

func pack(t testing.TB, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := e.Header
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// honest gives the entries of an archive of two blobs, the first with evidence.
func honest(t testing.TB) (entries []entry, m manifest) {
	t.Helper()
	m = manifest{Schema: schema}
	texts := map[artifact.Digest][]byte{}
	for _, text := range []string{"one", "two"} {
		d := artifact.DigestOf(artifact.SHA256, []byte(text))
		texts[d] = []byte(text)
		m.Blobs = append(m.Blobs, manifestBlob{Digest: d, Length: int64(len(text)), Names: []cache.Name{{Product: text}}})
	}
	slices.SortFunc(m.Blobs, func(a, b manifestBlob) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	evidence, err := Evidence(m.Blobs[0].Digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Blobs[0].Evidence = int64(len(evidence))
	entries = append(entries, file(manifestName, nil))
	for _, b := range m.Blobs {
		entries = append(entries, file(b.blobName(), texts[b.Digest]))
	}
	entries = append(entries, file(m.Blobs[0].evidenceName(), evidence))
	announce(t, entries, m)
	return entries, m
}

// announce puts a manifest into the first entry.
func announce(t testing.TB, entries []entry, m manifest) {
	t.Helper()
	text, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	entries[0] = file(manifestName, text)
}

// TestHostileArchive: each is refused for what it is. The blobs that came before
// the fault, and no others, are held.
func TestHostileArchive(t *testing.T) {
	for what, test := range map[string]struct {
		change func(e []entry, m manifest) []entry
		want   error
		held   int
		says   string
	}{
		"honest":       {func(e []entry, _ manifest) []entry { return e }, nil, 2, ""},
		"empty":        {func(e []entry, _ manifest) []entry { return nil }, ErrArchive, 0, "found the end"},
		"no manifest":  {func(e []entry, _ manifest) []entry { return e[1:] }, ErrArchive, 0, "expected the file assay-cache.json"},
		"wrong bytes":  {func(e []entry, _ manifest) []entry { e[2].text = []byte("xxx"); return e }, cache.ErrMismatch, 1, "blobs/sha256/"},
		"blob twice":   {func(e []entry, _ manifest) []entry { return slices.Insert(e, 2, e[1]) }, ErrArchive, 1, "expected the file blobs/sha256/"},
		"other order":  {func(e []entry, _ manifest) []entry { e[1], e[2] = e[2], e[1]; return e }, ErrArchive, 0, "expected the file"},
		"missing blob": {func(e []entry, _ manifest) []entry { return slices.Delete(e, 2, 3) }, ErrArchive, 1, "expected the file"},
		"no evidence":  {func(e []entry, _ manifest) []entry { return e[:3] }, ErrArchive, 2, "found the end"},
		"one more": {func(e []entry, _ manifest) []entry { return append(e, file("blobs/x", nil)) }, ErrArchive, 2,
			"expected its end"},
		"path out of it": {func(e []entry, _ manifest) []entry { e[1].Name = "../" + e[1].Name; return e }, ErrArchive, 0, "expected the file"},
		"absolute path":  {func(e []entry, _ manifest) []entry { e[1].Name = "/" + e[1].Name; return e }, ErrArchive, 0, "expected the file"},
		"unclean path":   {func(e []entry, _ manifest) []entry { e[1].Name = "./" + e[1].Name; return e }, ErrArchive, 0, "expected the file"},
		"symbolic link": {func(e []entry, _ manifest) []entry {
			e[1] = entry{tar.Header{Typeflag: tar.TypeSymlink, Name: e[1].Name, Linkname: "/etc/passwd"}, nil}
			return e
		}, ErrArchive, 0, "of type '2'"},
		"hard link": {func(e []entry, _ manifest) []entry {
			e[2] = entry{tar.Header{Typeflag: tar.TypeLink, Name: e[2].Name, Linkname: e[1].Name}, nil}
			return e
		}, ErrArchive, 1, "of type '1'"},
		"device": {func(e []entry, _ manifest) []entry {
			e[1] = entry{tar.Header{Typeflag: tar.TypeBlock, Name: e[1].Name}, nil}
			return e
		}, ErrArchive, 0, "of type '4'"},
		"folder": {func(e []entry, _ manifest) []entry {
			return slices.Insert(e, 1, entry{tar.Header{Typeflag: tar.TypeDir, Name: "blobs/"}, nil})
		}, ErrArchive, 0, "of type '5'"},
		"global record": {func(e []entry, _ manifest) []entry {
			return slices.Insert(e, 1, entry{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"size": "1"}}, nil})
		}, ErrArchive, 0, "of type 'g'"},
		"strange record": {func(e []entry, _ manifest) []entry {
			e[1].PAXRecords = map[string]string{"VENDOR.x": "1"}
			return e
		}, ErrArchive, 0, "VENDOR.x"},
		"file with a link's target": {func(e []entry, _ manifest) []entry {
			e[1].Linkname = "/etc/passwd"
			return e
		}, ErrArchive, 0, "expected the file"},
		"GNU form": {func(e []entry, _ manifest) []entry { e[1].Format = tar.FormatGNU; return e }, ErrArchive, 0, "USTAR or PAX"},
		"shorter": {func(e []entry, _ manifest) []entry { e[1].text = e[1].text[:2]; e[1].Size--; return e }, ErrArchive, 0,
			"expected 3 bytes"},
		"longer": {func(e []entry, _ manifest) []entry { e[1].text = []byte("more"); e[1].Size++; return e }, ErrArchive, 0,
			"expected 3 bytes"},
		"longer manifest":  {announced(func(m *manifest) { m.Blobs[0].Length++ }), ErrArchive, 0, "expected 4 bytes"},
		"over the quota":   {announced(func(m *manifest) { m.Blobs[0].Length = 1 << 40 }), ErrQuota, 0, "at most 1000"},
		"sum overflows":    {announced(func(m *manifest) { m.Blobs[0].Length, m.Blobs[1].Length = 1<<62, 1<<62 }), ErrArchive, 0, "below 2^63"},
		"negative length":  {announced(func(m *manifest) { m.Blobs[0].Length = -3 }), ErrArchive, 0, "0 or more"},
		"digest twice":     {announced(func(m *manifest) { m.Blobs[1] = m.Blobs[0] }), ErrArchive, 0, "each once"},
		"digests in order": {announced(func(m *manifest) { slices.Reverse(m.Blobs) }), ErrArchive, 0, "ascending"},
		"no digest":        {announced(func(m *manifest) { m.Blobs[0].Digest = artifact.Digest{} }), ErrArchive, 0, "digest"},
		"much evidence":    {announced(func(m *manifest) { m.Blobs[1].Evidence = maxEvidence + 1 }), ErrArchive, 0, "evidence"},
		"less than none":   {announced(func(m *manifest) { m.Blobs[1].Evidence = -1 }), ErrArchive, 0, "evidence"},
		"evidence, longer": {announced(func(m *manifest) { m.Blobs[0].Evidence++ }), ErrArchive, 2, "as assay-cache.json says"},
		"evidence, less":   {announced(func(m *manifest) { m.Blobs[0].Evidence-- }), ErrArchive, 2, "expected at most"},
		"more evidence":    {announced(func(m *manifest) { m.Blobs[1].Evidence = 5 }), ErrArchive, 2, "found the end"},
		"many names":       {announced(func(m *manifest) { m.Blobs[0].Names = make([]cache.Name, maxNames+1) }), ErrArchive, 0, "names"},
		"long name":        {announced(func(m *manifest) { m.Blobs[0].Names[0].File = strings.Repeat("f", 9000) }), cache.ErrInvalid, 1, "8192"},
		"newer":            {announced(func(m *manifest) { m.Schema = "assay.cache-export/v2" }), ErrNewer, 0, "v2"},
		"other schema":     {announced(func(m *manifest) { m.Schema = "other/v1" }), ErrArchive, 0, "other/v1"},
		"member added":     {replaced(`"length":3`, `"length":3,"more":1`), ErrArchive, 0, "added"},
		"member twice":     {replaced(`"length":3`, `"length":3,"length":3`), ErrArchive, 0, "length"},
		"folded case":      {replaced(`"length":3`, `"length":3,"Length":3`), ErrArchive, 0, "added"},
		"null":             {replaced(`"length":3`, `"length":null`), ErrArchive, 0, "null"},
		"fraction":         {replaced(`"length":3`, `"length":3.5`), ErrArchive, 0, "3.5"},
		"space":            {replaced(`"length":3`, `"length": 3`), ErrArchive, 0, "added"},
		"deep":             {replaced(`"names":[{`, `"names":[[{`), ErrArchive, 0, ""},
		"large manifest": {func(e []entry, _ manifest) []entry {
			e[0] = file(manifestName, make([]byte, maxManifest+1))
			return e
		}, ErrArchive, 0, "at most"},
		"evidence of another": {func(e []entry, m manifest) []entry {
			e[3].text = bytes.Replace(e[3].text, []byte(m.Blobs[0].Digest.Hex()), []byte(m.Blobs[1].Digest.Hex()), 1)
			return e
		}, ErrArchive, 2, "that digest"},
		"evidence, more":     {evidenceText(strings.Replace, `"receipts"`, `"more":1,"receipts"`), ErrArchive, 2, "unknown field"},
		"evidence, twice":    {evidenceText(strings.Replace, `"receipts"`, `"receipts":[],"receipts"`), ErrArchive, 2, "receipts"},
		"evidence, schema":   {evidenceText(strings.Replace, `evidence/v1`, `evidence/v3`), ErrArchive, 2, "evidence/v3"},
		"evidence, garbage":  {evidenceText(strings.Replace, `{`, `[`), ErrArchive, 2, "evidence/"},
		"evidence, a number": {evidenceText(strings.Replace, `"receipts":null`, `"receipts":[1]`), ErrArchive, 2, "evidence/"},
	} {
		t.Run(what, func(t *testing.T) {
			entries, m := honest(t)
			text := pack(t, test.change(entries, m))
			dir := t.TempDir()
			s := open(t, dir)
			_, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1000})
			if test.want == nil && err != nil || !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("expected %v that says %q, found %v", test.want, test.says, err)
			}
			if got := files(t, filepath.Join(dir, "blobs")); len(got) != test.held {
				t.Errorf("expected %d blobs, found %q", test.held, got)
			}
			if got := files(t, filepath.Join(dir, "staging")); len(got) != 0 {
				t.Errorf("expected nothing staged, found %q", got)
			}
			if got := files(t, filepath.Join(dir, "damaged")); len(got) != 0 {
				t.Errorf("expected nothing set aside, found %q", got)
			}
		})
	}
}

// TestImpossibleManifest: the bounds that no small archive comes near.
func TestImpossibleManifest(t *testing.T) {
	_, m := honest(t)
	one := m.Blobs[0]
	many := manifest{Schema: schema, Blobs: make([]manifestBlob, maxBlobs+1)}
	negative := manifest{Schema: schema, Blobs: []manifestBlob{{Digest: one.Digest, Length: -1}}}
	evidence := manifest{Schema: schema}
	for i := range maxEvidences/maxEvidence + 1 {
		evidence.Blobs = append(evidence.Blobs, manifestBlob{Digest: artifact.DigestOf(artifact.SHA256, []byte{byte(i)}), Evidence: maxEvidence})
	}
	slices.SortFunc(evidence.Blobs, func(a, b manifestBlob) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	for says, m := range map[string]manifest{"blobs": many, "0 or more": negative, "of evidence": evidence} {
		if err := m.check(); !errors.Is(err, ErrArchive) || !strings.Contains(err.Error(), says) {
			t.Errorf("expected %v that says %q, found %v", ErrArchive, says, err)
		}
	}
	evidence.Blobs = evidence.Blobs[1:]
	if err := evidence.check(); err != nil {
		t.Errorf("expected as much as is allowed to pass, found %v", err)
	}
}

// TestNoTar: bytes that are none, at the beginning and at the end.
func TestNoTar(t *testing.T) {
	entries, _ := honest(t)
	text := pack(t, entries)
	garbage := bytes.Repeat([]byte("garbage!"), 128)
	for held, text := range map[int][]byte{0: garbage, 2: append(bytes.Clone(text[:len(text)-1024]), garbage...)} {
		s := open(t, t.TempDir())
		imported, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1000})
		if !errors.Is(err, ErrArchive) || !errors.Is(err, tar.ErrHeader) || len(imported) != held {
			t.Errorf("expected %v and %d blobs, found %+v, %v", ErrArchive, held, imported, err)
		}
	}
}

// announced changes what is announced, and nothing else.
func announced(change func(*manifest)) func([]entry, manifest) []entry {
	return func(e []entry, m manifest) []entry {
		change(&m)
		text, err := m.encode()
		if err != nil {
			panic(err)
		}
		e[0] = file(manifestName, text)
		return e
	}
}

func replaced(old, new string) func([]entry, manifest) []entry {
	return func(e []entry, _ manifest) []entry {
		text := bytes.Replace(e[0].text, []byte(old), []byte(new), 1)
		e[0] = file(manifestName, text)
		return e
	}
}

// evidenceText changes the evidence, and announces its new length.
func evidenceText(replace func(s, old, new string, n int) string, old, new string) func([]entry, manifest) []entry {
	return func(e []entry, m manifest) []entry {
		text := replace(string(e[3].text), old, new, 1)
		e[3] = file(e[3].Name, []byte(text))
		return announced(func(m *manifest) { m.Blobs[0].Evidence = int64(len(text)) })(e, m)
	}
}

// TestForeignBlobIsNoHeldOne: an archive can't replace what is held, nor learn of it.
func TestForeignBlobIsNoHeldOne(t *testing.T) {
	entries, m := honest(t)
	s := open(t, t.TempDir())
	put(t, s, artifact.SHA256, entries[1].text, cache.Name{Product: "own"})
	entries[1].text = []byte("xxx")
	imported, err := Read(t.Context(), bytes.NewReader(pack(t, entries)), s, Options{Quota: 1000})
	if err != nil || len(imported) != 2 || !imported[0].Held {
		t.Fatalf("expected the held one passed by, found %+v, %v", imported, err)
	}
	blob, err := s.Get(m.Blobs[0].Digest)
	if err == nil {
		err = blob.Check(t.Context())
	}
	if err != nil {
		t.Error(err)
	}
	list, err := s.List(t.Context())
	for _, e := range list {
		if e.Digest == m.Blobs[0].Digest && (len(e.Names) != 1 || e.Names[0].Product != "own") {
			t.Errorf("expected its own name, found %v", e.Names)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// TestOtherLengthOfAHeldBlob: a held blob does not make an announced length right.
func TestOtherLengthOfAHeldBlob(t *testing.T) {
	entries, m := honest(t)
	s := open(t, t.TempDir())
	put(t, s, artifact.SHA256, entries[1].text)
	m.Blobs[0].Length++
	announce(t, entries, m)
	entries[1] = file(m.Blobs[0].blobName(), append(entries[1].text, 'x'))
	if imported, err := Read(t.Context(), bytes.NewReader(pack(t, entries)), s, Options{Quota: 1000}); !errors.Is(err, cache.ErrMismatch) || len(imported) != 0 {
		t.Errorf("expected %v, found %+v, %v", cache.ErrMismatch, imported, err)
	}
	wantWhole(t, s)
}

func FuzzDecodeManifest(f *testing.F) {
	entries, _ := honest(f)
	f.Add(entries[0].text)
	f.Add([]byte(`{"schema":"assay.cache-export/v1","blobs":[]}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := decodeManifest(text)
		if err != nil {
			if !errors.Is(err, ErrArchive) && !errors.Is(err, ErrNewer) {
				t.Errorf("expected %v, found %v", ErrArchive, err)
			}
			return
		}
		if again, err := m.encode(); err != nil || !bytes.Equal(again, text) || m.total() < 0 {
			t.Errorf("expected nothing but what is written, found %q for %q", again, text)
		}
	})
}
