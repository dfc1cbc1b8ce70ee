package unpack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// TestLimits: what is just within each limit is unpacked, one more is refused.
func TestLimits(t *testing.T) {
	zeros := strings.Repeat("\x00", 3000)
	tree := tarOf(t, tarFile("a/b/one", "12345678"), tarDir("a/b/"), tarFile("a/two", "12345678"))
	bomb := tarOf(t, tarFile("zeros", strings.Repeat(zeros, 1000)))
	zip := zipOf(t, ze{name: "a/b/one", body: "12345678"}, ze{name: "a/two", body: "12345678", deflate: true})
	packed := int64(len(gzipped(t, []byte(zeros))))
	for name, test := range map[string]struct {
		format  Format
		archive []byte
		within  Limits
		beyond  Limits
		limit   string
	}{
		"files":           {Tar, tree, Limits{Files: 4}, Limits{Files: 3}, "Files"},
		"bytes":           {Tar, tree, Limits{Bytes: 16}, Limits{Bytes: 15}, "Bytes"},
		"bytes of one":    {Tar, tree, Limits{Bytes: 16}, Limits{Bytes: 7}, "Bytes"},
		"names":           {Tar, tree, Limits{NameBytes: 8}, Limits{NameBytes: 7}, "NameBytes"},
		"depth":           {Tar, tree, Limits{Depth: 3}, Limits{Depth: 2}, "Depth"},
		"path":            {Tar, tree, Limits{PathBytes: 7}, Limits{PathBytes: 6}, "PathBytes"},
		"target":          {Tar, tarOf(t, tarLink("l", "1234567")), Limits{PathBytes: 7}, Limits{PathBytes: 6}, "PathBytes"},
		"zip's files":     {Zip, zip, Limits{Files: 4}, Limits{Files: 3}, "Files"},
		"zip's entries":   {Zip, zip, Limits{Files: 4}, Limits{Files: 1}, "Files"},
		"zip's bytes":     {Zip, zip, Limits{Bytes: 16}, Limits{Bytes: 15}, "Bytes"},
		"gzip's bytes":    {Gzip, gzipped(t, []byte(zeros)), Limits{Bytes: 3000}, Limits{Bytes: 2999}, "Bytes"},
		"zstd's bytes":    {Zstd, zstded(t, []byte(zeros)), Limits{Bytes: 3000}, Limits{Bytes: 2999}, "Bytes"},
		"xz's bytes":      {XZ, xzed(t, []byte(zeros), xz.WriterConfig{}), Limits{Bytes: 3000}, Limits{Bytes: 2999}, "Bytes"},
		"bzip2's bytes":   {Bzip2, decode(t, hiBzip2), Limits{Bytes: 3}, Limits{Bytes: 2}, "Bytes"},
		"ratio":           {Gzip, gzipped(t, []byte(zeros)), Limits{Ratio: (3000-1)/packed + 1, Free: 1}, Limits{Ratio: (3000 - 1) / packed, Free: 1}, "Ratio"},
		"free":            {Gzip, gzipped(t, []byte(zeros)), Limits{Ratio: 1, Free: 3000}, Limits{Ratio: 1, Free: 2999}, "Ratio"},
		"tar's ratio":     {TarGzip, gzipped(t, bomb), Limits{Ratio: 2000}, Limits{}, "Ratio"},
		"tar's headers":   {TarGzip, gzipped(t, join(tarOf(t, tarDir("d")), make([]byte, 2<<20))), Limits{Ratio: 2000}, Limits{}, "Ratio"},
		"zip's ratio":     {Zip, zipOf(t, ze{name: "f", body: strings.Repeat(zeros, 1000), deflate: true}), Limits{Ratio: 2000}, Limits{}, "Ratio"},
		"window of zstd":  {Zstd, zstded(t, bytes.Repeat([]byte("x"), 1<<17), zstd.WithWindowSize(1<<17), zstd.WithSingleSegment(false)), Limits{Window: 1 << 17}, Limits{Window: 1 << 16}, "Window"},
		"small window":    {Zstd, zstded(t, bytes.Repeat([]byte("x"), 1<<17), zstd.WithWindowSize(1<<17), zstd.WithSingleSegment(false)), Limits{Window: 1 << 17}, Limits{Window: 1}, "Window"},
		"window of a tar": {TarZstd, zstded(t, bytes.Repeat(tarOf(t), 128), zstd.WithWindowSize(1<<17), zstd.WithSingleSegment(false)), Limits{Window: 1 << 17}, Limits{Window: 1 << 16}, "Window"},
		"window of xz":    {XZ, xzed(t, []byte("x"), xz.WriterConfig{DictCap: 1 << 17}), Limits{Window: 1 << 17}, Limits{Window: 1<<17 - 1}, "Window"},
		"xz's 3 * 2^n":    {XZ, xzed(t, []byte("x"), xz.WriterConfig{DictCap: 3 << 16}), Limits{Window: 3 << 16}, Limits{Window: 3<<16 - 1}, "Window"},
		"sparse expanded": {Tar, sparse("00000004000\x00"), Limits{Bytes: 2048}, Limits{Bytes: 2047}, "Bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := (trial{format: test.format, options: Options{Limits: test.within}}).run(t, test.archive); err != nil {
				t.Errorf("expected it to be within %+v, found %v", test.within, err)
			}
			_, _, err := trial{format: test.format, options: Options{Limits: test.beyond}}.run(t, test.archive)
			wantLimit(t, err, test.limit)
		})
	}
}

