package testrepo

import (
	"bytes"
	"errors"
	"testing"
)

func TestApprove(t *testing.T) {
	t.Parallel()
	upstream, err := Sample(Options{})
	if err != nil {
		t.Fatal(err)
	}
	approvals, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := approvals.Approve(upstream, "hello/9.9.9/"); !errors.Is(err, ErrUnknown) {
		t.Errorf("expected %v, found %v", ErrUnknown, err)
	}
	if err := approvals.Approve(upstream, "hello/1.5.0/"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"hello/1.5.0/release.json": true, "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz": true,
		"hello/1.5.1/release.json": false, "catalog.json": false,
	} {
		theirs, _ := upstream.Target(path)
		ours, ok := approvals.Target(path)
		if ok != want || ok && !bytes.Equal(ours, theirs) {
			t.Errorf("%s: expected it to be approved: %v, found %v", path, want, ok)
		}
	}
}
