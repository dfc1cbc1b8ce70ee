package cache

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"assay/artifact"
)

// SetAside tells when a damaged copy of a blob was moved to damaged/ last; the
// zero time: none is there. It may have been fetched again since, and it may have
// been another copy of the same bytes; so it explains why a blob is missing only
// to whoever knows that it was held before. An error is ErrDisk.
func (s *Store) SetAside(d artifact.Digest) (last time.Time, err error) {
	entries, err := os.ReadDir(s.damagedDir())
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	}
	if err != nil {
		return last, disk(s.damagedDir(), err)
	}
	for _, entry := range entries {
		// setAside names them HEX.NANOSECONDS, and .N behind that where it must.
		rest, ok := strings.CutPrefix(entry.Name(), d.Hex()+".")
		if !ok || d.IsZero() {
			continue
		}
		stamp, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.ParseInt(stamp, 10, 64); err == nil && time.Unix(0, n).After(last) {
			last = time.Unix(0, n)
		}
	}
	return last, nil
}
