package mirror_test

import (
	"errors"
	"os"
	"testing"

	"assay/internal/testrepo"
	"assay/mirror"
)

func TestDamageThatIsNotHealedIsFetchedByTheNextRun(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	f, err := r.m.Find("acme", "targets/"+helloLinux)
	must(t, err)
	blob, err := r.folder.Cache().Get(f.Digests.Primary())
	must(t, err)
	must(t, os.Chmod(blob.Path(), 0o600))
	file, err := os.OpenFile(blob.Path(), os.O_WRONLY, 0)
	must(t, err)
	_, err = file.WriteAt([]byte{0xff}, 3)
	must(t, errors.Join(err, file.Close()))
	r.server.Status("hello", 503)
	if damaged, err := r.m.ScrubNow(t.Context(), 0); err != nil || damaged != 1 {
		t.Fatalf("scrub: expected one damaged object, found %d, %v", damaged, err)
	}
	if st, err := r.m.Status("acme"); err != nil || st.Targets.Missing != 1 {
		t.Errorf("expected one to be missing, found %+v, %v", st.Targets, err)
	}
	r.server.Clear()
	if run := r.sync(mirror.Done); run.Fetched != 1 || run.Targets.Missing != 0 || run.Targets.Held != run.Targets.Carried {
		t.Errorf("expected it to be fetched, though the upstream has nothing new, found %+v", run)
	}
}
