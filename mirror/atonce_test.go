package mirror_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
)

// together lets nobody know how much is free before two have asked.
type together struct {
	storage.Storage
	mu    sync.Mutex
	asked int
	both  chan struct{}
}

func (s *together) Free(ctx context.Context) (int64, error) {
	s.mu.Lock()
	if s.asked++; s.asked == 2 {
		close(s.both)
	}
	s.mu.Unlock()
	<-s.both
	return s.Storage.Free(ctx)
}

func TestQuotaIsNotPromisedTwice(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	for _, name := range []string{"large/a", "large/b"} {
		must(t, r.repo.AddLarge(name, 1<<20, uint64(name[6])))
	}
	must(t, r.repo.Publish())
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	st, err := r.m.Storage(t.Context())
	must(t, err)
	c := r.config()
	c.Quota, c.Storage = st.Used+3<<19, &together{Storage: r.folder, both: make(chan struct{})}
	m, err := mirror.Open(t.Context(), c)
	must(t, err)
	defer m.Close()
	held := r.server.Hold("large/")
	ended := make(chan error)
	for _, name := range []string{"large/a", "large/b"} {
		go func() {
			f, err := m.Find("acme", "targets/"+name)
			if err == nil {
				var object storage.Object
				if object, err = m.Open(t.Context(), f); err == nil {
					err = object.Close()
				}
			}
			ended <- err
		}()
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for first := true; first; {
		select {
		case err := <-ended:
			if first = false; !errors.Is(err, mirror.ErrQuota) {
				t.Errorf("the second: expected %v, found %v", mirror.ErrQuota, err)
			}
		case <-tick.C:
			if r.asked("large/") == 2 {
				t.Error("expected room for one, found both to be fetched")
				first = false
				go func() { <-ended }()
			}
		}
	}
	held.Release()
	if err := <-ended; err != nil {
		t.Errorf("the first: expected it to be served, found %v", err)
	}
}

func TestQuarantineThatAnotherWroteIsTakenUp(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	must(t, r.m.Hold(t.Context(), "acme", helloLinux, "looks odd"))
	// As a demand does that began before the settings changed.
	data, version, err := r.folder.Document(t.Context(), "quarantine/acme")
	must(t, err)
	_, err = r.folder.Replace(t.Context(), "quarantine/acme", version, append(data, '\n'))
	must(t, err)
	if err := r.m.Hold(t.Context(), "acme", helloWindows, "looks odd"); !errors.Is(err, storage.ErrChanged) {
		t.Errorf("written meanwhile: expected %v, found %v", storage.ErrChanged, err)
	}
	must(t, r.m.Hold(t.Context(), "acme", helloWindows, "looks odd"))
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
	r.refused("targets/"+helloWindows, mirror.ErrQuarantined)
	if run := r.sync(mirror.Partial); run.Targets.Quarantined != 2 {
		t.Errorf("expected two in quarantine, found %+v", run.Targets)
	}
}
