package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"assay/cache"
)

// TestFullDisk: wherever the disk fills up, what ran runs, and nothing hidden is left;
// with room the same install succeeds.
func TestFullDisk(t *testing.T) {
	if os.Getenv(faultsVariable) == "none" {
		t.Skip("left out by " + faultsVariable)
	}
	home := t.TempDir()
	disk := filepath.Join(home, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("assay", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	store, err := cache.Open(filepath.Join(home, "cache"), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t}
	b.Store, err = Open(Config{Dir: filepath.Join(disk, "data"), Bin: filepath.Join(disk, "bin"), Cache: store, Notice: func(text string) { b.notices = append(b.notices, text) }})
	if err != nil {
		t.Fatal(err)
	}
	b.installs("1.0.0")
	big := make([]entry, 8)
	for i := range big {
		big[i] = entry{path: fmt.Sprintf("hello-2.0.0/%d", i), text: strings.Repeat(string(rune('a'+i)), 64<<10)}
	}
	r, data := version("2.0.0", big...)
	blob := b.blob(data)
	page := int64(os.Getpagesize())
	failed := 0
	for room := int64(0); ; room += page {
		free := fillDisk(t, disk, room)
		_, err := b.Install(t.Context(), r, blob, Options{})
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			break
		}
		failed++
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("with %d bytes: expected a full disk, found %v", free, err)
		}
		b.runs("hello", "1.0.0")
		if list, current, err := b.Generations(hello); err != nil || current != 1 || len(list) == 2 && !list[0].Loose || len(list) > 2 {
			t.Errorf("expected the old one current, and of the new one nothing, or all and unused, found %v, %d, %v", list, current, err)
		} else {
			b.wantTidy([]string{"1", "2"}[:len(list)]...)
		}
		if t.Failed() {
			t.Fatalf("with %d bytes", free)
		}
	}
	if failed < 100 {
		t.Errorf("expected it to fail in each phase, it did %d times", failed)
	}
	b.runs("hello", "2.0.0")
	b.wantTidy("1", "2")
}

// fillDisk leaves so many bytes.
func fillDisk(t *testing.T, disk string, room int64) int64 {
	t.Helper()
	var stat syscall.Statfs_t
	if err := syscall.Statfs(disk, &stat); err != nil {
		t.Fatal(err)
	}
	size := int64(stat.Bavail)*stat.Bsize - room
	if size < 0 {
		t.Fatal("it does not fit at all")
	}
	file, err := os.Create(filepath.Join(disk, "filler"))
	if err == nil {
		err = errors.Join(syscall.Fallocate(int(file.Fd()), 0, 0, max(size, 1)), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return room
}
