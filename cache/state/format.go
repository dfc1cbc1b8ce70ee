package state

import (
	"fmt"
	"hash/crc32"
	"strconv"

	"go.etcd.io/bbolt"
)

// The versions of what is stored. A new database has the first; a later one is
// ErrNewer to a program that does not know it: an old program must not write
// what a newer one relies on.
const (
	formatFirst = 1
	formatLarge = 2 // large values have buckets of their own
	formatLast  = formatLarge
)

// The top-level tables: tableProofs is of proofs.db, tableMeta of both files, the
// others are of state.db.
const (
	tableMeta         = "meta"
	tableRepositories = "repositories"
	tableLayouts      = "layouts"
	tableTrust        = "trust"
	tableProofs       = "proofs"
)

const (
	keyFormat    = "format"
	keyMachineID = "machine-id"
)

// checkFormat compares the stored format with this program's.
func (s *session) checkFormat() error {
	var envelope []byte
	err := s.guard(func() error {
		if meta := s.tx.Bucket([]byte(tableMeta)); meta != nil {
			envelope = meta.Get([]byte(keyFormat))
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The envelope and the place of the format stay the same in every format.
	var value string
	err = s.guard(func() error {
		if err := checkEnvelope(envelope); err != nil {
			return err
		}
		value = string(envelope[crc32.Size:])
		return nil
	})
	if err != nil {
		return s.damaged("the format: %w", err)
	}
	version, err := strconv.Atoi(value)
	if err != nil || version < 1 {
		return s.damaged("expected a format number, found %q", clip(value))
	}
	if version > formatLast {
		return fmt.Errorf("%w: %s: expected format %d, found %d; use the version of assay that wrote it, or a later one", ErrNewer, s.path, formatLast, version)
	}
	s.format = version
	return nil
}

// raiseFormat makes sure that a program that does not know the format leaves the
// database alone.
func (s *session) raiseFormat(to int) error {
	if s.format >= to {
		return nil
	}
	meta, err := s.top(tableMeta)
	if err != nil {
		return err
	}
	s.format = to
	return meta.put(keyFormat, strconv.AppendInt(nil, int64(to), 10))
}

// writeFormat gives a new database its tables.
func (s *session) writeFormat() error {
	for _, name := range s.kind.tables {
		t, err := s.createTable(s.tx.CreateBucket, name, name)
		if err != nil {
			return err
		}
		if name != tableMeta {
			continue
		}
		if err := t.put(keyFormat, strconv.AppendInt(nil, formatFirst, 10)); err != nil {
			return err
		}
	}
	return nil
}

// top opens a top-level table.
func (s *session) top(name string) (*table, error) {
	var bucket *bbolt.Bucket
	if err := s.guard(func() error { bucket = s.tx.Bucket([]byte(name)); return nil }); err != nil {
		return nil, err
	}
	if bucket == nil {
		return nil, s.damaged("the table %q is missing", name)
	}
	return s.openTable(bucket, name)
}
