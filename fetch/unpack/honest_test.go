package unpack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ulikunitz/xz"
)

// There is no writer of bzip2 here: hello/hi in a tar, and "hi\n".
const (
	helloTarBzip2 = "QlpoOTFBWSZTWVzFo2UAAJT7hMmQAEJAAP+AAFBiZJ4AAACACCAAlIKqTEIGgNoQ9J6gkqaPSDTQ0AAOz7iEosMkBZShJFEh9YTkJOHheTCQOF0jCSqKqV8IPVEQ01xGk10XUjni18Xc8MC+ePDskvTgzfW1trpKtyhQ3clVkyyxhIPxdyRThQkFzFo2UA=="
	hiBzip2       = "QlpoOTFBWSZTWR1eWdUAAADBAAAQAGAgACGYGYRhdyRThQkB1eWdUA=="
)

func decode(t testing.TB, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func longName() string { return strings.Repeat("long/", 40) + strings.Repeat("n", 200) }

func honestTar(t testing.TB) []byte {
	program := tarFile("tool/bin/tool", "#!\n")
	program.Mode = 0o755
	return tarOf(t, tarDir("./"), tarDir("tool/"), tarDir("tool/empty/"), program, tarFile("./tool/päth//doc", "text"),
		tarLink("tool/run", "bin/tool"), tarLink("tool/bin/up", "../päth/doc"), tarLink("tool/dangling", "nowhere"),
		tarHard("tool/bin/same", "tool/bin/tool"), tarFile(longName(), ""))
}

// TestTars: modes, links, empty folders, implied ones, and long names come out
// of a tar in each of its codings.
func TestTars(t *testing.T) {
	plain := honestTar(t)
	want := []string{"long/ 755"}
	for i := range 39 {
		want = append(want, strings.Repeat("long/", i+1)+"long/ 755")
	}
	want = append(want, longName()+" 644 ", "tool/ 755", "tool/bin/ 755", "tool/bin/same 755 #!\n", "tool/bin/tool 755 #!\n", "tool/bin/up -> ../päth/doc",
		"tool/dangling -> nowhere", "tool/empty/ 755", "tool/päth/ 755", "tool/päth/doc 644 text", "tool/run -> bin/tool")
	for format, archive := range map[Format][]byte{
		Tar: plain, TarGzip: gzipped(t, plain), TarZstd: zstded(t, plain), TarXZ: xzed(t, plain, xz.WriterConfig{}),
	} {
		t.Run(string(format), func(t *testing.T) {
			dir, report, err := trial{format: format}.run(t, archive)
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, dir, want...)
			if expected := (Report{Files: 3, Folders: 44, Links: 3, HardLinks: 1, Bytes: 7}); report != expected {
				t.Errorf("expected %+v, found %+v", expected, report)
			}
			for _, name := range []string{"", "tool", "tool/empty", "tool/bin/tool", "tool/bin/same"} {
				if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(stamp) {
					t.Errorf("%s: expected %v, found %v, %v", name, stamp, info.ModTime(), err)
				}
			}
			tool, err := os.Stat(filepath.Join(dir, "tool/bin/tool"))
			same, sameErr := os.Stat(filepath.Join(dir, "tool/bin/same"))
			if err != nil || sameErr != nil || !os.SameFile(tool, same) {
				t.Errorf("expected one file under both names")
			}
		})
	}
	dir, _, err := trial{format: TarBzip2}.run(t, decode(t, helloTarBzip2))
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir, "hello/ 755", "hello/hi 644 hi\n")
}

// TestTarForms: the ways of writing a tar, GNU's, PAX and the old one.
func TestTarForms(t *testing.T) {
	name := "a/" + strings.Repeat("é", 100)
	for form, format := range map[string]tar.Format{"GNU": tar.FormatGNU, "PAX": tar.FormatPAX} {
		t.Run(form, func(t *testing.T) {
			file, symbolic := tarFile(name, "x"), tarLink("l", name)
			file.Format, symbolic.Format = format, format
			dir, _, err := trial{format: Tar}.run(t, tarOf(t, file, symbolic))
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, dir, "a/ 755", name+" 644 x", "l -> "+name)
		})
	}
	t.Run("before ustar", func(t *testing.T) {
		block := rawTar(0, "old", "", "00000000002\x00", "hi")
		copy(block[257:265], make([]byte, 8))
		dir, _, err := trial{format: Tar}.run(t, join(resum(block), rawEnd))
		if err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir, "old 644 hi")
	})
	t.Run("git archive", func(t *testing.T) {
		global := te{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "abc"}}, ""}
		dir, _, err := trial{format: Tar}.run(t, tarOf(t, global, tarFile("f", "x")))
		if err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir, "f 644 x")
	})
	t.Run("sparse", func(t *testing.T) {
		dir, report, err := trial{format: Tar}.run(t, sparse("00000002000\x00"))
		if err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir, "s 644 x"+strings.Repeat("\x00", 1023))
		if report.Bytes != 1024 {
			t.Errorf("expected the hole to count, found %d bytes", report.Bytes)
		}
	})
	t.Run("empty", func(t *testing.T) {
		dir, _, err := trial{format: Tar}.run(t, make([]byte, 10240))
		if err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir)
	})
}

