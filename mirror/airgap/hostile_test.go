package airgap

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/plaintar"
	"assay/internal/testrepo"
	"assay/mirror"
)

// entry is one of a tar, to be made otherwise.
type entry struct {
	tar.Header
	data []byte
}

func entriesOf(t *testing.T, volume []byte) (list []entry) {
	t.Helper()
	for in := tar.NewReader(bytes.NewReader(volume)); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		must(t, err)
		data, err := io.ReadAll(in)
		must(t, err)
		list = append(list, entry{tar.Header{Typeflag: tar.TypeReg, Name: h.Name, Size: h.Size, Mode: 0o444}, data})
	}
}

func pack(t *testing.T, list []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range list {
		if e.Typeflag == tar.TypeReg {
			e.Size = int64(len(e.data))
		}
		must(t, w.WriteHeader(&e.Header))
		if e.Typeflag == tar.TypeReg {
			_, err := w.Write(e.data)
			must(t, err)
		}
	}
	must(t, w.Close())
	return out.Bytes()
}

// edited is a volume whose head and lists were made to fit what was changed.
func edited(t *testing.T, list []entry, change func(h *Head, contents []object) []object) []entry {
	t.Helper()
	list = append([]entry(nil), list...)
	h, err := decodeHead(list[0].data)
	must(t, err)
	contents, err := parseList(contentsName, list[1].data)
	must(t, err)
	list[1].data = encodeList(change(&h, contents))
	h.Volumes[h.Volume-1] = artifact.DigestOf(artifact.SHA256, list[1].data)
	h.Set, err = h.setID()
	must(t, err)
	list[0].data, err = h.encode()
	must(t, err)
	return list
}

// TestTricks: whatever is not the volume that an export writes is refused, and nothing
// of it stays.
func TestTricks(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	far := g.far()
	whole := g.export(g.near(), ExportOptions{})
	good := read(t, whole.Volumes[0])
	list := entriesOf(t, good)
	with := func(i int, e entry) []byte {
		changed := append([]entry(nil), list...)
		changed[i] = e
		return pack(t, changed)
	}
	plus := func(i int, e entry) []byte {
		changed := append([]entry(nil), list[:i]...)
		return pack(t, append(append(changed, e), list[i:]...))
	}
	rename := func(name string) []byte {
		return pack(t, edited(t, list, func(_ *Head, contents []object) []object { contents[0].name = name; return contents }))
	}
	reg := func(name, data string) entry {
		return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o444}, []byte(data)}
	}
	bent := func(kind byte, to string) entry {
		return entry{tar.Header{Typeflag: kind, Name: list[2].Name, Linkname: to}, nil}
	}
	flipped := bytes.Clone(good)
	flipped[bytes.Index(good, list[3].data)+len(list[3].data)/2] ^= 1
	record := reg(list[2].Name, string(list[2].data))
	record.PAXRecords = map[string]string{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": list[2].Name, "GNU.sparse.realsize": "99999999999"}
	var million []object
	for i := range 1_000_000 {
		million = append(million, object{fmt.Sprintf("metadata/%d.root.json", i), artifact.DigestOf(artifact.SHA256, nil), 0})
	}
	for name, volume := range map[string][]byte{
		"empty":                     {},
		"text":                      []byte("not a tar at all\n"),
		"no head":                   pack(t, list[1:]),
		"a flipped bit":             flipped,
		"trailing bytes":            append(bytes.Clone(good), 'x'),
		"an entry behind":           plus(len(list), reg("more", "x")),
		"an entry between":          plus(3, reg("../x", "x")),
		"twice the same":            plus(3, list[2]),
		"one left out":              pack(t, append(append([]entry(nil), list[:4]...), list[5:]...)),
		"two swapped":               pack(t, append([]entry{list[0], list[1], list[3], list[2]}, list[4:]...)),
		"a link":                    with(2, bent(tar.TypeSymlink, "/etc/passwd")),
		"a hard link":               with(2, bent(tar.TypeLink, "head.json")),
		"a device":                  with(2, bent(tar.TypeChar, "")),
		"a pipe":                    with(2, bent(tar.TypeFifo, "")),
		"a folder":                  with(2, bent(tar.TypeDir, "")),
		"a record of a sparse file": rawPAX(t, list, 2),
		"a huge header":             hugeHeader(t, list),
		"a path that climbs":        rename("metadata/../../../x.json"),
		"a path from the root":      rename("/metadata/x.json"),
		"a hidden name":             rename("metadata/.x.json"),
		"a backslash":               rename(`metadata/a\b.json`),
		"the name of a blob":        rename("blobs/sha256/" + strings.Repeat("0", 64)),
		"twins by their capitals": pack(t, edited(t, list, func(_ *Head, contents []object) []object {
			contents[1].name = strings.ToUpper(contents[0].name[:len("metadata/1.R")]) + contents[0].name[len("metadata/1.R"):]
			return contents
		})),
		"a million entries": pack(t, edited(t, list, func(*Head, []object) []object { return million })),
		"an edited head":    with(0, reg(headName, strings.Replace(string(list[0].data), `"generation":1`, `"generation":9`, 1))),
		"an edited list":    with(1, reg(contentsName, strings.Replace(string(list[1].data), "metadata/1.root.json", "metadata/2.root.json", 1))),
		"edited digests":    with(len(list)-2, reg(digestsName, "")),
		"edited elsewhere":  with(len(list)-1, reg(elsewhereName, "x\n")),
		"a wrong length": pack(t, edited(t, list, func(_ *Head, contents []object) []object {
			contents[2].length++
			return contents
		})),
		"another digest": pack(t, edited(t, list, func(_ *Head, contents []object) []object {
			contents[2].digest = contents[3].digest
			return contents
		})),
		"lengths beyond all": pack(t, edited(t, list, func(_ *Head, contents []object) []object {
			contents[0].length, contents[1].length = 1<<62, 1<<62
			return contents
		})),
	} {
		path := filepath.Join(g.dir, "trick.tar")
		must(t, os.WriteFile(path, volume, 0o600))
		_, err := far.bring(t.Context(), path)
		if !errors.Is(err, ErrVolume) && !errors.Is(err, plaintar.ErrForm) {
			t.Errorf("%s: expected %v or %v, found %v", name, ErrVolume, plaintar.ErrForm, err)
		}
		if len(fmt.Sprint(err)) > 1000 {
			t.Errorf("%s: expected a short message, found one of %d bytes", name, len(err.Error()))
		}
		g.untouched(far, 0)
	}
	for what, change := range map[string]struct {
		with string
		want error
	}{"a newer form": {`"schema":"assay.mirror.export/v2"`, ErrNewer}, "another repository": {`"schema":"assay.mirror.export/v1"`, mirror.ErrNoRepository}} {
		changed := edited(t, list, func(h *Head, contents []object) []object {
			if what == "another repository" {
				h.Repository = "other"
			}
			return contents
		})
		changed[0].data = bytes.Replace(changed[0].data, []byte(`"schema":"assay.mirror.export/v1"`), []byte(change.with), 1)
		path := filepath.Join(g.dir, "trick.tar")
		must(t, os.WriteFile(path, pack(t, changed), 0o600))
		if _, err := far.bring(t.Context(), path); !errors.Is(err, change.want) {
			t.Errorf("%s: expected %v, found %v", what, change.want, err)
		}
		g.untouched(far, 0)
	}
	_, err := far.bring(t.Context(), whole.Volumes...)
	must(t, err)
}

