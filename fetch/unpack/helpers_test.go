package unpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// stamp is the time of all entries that say nothing else.
var stamp = time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC)

// everySystem are the rules of a system where all names are told apart.
var everySystem = rules{}

// te is an entry of a tar.
type te struct {
	tar.Header
	body string
}

func tarFile(name, body string) te {
	return te{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, body}
}

func tarDir(name string) te {
	return te{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}, ""}
}

func tarLink(name, target string) te {
	return te{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, ""}
}

func tarHard(name, target string) te {
	return te{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}, ""}
}

// tarOf makes a tar.
func tarOf(t testing.TB, entries ...te) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, entry := range entries {
		header := entry.Header
		header.Size = int64(len(entry.body))
		if header.ModTime.IsZero() && header.Typeflag != tar.TypeXGlobalHeader {
			header.ModTime = stamp
		}
		if err := w.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(entry.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rawTar makes one block of a header with a right sum, for what the library
// refuses to write, and the blocks of its body.
func rawTar(flag byte, name, target string, size string, body string) []byte {
	block := make([]byte, 512)
	copy(block, name)
	copy(block[100:], "0000644\x00")
	copy(block[124:], size)
	copy(block[136:], "00000000000\x00")
	block[156] = flag
	copy(block[157:], target)
	copy(block[257:], "ustar\x0000")
	padded := make([]byte, (len(body)+511)/512*512)
	copy(padded, body)
	return append(resum(block), padded...)
}

// rawEnd is how a tar ends.
var rawEnd = make([]byte, 1024)

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, data []byte, options ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, append([]zstd.EOption{zstd.WithEncoderConcurrency(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func xzed(t testing.TB, data []byte, config xz.WriterConfig) []byte {
	t.Helper()
	var b bytes.Buffer
	if config.DictCap == 0 {
		config.DictCap = 1 << 16
	}
	w, err := config.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// trial is one call of into, in a folder of its own.
type trial struct {
	name     string // of the archive; "a" with the format if empty
	format   Format
	options  Options
	rules    rules
	hardLink func(from, to string) error
	sync     func(*os.File) error
	ctx      context.Context
	dir      string // beside which nothing else may be; made if empty
}

// run unpacks into DIR/out, and checks that nothing is beside it, and
// that it is not there after an error.
func (r trial) run(t testing.TB, archive []byte) (string, Report, error) {
	t.Helper()
	if r.dir == "" {
		r.dir = filepath.Join(t.TempDir(), "in")
		if err := os.Mkdir(r.dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if r.name == "" {
		r.name = "a." + string(r.format)
	}
	if r.ctx == nil {
		r.ctx = t.Context()
	}
	target := filepath.Join(r.dir, "out")
	file := File{ReaderAt: bytes.NewReader(archive), Size: int64(len(archive)), Name: r.name}
	if r.sync == nil {
		r.sync = func(*os.File) error { return nil } // it takes most of the time
	}
	report, err := into(r.ctx, file, r.format, target, r.options, system{r.rules, r.hardLink, r.sync})
	wantOnce(t, err)
	want := []string{"out"}
	if err != nil {
		want = nil
		if report != (Report{}) {
			t.Errorf("expected no report with an error, found %+v", report)
		}
	}
	if found := namesIn(t, r.dir); !slices.Equal(found, want) {
		t.Errorf("expected %q in the folder, found %q (%v)", want, found, err)
	}
	if found := namesIn(t, filepath.Dir(r.dir)); !slices.Equal(found, []string{filepath.Base(r.dir)}) {
		t.Errorf("expected nothing outside, found %q", found)
	}
	return target, report, err
}

func namesIn(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// list tells all that is in a folder: paths with mode, and content or target.
func list(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			found = append(found, fmt.Sprintf("%s/ %o", name, info.Mode().Perm()))
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found = append(found, fmt.Sprintf("%s %o %s", name, info.Mode().Perm(), data))
		default:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			found = append(found, name+" -> "+target)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantTree compares a folder with lines as list makes them.
func wantTree(t testing.TB, dir string, want ...string) {
	t.Helper()
	if found := list(t, dir); !slices.Equal(found, want) {
		t.Errorf("expected\n%s\nfound\n%s", strings.Join(want, "\n"), strings.Join(found, "\n"))
	}
}

// wantOnce checks that an error is one thing, and says it once.
func wantOnce(t testing.TB, err error) {
	t.Helper()
	var kinds []error
	for _, known := range sentinels {
		if errors.Is(err, known) {
			kinds = append(kinds, known)
		}
		if err != nil && strings.Count(err.Error(), known.Error()) > 1 {
			t.Errorf("expected %q once, found %v", known, err)
		}
	}
	if len(kinds) > 1 {
		t.Errorf("expected one kind of error, found %q in %v", kinds, err)
	}
}

// wantError checks which error it is, and what it says.
func wantError(t testing.TB, err, want error, says string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), says) {
		t.Errorf("expected %v with %q, found %v", want, says, err)
	}
}

// wantLimit checks that the error names the limit.
func wantLimit(t testing.TB, err error, limit string) {
	t.Helper()
	var beyond *LimitError
	if !errors.Is(err, ErrLimit) || !errors.As(err, &beyond) || beyond.Limit != limit {
		t.Errorf("expected the limit %s, found %v", limit, err)
	}
}

// fileOf is an archive in memory.
func fileOf(archive []byte) File {
	return File{ReaderAt: bytes.NewReader(archive), Size: int64(len(archive)), Name: "a"}
}

// mkdir makes a folder anew.
func mkdir(t testing.TB, dir string) string {
	t.Helper()
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}