// TestZips: what the standard library and others write.
func TestZips(t *testing.T) {
	var library bytes.Buffer
	w := zip.NewWriter(&library)
	for _, entry := range []struct {
		name, body string
		mode       fs.FileMode
		method     uint16
	}{
		{"a/", "", fs.ModeDir | 0o755, zip.Store}, {"a/tool", strings.Repeat("#!\n", 1000), 0o755, zip.Deflate}, {"a/doc", "text", 0o600, zip.Store},
		{"a/l", "tool", fs.ModeSymlink | 0o777, zip.Store}, {longName(), "", 0o644, zip.Deflate}, {"empty/", "", fs.ModeDir | 0o700, zip.Store},
	} {
		header := &zip.FileHeader{Name: entry.name, Method: entry.method, Modified: stamp}
		header.SetMode(entry.mode)
		part, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(entry.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir, report, err := trial{format: Zip}.run(t, library.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	found := list(t, dir)
	for _, line := range []string{"a/ 755", "a/tool 755 " + strings.Repeat("#!\n", 1000), "a/doc 644 text", "a/l -> tool", longName() + " 644 ", "empty/ 755"} {
		if !slices.Contains(found, line) {
			t.Errorf("expected %q, found %q", line, found)
		}
	}
	if expected := (Report{Files: 3, Folders: 42, Links: 1, Bytes: 3004}); report != expected {
		t.Errorf("expected %+v, found %+v", expected, report)
	}
	for _, name := range []string{"a", "a/tool", "empty"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(stamp) {
			t.Errorf("%s: expected %v, found %v, %v", name, stamp, info.ModTime(), err)
		}
	}
}

func TestZipForms(t *testing.T) {
	crc := []byte{0x83, 0x16, 0xdc, 0x8c} // of "x"
	sizes := join(u32(1), u32(1))
	wide := join(u64(1), u64(1))
	file := ze{name: "f", body: "x"}
	open := func(descriptor ...[]byte) []byte {
		entry := file
		entry.flags, entry.descriptor = zipDescriptor, join(descriptor...)
		return zipOf(t, entry, ze{name: "g", body: "x"})
	}
	both := []string{"f 644 x", "g 644 x"}
	commented := zipParts(t, file)
	commented.comment = "a comment"
	padded := ze{name: "f", body: "x", local: func(h []byte) []byte { return append(localAt(28, u16(3))(h), 0, 0, 0) }}
	foreign := ze{name: "f", body: "x", mode: 0o120755, central: at(5, []byte{0})}
	wider := ze{name: "f", body: "x", central: at(20, u32(-1), u32(-1)), extra: join(u16(zipExtra64), u16(16), wide)}
	timed := ze{name: "f", body: "x", extra: join(u16(zipExtraTime), u16(5), []byte{1}, u32(int(stamp.Unix())))}
	renamed := ze{name: "f", body: "x", extra: join(u16(zipExtraName), u16(6), []byte{1}, u32(7), []byte("g"))}
	for name, test := range map[string]struct {
		archive []byte
		want    []string
	}{
		"empty":                               {zipOf(t), nil},
		"stored":                              {zipOf(t, file), both[:1]},
		"deflated":                            {zipOf(t, ze{name: "f", body: "x", deflate: true}), both[:1]},
		"comment":                             {commented.end(), both[:1]},
		"zip64":                               {zipParts(t, file).end64(), both[:1]},
		"sizes of 64 bits":                    {zipOf(t, wider), both[:1]},
		"padding in the local header":         {zipOf(t, padded), both[:1]},
		"attributes of another system":        {zipOf(t, foreign), both[:1]},
		"descriptor":                          {open([]byte(zipDescSig), crc, sizes), both},
		"descriptor without signature":        {open(crc, sizes), both},
		"descriptor of 64 bits":               {open([]byte(zipDescSig), crc, wide), both},
		"descriptor of 64 bits, no signature": {open(crc, wide), both},
		"executable":                          {zipOf(t, ze{name: "f", body: "x", mode: 0o100755}), []string{"f 755 x"}},
		"time in the extra field":             {zipOf(t, timed), both[:1]},
		"entry of any part":                   {zipOf(t, ze{name: "f", body: "x", central: at(34, u16(0xffff))}), both[:1]},
		"same second name":                    {zipOf(t, ze{name: "f", body: "x", extra: join(u16(zipExtraName), u16(6), []byte{1}, u32(int(crc32.ChecksumIEEE([]byte("f")))), []byte("f"))}), both[:1]},
		"short second name":                   {zipOf(t, ze{name: "f", body: "x", extra: join(u16(zipExtraName), u16(4), u32(1))}), both[:1]},
		"sizes behind another field":          {zipOf(t, ze{name: "f", body: "x", central: at(20, u32(-1), u32(-1)), extra: join(u16(7), u16(16), u64(9), u64(9), u16(zipExtra64), u16(16), wide)}), both[:1]},
		"zip64 of any part": {func() []byte {
			archive := zipParts(t, file).end64()
			copy(archive[len(archive)-18:], u16(0xffff))
			return archive
		}(), both[:1]},
		"zip64 that need not be": {func() []byte {
			z := zipParts(t, file)
			archive := z.end64()
			copy(archive[len(archive)-14:], join(u16(1), u16(1), u32(len(z.data)-z.offset), u32(z.offset)))
			return archive
		}(), both[:1]},
		"stale second name":          {zipOf(t, renamed), both[:1]},
		"folder of deflated nothing": {zipOf(t, ze{name: "d/", deflate: true}), []string{"d/ 755"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _, err := trial{format: Zip}.run(t, test.archive)
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, dir, test.want...)
			if info, err := os.Stat(filepath.Join(dir, "f")); err == nil && !info.ModTime().Equal(stamp) {
				t.Errorf("expected %v, found %v", stamp, info.ModTime())
			}
		})
	}
}

// TestSingleFiles: the file has the archive's name without the suffix.
func TestSingleFiles(t *testing.T) {
	content := []byte("hi\n")
	for format, archive := range map[Format][]byte{
		Gzip: gzipped(t, content), Zstd: zstded(t, content), XZ: xzed(t, content, xz.WriterConfig{}), Bzip2: decode(t, hiBzip2),
	} {
		t.Run(string(format), func(t *testing.T) {
			dir, report, err := trial{format: format, name: "/some/where/Tool-1.2." + strings.ToUpper(string(format))}.run(t, archive)
			if err != nil || report != (Report{Files: 1, Bytes: 3}) {
				t.Fatal(report, err)
			}
			wantTree(t, dir, "Tool-1.2 644 hi\n")
			dir, _, err = trial{format: format, name: "tool." + string(format), options: Options{Executable: true}}.run(t, archive)
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, dir, "tool 755 hi\n")
			// Several in a row are one.
			dir, _, err = trial{format: format}.run(t, join(archive, archive))
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, dir, "a 644 hi\nhi\n")
			for _, name := range []string{"tool", "." + string(format), "x/.." + string(format), "tool.zip", "..." + string(format)} {
				_, _, err := trial{format: format, name: name}.run(t, archive)
				wantError(t, err, ErrInvalid, "says the name of the file inside")
			}
		})
	}
}

