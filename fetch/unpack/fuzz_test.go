package unpack

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// fuzzLimits are small, so that fuzzing meets them.
var fuzzLimits = Limits{Files: 20, Bytes: 1 << 16, Ratio: 50, Free: 1 << 12, PathBytes: 300, Depth: 8, NameBytes: 1000, Window: 1 << 20}

// fuzz unpacks and checks what holds for any archive: nothing outside the folder,
// no limit exceeded, nothing left after an error, and no link that leads out.
func fuzz(t *testing.T, format Format, archive []byte) (string, error) {
	around := t.TempDir()
	dir := filepath.Join(around, "one", "in")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	target, report, err := trial{format: format, options: Options{Limits: fuzzLimits}, dir: dir}.run(t, archive)
	if found := namesIn(t, around); !slices.Equal(found, []string{"one"}) {
		t.Errorf("expected nothing outside, found %q", found)
	}
	if err != nil {
		for _, known := range []error{ErrUnsafe, ErrLimit, ErrMalformed, ErrUnsupported} {
			if errors.Is(err, known) {
				return "", err
			}
		}
		t.Fatalf("expected an error of the archive, found %v", err)
	}
	if report.Bytes > fuzzLimits.Bytes || int64(report.Files+report.Folders+report.Links+report.HardLinks) > fuzzLimits.Files {
		t.Errorf("expected %+v to hold, found %+v", fuzzLimits, report)
	}
	var entries, bytes int64
	err = filepath.WalkDir(target, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == target {
			return err
		}
		entries++
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch mode := info.Mode(); {
		case mode&fs.ModeSymlink != 0:
			// One that leads to nothing leads nowhere else either: see TestLinkTargets.
			if found, err := filepath.EvalSymlinks(path); err == nil && found != target && !strings.HasPrefix(found, target+"/") {
				t.Errorf("%s leads to %s", path, found)
			}
		case mode.IsRegular():
			bytes += info.Size()
			fallthrough
		default:
			if mode != 0o644 && mode != 0o755 && mode != fs.ModeDir|0o755 {
				t.Errorf("%s: found mode %v", path, mode)
			}
		}
		return nil
	})
	if err != nil || entries > fuzzLimits.Files || bytes > fuzzLimits.Bytes && report.HardLinks == 0 {
		t.Errorf("expected %+v to hold, found %d entries and %d bytes, %v", fuzzLimits, entries, bytes, err)
	}
	return target, nil
}

func FuzzTar(f *testing.F) {
	f.Add(small(f)[Tar])
	f.Add(tarOf(f, tarLink("x/y/b", "../.."), tarLink("a/l", "../x/y/b/f"), tarHard("h", "a/l")))
	f.Add(sparse("00000002000\x00"))
	f.Add(tarOf(f, tarFile(strings.Repeat("n", 150), "x"), tarLink("l", strings.Repeat("n", 150))))
	f.Fuzz(func(t *testing.T, archive []byte) { fuzz(t, Tar, archive) })
}

// FuzzZip also sees that the standard library reads the same in what is accepted.
func FuzzZip(f *testing.F) {
	f.Add(small(f)[Zip])
	f.Add(zipParts(f, ze{name: "f", body: "x"}).end64())
	f.Add(zipOf(f, ze{name: "f", body: "x", flags: zipDescriptor, descriptor: join([]byte(zipDescSig), []byte{0x83, 0x16, 0xdc, 0x8c}, u32(1), u32(1))}))
	f.Add(zipOf(f, ze{name: "a/l", body: "../f", mode: 0o120777}, ze{name: "f", body: "x", extra: join(u16(zipExtra64), u16(0), u16(zipExtraTime), u16(5), []byte{1}, u32(9))}))
	f.Fuzz(func(t *testing.T, archive []byte) {
		dir, err := fuzz(t, Zip, archive)
		if err != nil {
			return
		}
		reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			t.Fatalf("the standard library refuses it: %v", err)
		}
		for _, entry := range reader.File {
			path := filepath.Join(dir, filepath.FromSlash(entry.Name))
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if !info.Mode().IsRegular() {
				continue
			}
			content, err := entry.Open()
			if err != nil {
				t.Fatal(err)
			}
			want, err := io.ReadAll(content)
			found, readErr := os.ReadFile(path)
			if err != nil || readErr != nil || !bytes.Equal(want, found) {
				t.Errorf("%s: expected %q, %v, found %q, %v", entry.Name, want, err, found, readErr)
			}
		}
	})
}

// FuzzCompressed is about the others: which one is the first byte modulo their
// number.
func FuzzCompressed(f *testing.F) {
	formats := []Format{TarGzip, TarZstd, TarXZ, TarBzip2, Gzip, Zstd, XZ, Bzip2}
	archives := small(f)
	archives[Zstd] = zstded(f, bytes.Repeat([]byte("content"), 5000))
	archives[XZ] = xzed(f, bytes.Repeat([]byte("content"), 500), xz.WriterConfig{BlockSize: 1000})
	for i, format := range formats {
		f.Add(byte(i), archives[format])
	}
	f.Fuzz(func(t *testing.T, which byte, archive []byte) { fuzz(t, formats[int(which)%len(formats)], archive) })
}
