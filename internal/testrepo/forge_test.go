package testrepo_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// TestForgeries does each attack once, sees the error that it is for, and sees
// the repository whole again after the next publication.
func TestForgeries(t *testing.T) {
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	unsigned, version, mismatch, malformed := &metadata.ErrUnsignedMetadata{}, &metadata.ErrBadVersionNumber{}, &metadata.ErrLengthOrHashMismatch{}, &metadata.ErrValue{}
	is := func(err error, kind error) bool {
		return fmt.Sprintf("%T", errors.Unwrap(err)) == fmt.Sprintf("%T", kind)
	}
	for name, c := range map[string]struct {
		role    string
		forgery testrepo.Forgery
		at      string // where verification stops
		kind    error
	}{
		"a stranger's key": {"timestamp", testrepo.Forgery{Keys: []*testrepo.Key{stranger}}, "timestamp", unsigned},
		"nobody signs":     {"snapshot", testrepo.Forgery{Keys: []*testrepo.Key{}}, "snapshot", unsigned},
		"changed after signing": {"hello", testrepo.Forgery{Bytes: func(b []byte) []byte {
			return bytes.Replace(b, []byte("hello_1.4.2"), []byte("hello_6.6.6"), 1)
		}}, `role "hello" by "targets"`, unsigned},
		"snapshot of other bytes": {"timestamp", testrepo.Forgery{Signed: func(s any) {
			ts := s.(*metadata.TimestampType)
			ts.Meta["snapshot.json"] = testrepo.Describe(ts.Meta["snapshot.json"].Version, []byte("other"))
		}}, "snapshot", mismatch},
		"version inside the file": {"hello", testrepo.Forgery{Signed: func(s any) {
			s.(*metadata.TargetsType).Version = 99
		}}, `role "hello" by "targets"`, version},
		"root skips a version": {"root", testrepo.Forgery{Signed: func(s any) {
			s.(*metadata.RootType).Version = 9
		}}, "root 2", version},
		"another role's metadata": {"targets", testrepo.Forgery{Signed: func(s any) {
			s.(*metadata.TargetsType).Type = "snapshot"
		}}, `role "targets" by "root"`, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			r := small(t, testrepo.Options{})
			must(t, r.Publish())
			must(t, r.Forge(c.role, c.forgery))
			must(t, r.Publish())
			_, err := verify(held(r), time.Now())
			if err == nil || !strings.HasPrefix(err.Error(), c.at+":") || !is(err, c.kind) {
				t.Fatalf("expected %T at %s, found %v", c.kind, c.at, err)
			}
			if c.role == "root" {
				return // a chain that is broken once stays so
			}
			must(t, r.Renew(c.role))
			must(t, r.Publish())
			_, err = verify(held(r), time.Now())
			must(t, err)
		})
	}
}

// TestOlderSnapshotSignedAnew is the attack of someone who holds the timestamp
// key: every file verifies, so only a client that remembers can tell.
func TestOlderSnapshotSignedAnew(t *testing.T) {
	r := small(t, testrepo.Options{})
	must(t, r.Renew("hello"))
	must(t, r.Publish())
	older := r.Files(1)["1.snapshot.json"]
	must(t, r.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TimestampType).Meta["snapshot.json"] = testrepo.Describe(1, older)
	}}))
	must(t, r.PublishTimestamp())
	tm, err := verify(held(r), time.Now())
	must(t, err)
	if tm.Timestamp.Signed.Version != 3 || tm.Snapshot.Signed.Version != 1 || tm.Targets["hello"].Signed.Version != 1 {
		t.Errorf("expected timestamp 3 with snapshot 1 and hello 1, found %d, %d, %d",
			tm.Timestamp.Signed.Version, tm.Snapshot.Signed.Version, tm.Targets["hello"].Signed.Version)
	}
}

func TestSetFileStaysUntilPublished(t *testing.T) {
	r, s := serve(t, testrepo.Options{})
	must(t, r.SetFile("timestamp.json", []byte("not JSON")))
	must(t, r.SetFile("left/over", []byte("x")))
	must(t, r.RemoveFile("1.hello.json"))
	read := overHTTP(t, s.URL)
	if got := read("timestamp.json"); string(got) != "not JSON" {
		t.Errorf("timestamp.json: %q", got)
	}
	if read("1.hello.json") != nil {
		t.Error("a removed file is served")
	}
	must(t, r.Renew("hello"))
	must(t, r.Publish())
	if got := read("left/over"); string(got) != "x" {
		t.Errorf("left/over: %q", got)
	}
	_, err := verify(read, time.Now())
	must(t, err)
}
