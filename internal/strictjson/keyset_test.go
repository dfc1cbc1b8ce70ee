package strictjson

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// object writes the keys as they are, each with an object of two keys.
func object(keys []string) string {
	var b strings.Builder
	for i, key := range keys {
		fmt.Fprintf(&b, `%c"%s": {"z":{},"a":[]}`, ",{"[max(0, 1-i)], key)
	}
	return b.String() + "}"
}

func ascending(n int) []string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("k%05d", i))
	}
	return keys
}

func TestRepeatedKeys(t *testing.T) {
	few, many := ascending(fewKeys-1), ascending(3*fewKeys)
	backwards := slices.Clone(many)
	slices.Reverse(backwards)
	for _, test := range []struct {
		name  string
		keys  []string
		again int // index of the key that is found to be there already, negative if none
	}{
		{"few in order", few, -1},
		{"many in order", many, -1},
		{"many backwards", backwards, -1},
		{"first of few", append(slices.Clone(few), "k00000"), fewKeys - 1},
		{"last of few", append(slices.Clone(few), few[fewKeys-2]), fewKeys - 1},
		{"as many as are searched, and one more", append(ascending(fewKeys), "k00000"), fewKeys},
		{"first of many", append(slices.Clone(many), "k00000"), len(many)},
		{"middle of many", append(slices.Clone(many), "k00030", "z"), len(many)},
		{"last of many", append(slices.Clone(many), many[len(many)-1]), len(many)},
		{"after the order broke", append(slices.Clone(many), "j", "m", "k", "m"), len(many) + 3},
		{"the first of two", append(slices.Clone(many), "k00040", "k00010", "k00040"), len(many)},
		{"the first of two, in order", append(slices.Clone(many), "j", "k00010", "k00040"), len(many) + 1},
		{"one of many backwards", append(slices.Clone(backwards), "k00020"), len(backwards)},
		{"escaped, of few", []string{"b", "a", `\u0062`}, 2},
		{"escaped first, of few", []string{`\u0062`, "a", "b"}, 2},
		{"escaped, of many", append(slices.Clone(many), `k0003\u0030`), len(many)},
		{"escaped first, of many", append([]string{`\u006b`, `\u006a`}, append(slices.Clone(many), "j")...), 2 + len(many)},
		{"escaped quote in a key of few", []string{"b", "a", `a\"`, `a\\`, "a!", "a0"}, -1},
		{"escapes that order the keys", append(slices.Clone(many), `k0003\u0030\u0030`, "l", `\u006d`, "n"), -1},
		{"the same again and again", append(append(slices.Clone(many), "j"), slices.Repeat([]string{"mm"}, 40)...), len(many) + 2},
		{"a key that begins another, of few", []string{"b", "ab", "a", "abc", "", "!"}, -1},
		{"a key that begins another", append(slices.Clone(many), "k0000", "k000000", "k0000 ", "k0000!"), -1},
	} {
		for depth := 1; depth <= 2*shallow; depth++ {
			t.Run(fmt.Sprintf("%s/%d", test.name, depth), func(t *testing.T) {
				before := strings.Repeat(`{"a":1,"x":`, depth-1)
				doc := before + object(test.keys) + strings.Repeat("}", depth-1)
				err := Screen([]byte(doc), Limits{Bytes: len(doc), Depth: 100})
				if test.again < 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e, ok := errors.AsType[*Error](err)
				if !errors.Is(err, ErrDuplicate) || !ok {
					t.Fatalf("got %v, want %v", err, ErrDuplicate)
				}
				offset := len(before) + len(object(test.keys[:test.again]))
				key := string(unescape([]byte(test.keys[test.again])))
				if path := strings.Repeat("x.", depth-1) + key; int(e.Offset) != offset || e.Path != path {
					t.Errorf("got path %q offset %d, want %q %d", e.Path, e.Offset, path, offset)
				}
			})
		}
	}
}

// Keys in order cost no memory, however many they are.
func TestKeysInOrderAreNotKept(t *testing.T) {
	short, long := []byte(object(ascending(100))), []byte(object(ascending(10_000)))
	allocs := func(doc []byte) float64 {
		return testing.AllocsPerRun(5, func() {
			if err := Screen(doc, Limits{Bytes: len(doc), Depth: 3}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocs(short), allocs(long); many > few {
		t.Errorf("%v allocations for 10,000 keys, %v for 100", many, few)
	}
}

// Where levels are many, going over each again at an order that breaks late
// would cost too much, so that the offsets are kept.
func TestKeysInOrderAreKeptInTheDepth(t *testing.T) {
	for depth, want := range map[int]int{1: fewKeys, shallow: fewKeys, shallow + 1: 100} {
		doc := []byte(object(ascending(100)))
		f := frame{depth: depth}
		for m := range Members(doc) {
			if f.keys.add(doc, &f, m.Start, m.Key, false) {
				t.Fatalf("%s is not there twice", m.Key)
			}
			f.key = m.Key
		}
		if len(f.keys.starts) != want {
			t.Errorf("level %d: %d offsets, want %d", depth, len(f.keys.starts), want)
		}
	}
}

// No order may cost what comparing each key with each would.
func TestKeysInNoOrderAreNotSlow(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	keys := ascending(100_000)
	for name, arrange := range map[string]func(){
		"backwards": func() { slices.Reverse(keys) },
		"shuffled":  func() { random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] }) },
	} {
		arrange()
		doc := []byte(object(keys))
		start := time.Now()
		if err := Screen(doc, Limits{Bytes: len(doc), Depth: 3}); err != nil {
			t.Error(name, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
