package unpack

import (
	"errors"
	"testing"

	"github.com/ulikunitz/xz"
)

// small are archives of each format, a few hundred bytes long where they can be.
func small(t testing.TB) map[Format][]byte {
	plain := tarOf(t, tarDir("d/"), tarFile("d/f", "content"), tarLink("l", "d/f"), tarHard("h", "d/f"))
	body := []byte("content of one file, content of one file")
	return map[Format][]byte{
		Tar: plain, TarGzip: gzipped(t, plain), TarZstd: zstded(t, plain), TarXZ: xzed(t, plain, xz.WriterConfig{}), TarBzip2: decode(t, helloTarBzip2),
		Zip:  zipOf(t, ze{name: "d/"}, ze{name: "d/f", body: "content", deflate: true}, ze{name: "l", body: "d/f", mode: 0o120777}),
		Gzip: gzipped(t, body), Zstd: zstded(t, body), XZ: xzed(t, body, xz.WriterConfig{CheckSum: xz.SHA256}), Bzip2: decode(t, hiBzip2),
	}
}

// TestTruncated: no beginning of an archive is taken for the whole.
func TestTruncated(t *testing.T) {
	for format, archive := range small(t) {
		t.Run(string(format), func(t *testing.T) {
			if _, _, err := (trial{format: format}).run(t, archive); err != nil {
				t.Fatal(err)
			}
			step := 1
			if format == Tar {
				step = 64
			}
			dir := t.TempDir() + "/in"
			for n := 0; n < len(archive); n += step {
				dir := mkdir(t, dir)
				if _, _, err := (trial{format: format, dir: dir}).run(t, archive[:n]); !errors.Is(err, ErrMalformed) {
					t.Errorf("%d of %d bytes: expected %v, found %v", n, len(archive), ErrMalformed, err)
				}
			}
		})
	}
	t.Run("zip64", func(t *testing.T) {
		archive := zipParts(t, ze{name: "f", body: "x"}).end64()
		dir := t.TempDir() + "/in"
		for n := range archive {
			if _, _, err := (trial{format: Zip, dir: mkdir(t, dir)}).run(t, archive[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%d of %d bytes: expected %v, found %v", n, len(archive), ErrMalformed, err)
			}
		}
	})
}

// TestFlipped: with one bit wrong an archive is refused, or it was a bit that
// says nothing of what is unpacked; and never is anything left.
func TestFlipped(t *testing.T) {
	for format, archive := range small(t) {
		t.Run(string(format), func(t *testing.T) {
			dir := t.TempDir() + "/in"
			for n := 0; n < len(archive); n += 1 + len(archive)/200 {
				flipped := append([]byte(nil), archive...)
				flipped[n] ^= 1 << (n % 8)
				_, _, err := trial{format: format, dir: mkdir(t, dir)}.run(t, flipped)
				if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsafe) && !errors.Is(err, ErrLimit) && !errors.Is(err, ErrUnsupported) {
					t.Errorf("byte %d: found %v", n, err)
				}
			}
		})
	}
}
