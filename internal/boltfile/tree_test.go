package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// TestCheckPagesOrder makes a key smaller than the one before it, and equal to
// it: one of them would not be found.
func TestCheckPagesOrder(t *testing.T) {
	data := database(t)
	seen := map[uint16]int{}
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		head := parsePage(data[at:])
		if head.flags != flagBranch && head.flags != flagLeaf || head.count < 3 || !inUse(t, data, head.id) {
			continue
		}
		for _, i := range []int{1, head.count - 1} {
			key := keyOf(data[at:], head, i)
			before := bytes.Clone(key)
			seen[head.flags]++
			clear(key)
			if err := check(data); !errors.Is(err, ErrPages) {
				t.Errorf("page %d of kind %d, key %d: expected %v, found %v", head.id, head.flags, i, ErrPages, err)
			}
			copy(key, before)
		}
		// Twice the same key.
		first, second := keyOf(data[at:], head, 0), keyOf(data[at:], head, 1)
		before := bytes.Clone(second)
		if copy(second, first); len(first) == len(second) {
			if err := check(data); !errors.Is(err, ErrPages) {
				t.Errorf("page %d of kind %d, one key twice: expected %v, found %v", head.id, head.flags, ErrPages, err)
			}
		}
		copy(second, before)
	}
	if err := check(data); err != nil || seen[flagBranch] == 0 || seen[flagLeaf] < 10 {
		t.Errorf("expected to have met branches and leaves of a whole file, found %v, %v", seen, err)
	}
}

// TestCheckPagesBounds lowers the separator of a branch page, or raises it, with
// the order among the separators kept.
func TestCheckPagesBounds(t *testing.T) {
	data := database(t)
	tried := 0
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		head := parsePage(data[at:])
		if head.flags != flagBranch || head.count < 3 || !inUse(t, data, head.id) {
			continue
		}
		key := keyOf(data[at:], head, 1)
		before := bytes.Clone(key)
		key[len(key)-1]++
		if err := check(data); !errors.Is(err, ErrPages) {
			t.Errorf("raised: expected %v, found %v", ErrPages, err)
		}
		// Just above the first separator: the pages before it hold more than that.
		copy(key, keyOf(data[at:], head, 0))
		key[len(key)-1]++
		if err := check(data); !errors.Is(err, ErrPages) {
			t.Errorf("lowered: expected %v, found %v", ErrPages, err)
		}
		copy(key, before)
		tried++
	}
	if tried == 0 {
		t.Error("the test's database has no branch page")
	}
}

// TestCheckPagesOutside points each number of an entry, in turn, out of its page:
// to the end of the file, beyond it, and as far as the number goes.
func TestCheckPagesOutside(t *testing.T) {
	data := database(t)
	seen := map[uint16]int{}
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		head := parsePage(data[at:])
		if head.flags != flagBranch && head.flags != flagLeaf || head.count < 3 || !inUse(t, data, head.id) || seen[head.flags] == 2 {
			continue
		}
		seen[head.flags]++
		for field := range 4 { // kind, position, key, value; or position, key, page
			number := data[at+pageHeader+pageElement+4*field:][:4]
			if head.flags == flagBranch && field == 3 { // the upper half of the page's number
				continue
			}
			before := bytes.Clone(number)
			for _, value := range []uint32{uint32(len(data) - at), uint32(2 * len(data)), 1<<32 - 1} {
				binary.NativeEndian.PutUint32(number, value)
				if err := check(data); !errors.Is(err, ErrPages) {
					t.Errorf("page %d of kind %d, field %d, %d: expected %v, found %v", head.id, head.flags, field, value, ErrPages, err)
				}
			}
			copy(number, before)
		}
	}
	if seen[flagBranch] == 0 || seen[flagLeaf] == 0 {
		t.Errorf("expected to have met both kinds of page, found %v", seen)
	}
}

// TestExtentIsBounded: no number in a page makes it read beyond itself, or take
// more memory than what is looked for may need.
func TestExtentIsBounded(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789"), 10)
	x := &extent{c: &pageChecker{r: bytes.NewReader(file)}, offset: 10, length: 40, start: file[10:20]}
	for _, test := range []struct{ at, length, limit int64 }{{5, 11, 10}, {30, 11, 20}, {41, 0, 20}, {0, 1 << 32, 1 << 40}} {
		if data, err := x.bytes(test.at, test.length, test.limit); !errors.Is(err, ErrPages) || data != nil {
			t.Errorf("%v: expected %v, found %q, %v", test, ErrPages, data, err)
		}
	}
	for at, want := range map[int64]string{2: "234", 9: "901", 37: "789"} {
		if data, err := x.bytes(at, 3, 3); err != nil || string(data) != want {
			t.Errorf("at %d: expected %q, found %q, %v", at, want, data, err)
		}
	}
}

// keyOf is the i-th key of a page.
func keyOf(data []byte, head page, i int) []byte {
	entry := pageHeader + i*pageElement
	position, length := 0, 4
	if head.flags == flagLeaf {
		position, length = 4, 8
	}
	start := entry + int(binary.NativeEndian.Uint32(data[entry+position:]))
	return data[start : start+int(binary.NativeEndian.Uint32(data[entry+length:]))]
}

// inUse tells the pages of the trees from those that were freed.
func inUse(t *testing.T, data []byte, id uint64) bool {
	t.Helper()
	c := &pageChecker{r: bytes.NewReader(data), size: int64(len(data))}
	meta, err := c.readMetas()
	if err != nil {
		t.Fatal(err)
	}
	c.state = make([]byte, meta.pages)
	if err := c.tree(meta.root); err != nil {
		t.Fatal(err)
	}
	return c.state[id] == 1
}

// TestCheckPagesAcceptsAnyHistory writes and deletes at random: whatever bbolt
// makes of it is in order.
func TestCheckPagesAcceptsAnyHistory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: false})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for round := range 150 {
		err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(fmt.Appendf(nil, "bucket-%d", random.IntN(3)))
			for range 60 {
				key := fmt.Appendf(nil, "%0*d", 1+random.IntN(40), random.IntN(2000))
				switch size := random.IntN(100); {
				case size < 40 || round%10 > 6:
					err = errors.Join(err, b.Delete(key))
				case size < 42:
					err = errors.Join(err, b.Put(key, make([]byte, 9000)))
				default:
					err = errors.Join(err, b.Put(key, make([]byte, size)))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if err == nil {
			err = CheckPages(file, info.Size())
		}
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}