// TestTimesAreBounded: no time before 1970 or behind 2106.
func TestTimesAreBounded(t *testing.T) {
	for _, test := range []struct{ said, want time.Time }{
		{time.Unix(-1, 0), time.Unix(0, 0)}, {time.Unix(0, 0), time.Unix(0, 0)},
		{time.Unix(1<<32-1, 0), time.Unix(1<<32-1, 0)}, {time.Unix(1<<33, 0), time.Unix(1<<32-1, 0)},
	} {
		file, dir := tarFile("f", "x"), tarDir("d")
		file.ModTime, dir.ModTime = test.said, test.said
		file.Format, dir.Format = tar.FormatGNU, tar.FormatGNU
		target, _, err := trial{format: Tar}.run(t, tarOf(t, file, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"f", "d"} {
			if info, err := os.Stat(filepath.Join(target, name)); err != nil || !info.ModTime().Equal(test.want) {
				t.Errorf("%v: expected %v, found %v, %v", test.said, test.want, info.ModTime(), err)
			}
		}
	}
	// An entry without a time has that of its unpacking.
	target, _, err := trial{format: Zip}.run(t, zipOf(t, ze{name: "f", body: "x", central: at(14, u16(0))}))
	if info, statErr := os.Stat(filepath.Join(target, "f")); err != nil || statErr != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("expected the time of now, found %v, %v, %v", info, err, statErr)
	}
}

