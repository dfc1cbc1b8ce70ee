package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/lockfile"
	"assay/trust"
)

// proveAll proves what is new, bytes and all, and judges again what was proven when
// it was locked. With --check nothing is fetched, and what has changed is told in any
// case.
func (l *locking) proveAll(ctx context.Context) error {
	var all []*lockPick
	fresh, platforms := 0, map[artifact.Platform]bool{}
	for _, t := range l.tools {
		for _, p := range t.picks {
			p.same = p.same && !changesArtifact(l.doc.Changes, p)
			if all = append(all, p); !p.same {
				fresh++
				platforms[p.platform] = true
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	if fresh > 0 && !l.c.Bool(flagCheck) {
		l.app.out.talk("proving %s of %s, for %s", countOf(fresh, "artifact"), countOf(len(l.tools), "tool"), countOf(len(platforms), "platform"))
	}
	shown := l.app.progress.batch(len(all))
	defer shown.close()
	errs := make([]error, len(all))
	inTurns(len(all), func(i int) {
		errs[i] = l.prove(ctx, all[i])
		shown.ended()
	})
	for i, err := range errs {
		if err != nil {
			of := all[i].selection
			what := asked{repository: of.Repository, product: of.Product, version: of.Version.String(), target: of.Target.Path()}
			return l.app.noteRefusal(ctx, l.session, what, fmt.Errorf("%s %s for %s: %w", of.Product, of.Version, all[i].platform, err))
		}
		l.doc.Moved += all[i].moved
	}
	return nil
}

// changesArtifact reports whether something of an artifact is to be changed.
func changesArtifact(changes []lockfile.Change, p *lockPick) bool {
	return slices.ContainsFunc(changes, func(c lockfile.Change) bool {
		return c.Kind == lockfile.KindProduct && c.Name == p.selection.Product && c.Repository == p.selection.Repository &&
			(c.Platform == p.platform.String() || c.Platform == "" && (c.What == "" || c.What == "version"))
	})
}

func (l *locking) prove(ctx context.Context, p *lockPick) error {
	client := l.session.client
	if p.same || l.c.Bool(flagCheck) {
		err := client.Judge(ctx, &p.selection)
		if !errors.Is(err, fetch.ErrOffline) || l.session.config.Offline {
			return err
		}
		// It can't be judged without its bytes; what was found so far is found again.
		if p.selection, err = client.SelectExact(ctx, p.release, p.part); err != nil {
			return err
		}
	}
	held, err := client.GetSelected(ctx, p.selection)
	if err != nil {
		return err
	}
	p.moved = held.Moved
	if held.Moved == 0 {
		return nil
	}
	log, err := l.app.auditor(ctx, l.session)
	if err != nil {
		return err
	}
	return log.noteGet(ctx, held, "into the cache, for "+l.file)
}

// sameAsLocked compares what is promised under a locked path with the lock. Where
// this machine has proven the locked bytes under that path before, the publisher has
// changed them; else it may as well be the lock that was changed.
func (a *app) sameAsLocked(ctx context.Context, s *session, repository string, locked lockfile.Artifact, found trust.Target) error {
	expected, other := locked.Digests.Primary().String(), found.Digests().Primary().String()
	switch {
	case !locked.Digests.Agree(found.Digests()):
		for _, digest := range locked.Digests { // by the same algorithm, that it can be seen
			if same, ok := found.Digests().Of(digest.Algorithm()); ok && same != digest {
				expected, other = digest.String(), same.String()
			}
		}
	case locked.Length != found.Length():
		expected, other = fmt.Sprintf("%d bytes", locked.Length), fmt.Sprintf("%d", found.Length())
	default:
		return nil
	}
	receipt, err := s.receiptOf(ctx, repository, locked)
	if err != nil {
		return err
	}
	kind := errLock
	if receipt != nil && !locked.Digests.Agree(found.Digests()) {
		kind = errChangedSince
	}
	return fmt.Errorf("%w: %s of %s: expected %s, as is locked, found %s promised", kind, locked.Target, repository, expected, other)
}

// lockAtOnce is how many artifacts are proven at once: each downloads, too, which the
// client bounds.
const lockAtOnce = 8

// inTurns does n things, some at once.
func inTurns(n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, lockAtOnce) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}
