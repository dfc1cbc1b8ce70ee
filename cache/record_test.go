package cache

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"testing"
)

// FuzzDecodeRecord asserts that an entry of the index, whose checksum may be
// right by chance or by intent, is either damage or a record that reads back as
// it is written; and that without its checksum it is damage.
func FuzzDecodeRecord(f *testing.F) {
	for _, text := range []string{`{}`, `{"length":1843201}`, `{"length":-1}`, `{"length":1e3}`, `{"length":9223372036854775808}`, `[]`, `null`, `{"length":1} `, ``} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value := append(binary.BigEndian.AppendUint32(nil, checksum(text)), text...)
		r, err := decodeRecord(value)
		if err != nil && !isDamage(err) || r.Length < 0 && err == nil {
			t.Fatalf("got %+v, %v", r, err)
		}
		if err == nil {
			checkRecord(t, r)
		}
		value[0] ^= 1
		if _, err := decodeRecord(value); !isDamage(err) {
			t.Fatalf("with another checksum: %v", err)
		}
		if _, err := decodeRecord(value[:min(len(value), crc32.Size-1)]); !isDamage(err) {
			t.Fatalf("cut short: %v", err)
		}
	})
}

func isDamage(err error) bool {
	_, ok := errors.AsType[*corruptEntry](err)
	return ok
}

func checkRecord(t *testing.T, r record) {
	t.Helper()
	first, err := json.Marshal(r)
	if err != nil {
		t.Fatalf("%+v can't be written: %v", r, err)
	}
	again, err := decodeRecord(append(binary.BigEndian.AppendUint32(nil, checksum(first)), first...))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
		t.Fatalf("%s came back as %s, %v", first, second, err)
	}
}