// TestSpecialBitsAreDropped: nothing is setuid, setgid or sticky, and all are
// counted.
func TestSpecialBitsAreDropped(t *testing.T) {
	var entries []te
	for name, mode := range map[string]int64{"u": 0o4755, "g": 0o2644, "plain": 0o777} {
		file := tarFile(name, "x")
		file.Mode = mode
		entries = append(entries, file)
	}
	sticky := tarDir("d")
	sticky.Mode = 0o1777
	dir, report, err := trial{format: Tar}.run(t, tarOf(t, append(entries, sticky)...))
	if err != nil || report.SetID != 3 {
		t.Errorf("expected 3 entries with special bits, found %d, %v", report.SetID, err)
	}
	wantTree(t, dir, "d/ 755", "g 644 x", "plain 755 x", "u 755 x")
	dir, report, err = trial{format: Zip}.run(t, zipOf(t, ze{name: "u", mode: 0o104755}, ze{name: "d/", mode: 0o042755}))
	if err != nil || report.SetID != 2 {
		t.Errorf("expected 2 entries with special bits, found %d, %v", report.SetID, err)
	}
	wantTree(t, dir, "d/ 755", "u 755 ")
	if info, err := os.Stat(filepath.Join(dir, "u")); err != nil || info.Mode() != 0o755 {
		t.Errorf("expected mode 0755, found %v, %v", info, err)
	}
}

// TestHardLinksAreCopied where the file system has none, and copies count.
func TestHardLinksAreCopied(t *testing.T) {
	program := tarFile("f", "12345678")
	program.Mode = 0o755
	archive := tarOf(t, program, tarHard("g", "./f"))
	for _, refusal := range []error{syscall.EPERM, syscall.EMLINK, syscall.EOPNOTSUPP} {
		without := func(from, to string) error { return &os.LinkError{Op: "link", Old: from, New: to, Err: refusal} }
		dir, report, err := trial{format: Tar, hardLink: without}.run(t, archive)
		if err != nil || report != (Report{Files: 1, HardLinks: 1, Bytes: 16}) {
			t.Errorf("found %+v, %v", report, err)
		}
		wantTree(t, dir, "f 755 12345678", "g 755 12345678")
		if info, err := os.Stat(filepath.Join(dir, "g")); err != nil || !info.ModTime().Equal(stamp) {
			t.Errorf("expected %v, found %v, %v", stamp, info.ModTime(), err)
		}
		_, _, err = trial{format: Tar, hardLink: without, options: Options{Limits: Limits{Bytes: 15}}}.run(t, archive)
		wantLimit(t, err, "Bytes")
	}
	for failure, want := range map[error]error{syscall.EIO: ErrDisk, syscall.EEXIST: ErrUnsafe} {
		_, _, err := trial{format: Tar, hardLink: func(string, string) error { return failure }}.run(t, archive)
		wantError(t, err, want, "")
	}
	file, err := os.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if _, err := (diskReader{file}).Read(make([]byte, 1)); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
}

// TestSyncFails: what is not durable is not there.
func TestSyncFails(t *testing.T) {
	failing := func(file *os.File) error {
		if strings.HasSuffix(file.Name(), "f") {
			return syscall.EIO
		}
		return nil
	}
	for _, archive := range [][]byte{tarOf(t, tarFile("a", "x"), tarFile("f", "x")), tarOf(t, tarFile("f", "x"), tarFile("a", "x"), tarFile("b", "x"))} {
		_, _, err := trial{format: Tar, sync: failing}.run(t, archive)
		wantError(t, err, ErrDisk, "the disk reports a fault")
	}
}

// TestNamesOfArchives matter to single files alone.
func TestNamesOfArchives(t *testing.T) {
	for format, archive := range map[Format][]byte{Tar: tarOf(t), Zip: zipOf(t)} {
		if _, _, err := (trial{format: format, name: "download"}).run(t, archive); err != nil {
			t.Error(err)
		}
	}
}

// TestSignedSum: some old tars sum their headers up with signs.
func TestSignedSum(t *testing.T) {
	block := rawTar('0', "é", "", "00000000000\x00", "")
	sum, err := strconv.ParseInt(string(block[148:154]), 8, 64)
	if err != nil {
		t.Fatal(err)
	}
	copy(block[148:], fmt.Sprintf("%06o", sum-2*256)) // two bytes above 127
	dir, _, err := trial{format: Tar}.run(t, join(block, rawEnd))
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir, "é 644 ")
}
