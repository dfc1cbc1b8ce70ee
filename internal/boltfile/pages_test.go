package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// database is a bbolt file with every kind of page: branches, overflow, free
// pages, inline and full buckets.
func database(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		err := db.Update(func(tx *bbolt.Tx) error {
			small, _ := tx.CreateBucketIfNotExists([]byte("small"))
			inner, _ := small.CreateBucketIfNotExists([]byte("inner"))
			large, _ := tx.CreateBucketIfNotExists([]byte("large"))
			errs := []error{inner.Put([]byte("key"), []byte("value")), large.Put([]byte("z"), make([]byte, 30000))}
			for i := range 400 {
				key := fmt.Appendf(nil, "key-%d-%d", round, i)
				errs = append(errs, large.Put(key, bytes.Repeat([]byte{'v'}, 40)))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func check(data []byte) error { return CheckPages(bytes.NewReader(data), int64(len(data))) }

func TestCheckPagesAcceptsWhatBboltWrites(t *testing.T) {
	data := database(t)
	if err := check(data); err != nil {
		t.Fatal(err)
	}
	kinds := map[uint16]bool{}
	for at := 0; at+pageHeader <= len(data); at += os.Getpagesize() {
		kinds[parsePage(data[at:]).flags] = true
	}
	for _, kind := range []uint16{flagBranch, flagLeaf, flagMeta, flagFreelist} {
		if !kinds[kind] {
			t.Errorf("the test's database lacks pages of kind %#x", kind)
		}
	}
}

func TestCheckPagesTruncated(t *testing.T) {
	data := database(t)
	size := os.Getpagesize()
	used := int(binary.NativeEndian.Uint64(data[pageHeader+40:])) * size
	for _, length := range []int{0, 1, 15, 79, 80, size, size + 1, 2 * size, 3 * size, used / 2, used - size, used - 1} {
		if err := check(data[:length]); !errors.Is(err, ErrPages) {
			t.Errorf("%d of %d bytes: expected %v, found %v", length, len(data), ErrPages, err)
		}
	}
}

// TestCheckPagesFlipped damages each byte of the header of each page in use,
// other than the count of a leaf, whose loss only its reader can notice: each bit
// in the first page of a kind, one in the others.
func TestCheckPagesFlipped(t *testing.T) {
	data := database(t)
	size := os.Getpagesize()
	c := &pageChecker{r: bytes.NewReader(data), size: int64(len(data))}
	meta, err := c.readMetas()
	if err != nil {
		t.Fatal(err)
	}
	c.state = make([]byte, meta.pages)
	if err := c.tree(meta.root); err != nil {
		t.Fatal(err)
	}
	heads := []uint64{0, 1, meta.freelist}
	for id := range c.state {
		if head := parsePage(data[id*size:]); c.state[id] == 1 && head.id == uint64(id) && head.flags != 0 {
			heads = append(heads, uint64(id))
		}
	}
	met := map[uint16]bool{}
	for _, id := range heads {
		kind := parsePage(data[id*uint64(size):]).flags
		first := !met[kind] || id < 2
		met[kind] = true
		for i := range pageHeader {
			at := int(id)*size + i
			leafCount := kind == flagLeaf && (i == 10 || i == 11)
			for bit := range 8 {
				if !first && bit != (i+int(id))%8 {
					continue
				}
				data[at] ^= 1 << bit
				err := check(data)
				data[at] ^= 1 << bit
				if !leafCount && !errors.Is(err, ErrPages) {
					t.Errorf("page %d, byte %d, bit %d: expected %v, found %v", id, i, bit, ErrPages, err)
				}
			}
		}
	}
	if err := check(data); err != nil {
		t.Fatal(err)
	}
}

// FuzzCheckPages asserts that what the check accepts can be read by bbolt to
// its end.
func FuzzCheckPages(f *testing.F) {
	f.Add(uint32(0), byte(0))
	f.Add(uint32(4096*3+8), byte(2))
	whole := database(f)
	f.Fuzz(func(t *testing.T, at uint32, value byte) {
		data := bytes.Clone(whole)
		data[int(at)%len(data)] ^= value
		if check(data) != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatalf("the check passed, but bbolt does not open it: %v", err)
		}
		defer db.Close()
		err = db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(k, v []byte) error { return nil })
			})
		})
		if err != nil {
			t.Fatalf("the check passed, but bbolt does not read it: %v", err)
		}
	})
}