// sparse is a tar with a file of GNU's that is all hole but for one byte; its
// real size is octal.
func sparse(size string) []byte {
	block := rawTar('S', "s", "", "00000000001\x00", "x")
	copy(block[257:], "ustar  \x00")
	copy(block[386:], "00000000000\x0000000000001\x00")
	copy(block[483:], size)
	return join(resum(block), rawEnd)
}

// resum makes the sum of a header right.
func resum(block []byte) []byte {
	copy(block[148:], "        ")
	sum := 0
	for _, c := range block[:512] {
		sum += int(c)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

// TestSparseBomb: 8 GiB of hole in one byte of a tar are refused before anything
// is written.
func TestSparseBomb(t *testing.T) {
	_, _, err := trial{format: Tar, options: Options{Limits: Limits{Bytes: 4 << 30}}}.run(t, sparse("77777777777\x00"))
	wantLimit(t, err, "Bytes")
	_, _, err = trial{format: Tar}.run(t, sparse("77777777777\x00"))
	wantLimit(t, err, "Ratio")
}

func TestDefaultLimits(t *testing.T) {
	long := strings.Repeat("n", nameMax)
	dir, _, err := trial{format: Tar}.run(t, tarOf(t, tarFile(long, "x")))
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir, long+" 644 x")
	for name, test := range map[string]struct {
		path, limit string
	}{
		"long name": {long + "n", "PathBytes"},
		"long path": {strings.Repeat("long/", 1025/5) + "x", "PathBytes"},
		"deep path": {strings.Repeat("d/", 100) + "f", "Depth"},
	} {
		_, _, err := trial{format: Tar}.run(t, tarOf(t, tarFile(test.path, "x")))
		var beyond *LimitError
		if !errors.As(err, &beyond) || beyond.Limit != test.limit || beyond.Entry != test.path {
			t.Errorf("%s: expected the limit %s, found %v", name, test.limit, err)
		}
	}
	for _, limits := range []Limits{{Files: -1}, {Bytes: -1}, {Ratio: -1}, {Free: -1}, {PathBytes: -1}, {Depth: -1}, {NameBytes: -1}, {Window: -1}} {
		_, _, err := trial{format: Tar, options: Options{Limits: limits}}.run(t, tarOf(t))
		wantError(t, err, ErrInvalid, "expected limits of 0 or more")
	}
}

// TestZipListsTooMuch: the number of entries is known before any of them is read.
func TestZipListsTooMuch(t *testing.T) {
	parts := zipParts(t, ze{name: "f", body: "x"})
	parts.entries = math.MaxUint16
	_, _, err := trial{format: Zip, options: Options{Limits: Limits{Files: 1000}}}.run(t, parts.end())
	var beyond *LimitError
	if !errors.As(err, &beyond) || beyond.Limit != "Files" || beyond.Found != math.MaxUint16 || beyond.Entry != "" {
		t.Errorf("expected the limit Files with 65535, found %v", err)
	}
}

// TestXZDictionary: 4 GiB are not taken because a header asks for them.
func TestXZDictionary(t *testing.T) {
	archive := xzed(t, []byte("x"), xz.WriterConfig{})
	// The header of the first block: its size, flags, filter, its length, bits.
	header := archive[12:24]
	for _, bits := range []byte{33, 40} {
		header[4] = bits
		binary.LittleEndian.PutUint32(header[8:], crc32.ChecksumIEEE(header[:8]))
		_, _, err := trial{format: XZ}.run(t, archive)
		wantLimit(t, err, "Window")
	}
}

// cancelling cancels after some bytes.
type cancelling struct {
	cancel context.CancelCauseFunc
	left   int
	told   int
}

var errEnough = errors.New("enough")

func (c *cancelling) Add(n int) {
	c.told += n
	if c.left -= n; c.left < 0 {
		c.cancel(errEnough)
	}
}

// endless is a source that never tires.
type endless struct{ begin []byte }

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(e.begin)) {
		copy(p, e.begin[off:])
	}
	return len(p), nil
}

