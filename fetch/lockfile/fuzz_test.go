package lockfile

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecode asserts, of whatever is taken, that it is written and read again as the
// same, twice over in the same text; that no floor is below 1 or could not be a
// version in package trust; that a lock differs from itself in nothing; and that a view
// as old as its floors is not below them. A refusal is one line, of a known kind.
func FuzzDecode(f *testing.F) {
	// A short one, as the fuzzer's own shortening takes its time.
	small := example(f).sorted()
	small.Repositories, small.Products, small.Pins = small.Repositories[:1], small.Products[1:], small.Pins[:1]
	small.Products[0].Artifacts = small.Products[0].Artifacts[:1]
	short, err := Encode(small)
	if err != nil {
		f.Fatal(err)
	}
	text := strings.TrimPrefix(string(short), header)
	f.Add([]byte(text))
	f.Add([]byte(strings.Replace(text, "timestamp = 1874", "timestamp = 9223372036854775808", 1)))
	f.Add([]byte(strings.Replace(text, "timestamp = 1874", "timestamp = 9223372036854775807", 1)))
	f.Add([]byte(strings.Replace(text, "snapshot = 41", "snapshot = -1", 1)))
	f.Add([]byte(strings.Replace(text, "hello = 7", "\"h\\u0065llo\\t\" = 7", 1)))
	f.Add([]byte(strings.Replace(text, "assay.lock/v1", "assay.lock/v2", 1)))
	f.Add([]byte("schema = 'assay.lock/v1'\npin = [{name='a',urls=['''b''',\"\\u00e9\"],sha256='" + sum("a").Hex() + "'}]\n"))
	f.Add([]byte("[repository]\n[[repository.floors]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Decode(bytes.Clone(data))
		if err != nil {
			var found *Error
			if !errors.As(err, &found) || errors.Is(err, ErrMalformed) == errors.Is(err, ErrNewer) || strings.ContainsFunc(err.Error(), isUnprintable) {
				t.Fatalf("expected one printable line of one kind, found %q", err)
			}
			if !reflect.DeepEqual(file, File{}) {
				t.Fatalf("expected nothing beside the error, found %+v", file)
			}
			return
		}
		for _, r := range file.Repositories {
			seen := Seen{Root: r.Root, Roles: r.Floors}
			for role, version := range r.Floors {
				if version < 1 {
					t.Fatalf("%s: took the floor %d", role, version)
				}
			}
			if r.Root < 1 || r.Below(seen) != nil {
				t.Fatalf("took root %d; below itself: %v", r.Root, r.Below(seen))
			}
		}
		if len(data) > MaxSize/4 {
			return // written out it may be larger than MaxSize
		}
		text, err := Encode(file)
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		again, err := Decode(text)
		if err != nil || !reflect.DeepEqual(again, file) {
			t.Fatalf("expected %+v, found %+v, %v", file, again, err)
		}
		if twice, err := Encode(again); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("expected the same text, found %v\n%s", err, twice)
		}
		if changes := Compare(file, again); changes != nil {
			t.Fatalf("expected no change, found %v", changes)
		}
	})
}
