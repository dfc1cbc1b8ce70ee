package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// stumbling gives 512 bytes at a time, once with an error beside them, and then goes
// on.
type stumbling struct {
	text []byte
	at   int // bytes up to the error
	err  error
}

func (s *stumbling) Read(p []byte) (int, error) {
	n := copy(p, s.text[:min(len(s.text), 512)])
	s.text = s.text[n:]
	before := s.at
	if s.at -= n; before > 0 && s.at <= 0 {
		return n, s.err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestErrorBesideBytes: an error that comes with the last bytes that were asked for
// is told when the archive ends too early, and not taken for the archive's fault.
func TestErrorBesideBytes(t *testing.T) {
	entries, _ := honest(t)
	text := pack(t, entries)
	wrong := errors.New("wrong")
	for _, cut := range []int{1024 + 512, 2048 + 512} { // within an entry
		s := open(t, t.TempDir())
		_, err := Read(t.Context(), &stumbling{text[:cut], 512, wrong}, s, Options{Quota: 1000})
		if !errors.Is(err, wrong) || errors.Is(err, ErrArchive) {
			t.Errorf("cut at %d: expected %v, found %v", cut, wrong, err)
		}
		if list := items(t, s); len(list) > 1 {
			t.Errorf("cut at %d: expected what came before at most, found %v", cut, list)
		}
	}
}

// TestSizeInARecord: the length of a large file stands in a record of its entry, and
// counts as one in the header does.
func TestSizeInARecord(t *testing.T) {
	for size, want := range map[int]error{3: nil, 4: ErrArchive} {
		entries, _ := honest(t)
		text := pack(t, entries[:1])
		text = text[:len(text)-1024] // without the end
		text = append(text, recordBlocks(t, fmt.Sprintf("10 size=%d\n", size))...)
		text = append(text, pack(t, entries[1:])...)
		s := open(t, t.TempDir())
		imported, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1000})
		if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), "expected 3 bytes, as assay-cache.json says, found 4") {
			t.Errorf("size %d: expected %v, found %v", size, want, err)
		}
		if held := items(t, s); len(held) != len(imported) || len(held) != 2 && want == nil || len(held) != 0 && want != nil {
			t.Errorf("size %d: expected both blobs, or none, found %+v", size, held)
		}
	}
}

// recordBlocks are the header and the text of records for the next entry, which
// tar.Writer does not write for a short file: those of a file, with another type.
func recordBlocks(t *testing.T, records string) []byte {
	t.Helper()
	text := pack(t, []entry{file("records", []byte(records))})[:1024]
	const typeAt, sumAt, sumEnd = 156, 148, 156
	text[typeAt] = tar.TypeXHeader
	copy(text[sumAt:sumEnd], "        ")
	sum := 0
	for _, b := range text[:512] {
		sum += int(b)
	}
	copy(text[sumAt:sumEnd], fmt.Sprintf("%06o\x00 ", sum))
	return text
}