// rawPAX is a volume with an entry that has a record of a sparse file, which the
// standard library does not write.
func rawPAX(t *testing.T, list []entry, i int) []byte {
	t.Helper()
	changed := append([]entry(nil), list...)
	changed[i].PAXRecords = map[string]string{"ASSAY.note": "x"}
	packed := pack(t, changed)
	return bytes.Replace(packed, []byte(" ASSAY.note=x\n"), []byte(" GNU.spars=1x\n"), 1)
}

// hugeHeader is a volume with a header before its first entry that is longer than a
// reader should take.
func hugeHeader(t *testing.T, list []entry) []byte {
	t.Helper()
	volume := pack(t, append([]entry{{tar.Header{Typeflag: tar.TypeReg, Name: "pax"}, bytes.Repeat([]byte("x"), 8<<20)}}, list...))
	volume[156] = tar.TypeXHeader
	sum := 8 * int(' ')
	for i, b := range volume[:512] {
		if i < 148 || i >= 156 {
			sum += int(b)
		}
	}
	copy(volume[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return volume
}

// TestCutOff: a volume that ends early is refused wherever it ends, and the whole one
// goes on from there.
func TestCutOff(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	whole := g.export(near, ExportOptions{})
	good := read(t, whole.Volumes[0])
	path := filepath.Join(g.dir, "cut.tar")
	for range 20 {
		must(t, os.WriteFile(path, good[:rand.IntN(len(good)-1024)], 0o600))
		if _, err := far.bring(t.Context(), path); !errors.Is(err, plaintar.ErrForm) {
			t.Fatalf("expected %v, found %v", plaintar.ErrForm, err)
		}
		g.untouched(far, 0)
	}
	_, err := far.bring(t.Context(), whole.Volumes...)
	must(t, err)
	g.holds(near, far)
}

// TestVolumes: they come in any order, one by one; one that belongs elsewhere is told.
func TestVolumes(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	parts := g.export(near, ExportOptions{VolumeSize: 130_000})
	if len(parts.Volumes) < 3 {
		t.Fatalf("expected 3 volumes or more, found %q", parts.Volumes)
	}
	for _, path := range parts.Volumes {
		if n := len(read(t, path)); n > 130_000 {
			t.Errorf("%s: expected at most 130000 bytes, found %d", path, n)
		}
	}
	last := len(parts.Volumes) - 1
	var waiting *WaitingError
	for i := last; i > 0; i-- {
		for range 2 { // again is fine
			if _, err := far.bring(t.Context(), parts.Volumes[i]); !errors.As(err, &waiting) || len(waiting.Missing) != i || waiting.Missing[0] != 1 {
				t.Fatalf("expected volumes 1 to %d to be missing, found %v", i, err)
			}
		}
	}
	// The objects of one volume under the head of another.
	one, two := entriesOf(t, read(t, parts.Volumes[0])), entriesOf(t, read(t, parts.Volumes[1]))
	swapped := filepath.Join(g.dir, "swapped.tar")
	must(t, os.WriteFile(swapped, pack(t, append([]entry{one[0]}, two[1:]...)), 0o600))
	if _, err := far.bring(t.Context(), swapped); !errors.Is(err, ErrVolume) || !strings.Contains(err.Error(), "swapped") {
		t.Errorf("expected %v, found %v", ErrVolume, err)
	}
	// A volume of another set is of that set.
	again := g.export(near, ExportOptions{VolumeSize: 140_000})
	if _, err := far.bring(t.Context(), again.Volumes[0]); !errors.As(err, &waiting) || waiting.Set != again.Set {
		t.Errorf("expected the others of its set to be missing, found %v", err)
	}
	_, err := far.bring(t.Context(), parts.Volumes[0])
	must(t, err)
	g.holds(near, far)
	g.untouched(far, 1)
}

// TestTwo: one import at a time.
func TestTwo(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	whole := g.export(near, ExportOptions{})
	inbox, err := OpenInbox(filepath.Join(far.dir, "import"))
	must(t, err)
	if _, err := far.bring(t.Context(), whole.Volumes...); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	must(t, inbox.Close())
	_, err = far.bring(t.Context(), whole.Volumes...)
	must(t, err)
}

// TestNoRoom: what does not fit is refused before it is unpacked.
func TestNoRoom(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	far := g.far()
	whole := g.export(g.near(), ExportOptions{})
	opts := takeOptions()
	opts.Free = func() (int64, error) { return whole.Bytes - 1, nil }
	if _, err := far.bringBy(t.Context(), opts, func(string) {}, whole.Volumes...); !errors.Is(err, ErrNoRoom) {
		t.Errorf("expected %v, found %v", ErrNoRoom, err)
	}
	g.untouched(far, 0)
	opts.Free = func() (int64, error) { return whole.Bytes, nil }
	_, err := far.bringBy(t.Context(), opts, func(string) {}, whole.Volumes...)
	must(t, err)
}

// TestGivenUp: whoever gives up in the middle goes on later.
func TestGivenUp(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	whole := g.export(near, ExportOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	opts := takeOptions()
	opts.Progress = func(done, total int64) {
		if done > total/2 {
			cancel()
		}
	}
	if _, err := far.bringBy(ctx, opts, func(string) {}, whole.Volumes...); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	_, err := far.bring(t.Context(), whole.Volumes...)
	must(t, err)
	g.holds(near, far)
}

// TestLists: records and inventories that are none.
func TestLists(t *testing.T) {
	head := `{"schema":"` + RecordSchema + `","repository":"acme","generation":1,"export":"sha256:` + strings.Repeat("a", 64) + `","origins":["sha256:` + strings.Repeat("a", 64) + `"],"objects":1}` + "\n"
	line := "sha256:" + strings.Repeat("b", 64)
	for _, text := range []string{
		"", "x", "{}\n", strings.Replace(head, "record/v1", "other/v1", 1) + line + " 0\n", head, head + line + " 1\n", head + line + " -1\n", head + line + " 0",
		head + "sha256:x 0\n", head + line + " 0\n" + line + " 0\n", strings.Replace(head, `"objects"`, `"more":1,"objects"`, 1) + line + " 0\n",
	} {
		if _, err := ReadRecord(strings.NewReader(text)); !errors.Is(err, ErrVolume) {
			t.Errorf("%q: expected %v, found %v", text, ErrVolume, err)
		}
	}
	if _, err := ReadRecord(strings.NewReader(head + line + " 0\n")); err != nil {
		t.Error(err)
	}
	if _, err := ReadRecord(strings.NewReader(strings.Replace(head, "/v1", "/v2", 1))); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	head = `{"schema":"` + InventorySchema + `","repositories":[{"repository":"acme","generation":1}],"objects":2}` + "\n"
	for _, text := range []string{"", head, head + line + "\n" + line + "\n", head + line + "\nsha256:" + strings.Repeat("a", 64) + "\n", head + line + "\nsha256:" + strings.Repeat("c", 64)} {
		if _, err := ReadInventory(strings.NewReader(text)); !errors.Is(err, ErrVolume) {
			t.Errorf("%q: expected %v, found %v", text, ErrVolume, err)
		}
	}
}
