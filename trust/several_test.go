package trust_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// sources is a Several of folders, in the order in which they are asked.
type sources []trust.Remote

func (s sources) ReadMetadata(ctx context.Context, name string, limit int64) (raw []byte, err error) {
	err = s.ReadJudged(ctx, name, limit, func(data []byte) error { raw = data; return nil })
	return raw, err
}

func (s sources) ReadJudged(ctx context.Context, name string, limit int64, judge func([]byte) error) error {
	var err error
	for i, remote := range s {
		raw, failed := remote.ReadMetadata(ctx, name, limit)
		if failed == nil {
			if failed = judge(raw); failed == nil {
				return nil
			}
		}
		if errors.Is(failed, trust.ErrNoMetadata) && strings.HasSuffix(name, ".root.json") {
			return failed // there is no further root
		}
		err = fmt.Errorf("%w (from %d)", failed, i)
	}
	return err
}

// spoilt is a Remote that spoils some files.
type spoilt struct {
	trust.Remote
	files map[string]string
}

func (s spoilt) ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	for part, data := range s.files {
		if strings.HasSuffix(name, part) {
			return []byte(data), nil
		}
	}
	return s.Remote.ReadMetadata(ctx, name, limit)
}

// Whatever one source spoils, the next one is asked; and where none has better, the
// error is the same as that of one source alone.
func TestSeveralSources(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"2.root.json", "timestamp.json", "snapshot.json", "targets.json"} {
		for name, text := range map[string]string{"no metadata": `{}`, "empty": "", "another's": "genuine, of another repository"} {
			b, stranger := newBench(t, testrepo.Options{}), newBench(t, testrepo.Options{})
			if name == "another's" {
				must(t, stranger.repo.RotateRoot())
				stranger.publish()
				text = string(stranger.repo.Files(0)[file])
			}
			bad := spoilt{b.remote, map[string]string{file: text}}
			try := func(remote trust.Remote) error {
				b.store = &trust.MemStore{}
				b.config.Store, b.config.Remote = newPolice(t, b.store), remote
				_, err := b.refresh()
				return err
			}
			if err := try(sources{bad, b.remote}); err != nil {
				t.Errorf("%s, %s: expected the other source to be asked, found %v", file, name, err)
			}
			alone, all := try(bad), try(sources{bad, bad})
			if alone == nil || all == nil || strings.ReplaceAll(all.Error(), " (from 1)", "") != alone.Error() {
				t.Errorf("%s, %s: expected the error of one source alone\n\t%v\n\tfound\n\t%v", file, name, alone, all)
			}
			// What is refused is told as such, and not as a failure of the source.
			if text := alone.Error(); strings.Count(text, "acme:") != 1 || strings.Contains(text, strings.TrimSuffix(file, ".json")+" 1: ") {
				t.Errorf("%s, %s: found %v", file, name, alone)
			}
			for _, kind := range []error{trust.ErrMalformed, trust.ErrMismatch, trust.ErrSignature, trust.ErrNoAnswer, trust.ErrRootChain} {
				if errors.Is(alone, kind) != errors.Is(all, kind) {
					t.Errorf("%s, %s: expected %v alike in %v and %v", file, name, kind, alone, all)
				}
			}
			if errors.Is(try(sources{spoilt{b.remote, nil}, bad}), trust.ErrMalformed) {
				t.Errorf("%s, %s: an honest source before a bad one fails", file, name)
			}
		}
	}
}

// A source that is behind what was accepted, or expired, is passed over, too.
func TestSeveralSourcesOneOfThemOld(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	old := &remote{repo: b.repo, generation: 1}
	must(t, b.repo.Renew())
	b.publish()
	b.mustRefresh()
	b.config.Remote = old
	b.refuses(trust.ErrRollback)
	b.config.Remote = sources{old, b.remote}
	b.mustRefresh()
	b.store = &trust.MemStore{} // nothing was accepted yet, and a day goes by
	b.config.Store = newPolice(t, b.store)
	b.now = b.now.Add(25 * time.Hour)
	must(t, b.repo.Renew())
	b.publish()
	if view := b.mustRefresh(); version(view, "timestamp") != 3 {
		t.Errorf("expected timestamp 3, found %d", version(view, "timestamp"))
	}
}
