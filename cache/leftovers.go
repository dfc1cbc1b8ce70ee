package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// removeIfThere removes a file, and does not mind where it is gone.
func removeIfThere(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk(path, err)
}

// clearAside removes what was set aside long ago: blobs, and indexes.
func (p *pruner) clearAside() error {
	age := damagedAge
	if p.opts.Older != nil {
		age = *p.opts.Older
	}
	for _, dir := range []string{p.store.damagedDir(), p.store.dir} {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return disk(dir, err)
		}
		for _, entry := range entries {
			since, ok := setAsideAt(entry, dir == p.store.damagedDir())
			if !ok || p.now.Sub(since) <= age {
				continue
			}
			if err := p.clearOne(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// setAsideAt tells when a file was set aside, by the stamp in its name. In damaged/
// all were: one without a stamp counts by its own time. Elsewhere only indexes are.
func setAsideAt(entry fs.DirEntry, all bool) (since time.Time, ok bool) {
	if !all {
		index, rest, _ := strings.Cut(entry.Name(), ".damaged-")
		stamp, _, _ := strings.Cut(rest, ".")
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		return time.Unix(seconds, 0), err == nil && (index == "index.db" || index == "facts.db")
	}
	_, rest, _ := strings.Cut(entry.Name(), ".")
	stamp, _, _ := strings.Cut(rest, ".")
	if nanoseconds, err := strconv.ParseInt(stamp, 10, 64); err == nil {
		return time.Unix(0, nanoseconds), true
	}
	info, err := entry.Info()
	if err != nil {
		return time.Time{}, false // gone since
	}
	return info.ModTime(), true
}

// clearOne removes what was set aside: a file, or whatever else stood in the place
// of a blob. Links are not followed.
func (p *pruner) clearOne(path string) error {
	var bytes int64
	err := filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err == nil && !p.opts.DryRun {
		err = os.RemoveAll(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // by somebody else
	}
	if err != nil {
		return disk(path, err)
	}
	p.report.Damaged++
	p.report.DamagedBytes += bytes
	return nil
}

// sweepTemporary removes files in the making that nobody finished for a day. What
// it can't remove waits for another time.
func (s *Store) sweepTemporary() {
	dirs := []string{s.dir}
	for _, kind := range Kinds() {
		dirs = append(dirs, filepath.Join(s.refsDir(), string(kind)))
	}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || !isTemporary(entry.Name()) || !info.Mode().IsRegular() || s.now().Sub(info.ModTime()) <= staleAge {
				continue
			}
			if err := removeIfThere(filepath.Join(dir, entry.Name())); err != nil {
				s.notice("an old temporary file could not be removed: " + err.Error())
			}
		}
	}
}

// forgetAbsent removes entries and facts whose blob is not there.
func (s *Store) forgetAbsent(ctx context.Context) error {
	entered := map[artifact.Digest]int64{}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		clear(entered)
		return forEach(tx, func(d artifact.Digest, r record) {
			if _, err := os.Lstat(s.path(d)); errors.Is(err, fs.ErrNotExist) {
				entered[d] = r.Length
			}
		})
	})
	if err != nil {
		return err
	}
	if _, err := s.forget(ctx, entered); err != nil {
		return err
	}
	var described []artifact.Digest
	err = s.facts.run(ctx, false, func(tx *bbolt.Tx) error {
		described = nil
		return tx.Bucket(bucketDigests).ForEach(func(key, _ []byte) error {
			d, err := artifact.ParseDigest(string(key))
			if err != nil {
				return &corruptEntry{err.Error()}
			}
			if _, err := os.Lstat(s.path(d)); errors.Is(err, fs.ErrNotExist) {
				described = append(described, d)
			}
			return nil
		})
	})
	if err != nil || len(described) == 0 {
		return err
	}
	return s.facts.run(ctx, true, func(tx *bbolt.Tx) error { return dropFacts(tx, described...) })
}
