package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// clearPartials removes partial files of transfers that nobody is at: those older
// than Older, or, where only the size counts, all that nobody wrote to lately. They
// hold nothing that is proven, so they go before any blob.
//
// A crash leaves some of a transfer's files; without its record a partial file is as
// none.
func (p *pruner) clearPartials() error {
	age := settled
	if p.opts.Older != nil {
		age = max(age, *p.opts.Older)
	}
	entries, err := os.ReadDir(p.store.stagingDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return disk(p.store.stagingDir(), err)
	}
	for _, entry := range entries {
		stem, isPart := strings.CutSuffix(entry.Name(), partSuffix)
		info, err := entry.Info()
		if !isPart || err != nil || p.now.Sub(info.ModTime()) <= age {
			continue // err: it is gone
		}
		if err := p.clearPartial(filepath.Join(p.store.stagingDir(), stem), info); err != nil {
			return err
		}
	}
	return nil
}

func (p *pruner) clearPartial(base string, info fs.FileInfo) error {
	lock, err := tryAcquire(base + lockSuffix)
	if lock == nil || err != nil {
		return err // somebody is at it
	}
	if !p.opts.DryRun {
		left := Stage{path: base + partSuffix}
		if err := left.forget(); err != nil {
			return errors.Join(err, lock.release())
		}
	}
	p.report.Partial++
	p.report.PartialBytes += info.Size()
	return lock.release()
}
