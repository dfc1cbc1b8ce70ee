package unpack

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Format is how an archive is packed. The names are those of release manifests.
type Format string

// The formats. Gzip, Zstd, XZ and Bzip2 are of one file each.
const (
	Tar      Format = "tar"
	TarGzip  Format = "tar.gz"
	TarZstd  Format = "tar.zst"
	TarXZ    Format = "tar.xz"
	TarBzip2 Format = "tar.bz2"
	Zip      Format = "zip"
	Gzip     Format = "gz"
	Zstd     Format = "zst"
	XZ       Format = "xz"
	Bzip2    Format = "bz2"
)

// suffixes lists how names end, those before others that they end with.
var suffixes = []struct {
	suffix string
	format Format
}{
	{".tar.gz", TarGzip}, {".tgz", TarGzip},
	{".tar.zst", TarZstd}, {".tzst", TarZstd},
	{".tar.xz", TarXZ}, {".txz", TarXZ},
	{".tar.bz2", TarBzip2}, {".tbz2", TarBzip2}, {".tbz", TarBzip2},
	{".tar", Tar}, {".zip", Zip},
	{".gz", Gzip}, {".zst", Zstd}, {".xz", XZ}, {".bz2", Bzip2},
}

// FormatOf tells the format from a file name, or from a path or URL that ends
// with one; the case of letters does not matter. It reports false for a name that
// says none, and for one that is nothing but a suffix.
func FormatOf(name string) (Format, bool) {
	format, _, ok := parseName(name)
	return format, ok
}

// parseName tells the format and the file name without its suffix.
func parseName(name string) (format Format, stem string, ok bool) {
	base := name[strings.LastIndexAny(name, `/\`)+1:]
	for _, known := range suffixes {
		begin := len(base) - len(known.suffix)
		if begin >= 0 && strings.ToLower(base[begin:]) == known.suffix {
			stem = base[:begin]
			return known.format, stem, stem != ""
		}
	}
	return "", "", false
}

// valid reports whether there is such a format.
func (f Format) valid() bool {
	for _, known := range suffixes {
		if f == known.format {
			return true
		}
	}
	return false
}

// coding is what the bytes of the archive begin as: itself, or what a tar is
// compressed with.
func (f Format) coding() Format {
	if coding, ok := strings.CutPrefix(string(f), "tar."); ok {
		return Format(coding)
	}
	return f
}

// isTar reports whether a tar is in it.
func (f Format) isTar() bool { return f == Tar || f != f.coding() }

// magics are how contents begin.
var magics = []struct {
	begin  string
	format Format
}{
	{"\x1f\x8b", Gzip}, {"\x28\xb5\x2f\xfd", Zstd}, {xzMagic, XZ},
	{"BZh", Bzip2}, {"PK\x03\x04", Zip}, {"PK\x05\x06", Zip},
}

// sniffBytes is how much of a content tells its format: a block of a tar.
const sniffBytes = 512

// sniff tells the coding of a content from how it begins; "" if none is known.
func sniff(head []byte) Format {
	if isTarBlock(head) {
		return Tar // first, as it begins with a name, which may be like a magic
	}
	for _, known := range magics {
		if bytes.HasPrefix(head, []byte(known.begin)) {
			return known.format
		}
	}
	// A skippable frame may come before the first one of zstd.
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" {
		return Zstd
	}
	return ""
}

// isTarBlock reports whether head begins with a header of a tar, of which the
// oldest have no magic but a sum, or with the end of an empty one.
func isTarBlock(head []byte) bool {
	if len(head) < sniffBytes {
		return false
	}
	block := head[:sniffBytes]
	if len(bytes.Trim(block, "\x00")) == 0 {
		return true
	}
	var unsigned, signed int64 // both were in use
	for i, c := range block {
		if i >= 148 && i < 156 {
			c = ' ' // the sum itself
		}
		unsigned, signed = unsigned+int64(c), signed+int64(int8(c))
	}
	sum, err := strconv.ParseInt(strings.Trim(string(block[148:156]), " \x00"), 8, 64)
	return err == nil && (sum == unsigned || sum == signed)
}

// agree checks that the content is what the format says.
func agree(want Format, head []byte) error {
	found := sniff(head)
	if found == want {
		return nil
	}
	if found != "" {
		return fmt.Errorf("%w: expected %s, found %s", ErrMalformed, want, found)
	}
	return fmt.Errorf("%w: expected %s, found %d bytes or more that begin with %x", ErrMalformed, want, len(head), head[:min(len(head), 8)])
}

// agree checks the archive itself.
func (s *source) agree(format Format) error {
	head := make([]byte, min(sniffBytes, s.file.Size))
	if _, err := io.ReadFull(s.section(0, s.file.Size), head); err != nil {
		return err
	}
	return agree(format.coding(), head)
}