// TestContext ends in the middle of a file, between entries, and in the zeros
// behind a tar.
func TestContext(t *testing.T) {
	large := rawTar('0', "f", "", "77777777777\x00", "")
	for name, test := range map[string]struct {
		begin   []byte
		options Options
		after   time.Duration
	}{
		"in a file":  {large, Options{}, 0},
		"at the end": {tarOf(t), Options{}, 20 * time.Millisecond},
		"before it":  {large, Options{}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			progress := &cancelling{cancel: cancel, left: 1 << 20}
			if test.after < 0 {
				cancel(errEnough)
			} else if test.after > 0 {
				time.AfterFunc(test.after, func() { cancel(errEnough) })
			}
			file := File{ReaderAt: endless{test.begin}, Size: 1 << 60, Name: "a"}
			dir := t.TempDir()
			_, err := Into(ctx, file, Tar, dir+"/out", Options{Progress: progress})
			wantError(t, err, errEnough, "")
			if found := namesIn(t, dir); len(found) != 0 {
				t.Errorf("expected nothing, found %q", found)
			}
		})
	}
	progress := &cancelling{left: math.MaxInt}
	_, _, err := trial{format: Gzip, options: Options{Progress: progress}}.run(t, gzipped(t, make([]byte, 300<<10)))
	if err != nil || progress.told != 300<<10 {
		t.Errorf("expected to be told of %d bytes, found %d, %v", 300<<10, progress.told, err)
	}
}

// failing is a source whose disk fails from an offset on.
type failing struct {
	io.ReaderAt
	from int64
}

var errFault = errors.New("a fault")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errFault
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestSourceFails: that is the disk's fault and not the archive's.
func TestSourceFails(t *testing.T) {
	noise := tarOf(t, tarFile("f", string(noise(1<<20))))
	for format, archive := range map[Format][]byte{
		Tar: noise, TarGzip: gzipped(t, noise), TarZstd: zstded(t, noise), XZ: xzed(t, noise, xz.WriterConfig{}),
		Zip: zipOf(t, ze{name: "f", body: string(noise)}),
	} {
		for _, from := range []int64{0, 1 << 19} {
			file := File{ReaderAt: failing{bytes.NewReader(archive), from}, Size: int64(len(archive)), Name: "a." + string(format)}
			dir := t.TempDir()
			_, err := Into(t.Context(), file, format, dir+"/out", Options{})
			wantError(t, err, ErrDisk, `reading "a.`+string(format)+`"`)
			if found := namesIn(t, dir); len(found) != 0 || !errors.Is(err, errFault) {
				t.Errorf("%s: expected %v and nothing left, found %v, %q", format, errFault, err, found)
			}
		}
	}
}

// noise does not compress, and is the same each time.
func noise(n int) []byte {
	data, state := make([]byte, n), uint32(1)
	for i := range data {
		state = state*1664525 + 1013904223
		data[i] = byte(state >> 24)
	}
	return data
}
