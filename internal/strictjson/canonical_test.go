package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
)

func TestCanonical(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{`{ }`, `{}`},
		{`[ ]`, `[]`},
		{`{"a" : 1 , "b":[ 1 ,-2, true,false , null,"x y" ]}`, `{"a":1,"b":[1,-2,true,false,null,"x y"]}`},
		{`{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{` {"b":{"d":1,"c":[{"z":0,"y":0}]},"a":{},"c":{"f":3,"e":{"h":4,"g":5}}} `,
			`{"a":{},"b":{"c":[{"y":0,"z":0}],"d":1},"c":{"e":{"g":5,"h":4},"f":3}}`},
		{`[{"b":1,"a":2},{"a":1,"b":2},{"b":1,"a":2}]`, `[{"a":2,"b":1},{"a":1,"b":2},{"a":2,"b":1}]`},
		{`{"ab":1,"a":2,"a!":3,"":4}`, `{"":4,"a":2,"a!":3,"ab":1}`},               // "!" comes before the quote
		{`{"\u00e9":1,"z":2,"\ud83d\ude00":3,"ｚ":4}`, `{"z":2,"é":1,"ｚ":4,"😀":3}`}, // UTF-8, not UTF-16
		{`{"\\":1,"\"":2,"a":3,"\u005b":4,"\u0022\u0022":5}`, `{"\"":2,"\"\"":5,"[":4,"\\":1,"a":3}`},
		{`["\u0041\/\b\f\n\r\t\u0000\u007f\u2028\u003c"]`, "[\"A/\b\f\n\r\t\x00\x7f\u2028<\"]"},
		{`"\\\"\u005c\u0022"`, `"\\\"\\\""`},
		{`{"n":[0,10,123456789012345678901234567890 ]}`, `{"n":[0,10,123456789012345678901234567890]}`},
		{`{"a":1,"a":2,"A":3}`, `{"A":3,"a":1,"a":2}`}, // Screen would not pass it
		{` {"a":1,"a":2}`, `{"a":1,"a":2}`},
	} {
		got, err := Canonical([]byte(test.value))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.value, got, err, test.want)
		}
		if cap(got) > len(test.value) {
			t.Errorf("%s: a buffer of %d bytes", test.value, cap(got))
		}
	}
}

// What is canonical comes back as it is, not as a copy.
func TestCanonicalGivesTheValueItself(t *testing.T) {
	for _, value := range []string{
		`{}`, `[]`, `"\\\""`, `0`, `-7`, `true`, `null`, "\"a\nb\"", `{"":0,"a":{"\"":1,"\\":2,"é":3},"a!":[[],{},[{}]],"b":false}`,
	} {
		doc := []byte(" \t" + value + "\r\n")
		got, err := Canonical(doc)
		if err != nil || string(got) != value {
			t.Errorf("%s: got %q, %v", value, got, err)
		} else if &got[0] != &doc[2] {
			t.Errorf("%s was copied", value)
		}
	}
	doc := targetsMetadata(1000)
	if allocs := testing.AllocsPerRun(5, func() { _, _ = Canonical(doc) }); allocs > 8 {
		t.Errorf("%v allocations for 1000 targets", allocs)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, test := range []struct {
		value  string
		reason error
		path   string
		offset int64
	}{
		{`{"a":1.5}`, ErrNumber, "a", 5},
		{`{"a":{"b":[0, 1.0]}}`, ErrNumber, "a.b[1]", 14},
		{`{"b":0,"a":[{},1e3]}`, ErrNumber, "a[1]", 15},
		{`{"a":1E3}`, ErrNumber, "a", 5},
		{`{"a":-0}`, ErrNumber, "a", 5},
		{`-0`, ErrNumber, "", 0},
		{` 0.5`, ErrNumber, "", 1},
		{`{"b":1,"a":01}`, ErrNumber, "a", 11},
		{``, ErrSyntax, "", 0},
		{` `, ErrSyntax, "", 1},
		{`{"a":1} 2`, ErrSyntax, "", 8},
		{`{"a":1]`, ErrSyntax, "a", 6},
		{`[1}`, ErrSyntax, "[0]", 2},
		{`[1,]`, ErrSyntax, "[1]", 3},
		{`{"a":1,}`, ErrSyntax, "a", 7},
		{`{"a":tru}`, ErrSyntax, "a", 5},
		{`{"a" 1}`, ErrSyntax, "a", 5},
		{`{"a`, ErrSyntax, "", 1},
		{`{1:1}`, ErrSyntax, "", 1},
		{strings.Repeat("[", deepest+1), ErrTooDeep, "…" + strings.Repeat("[0]", 16), deepest},
	} {
		got, err := Canonical([]byte(test.value))
		if !errors.Is(err, test.reason) || got != nil {
			t.Errorf("%s: got %q, %v, want %v", clip(test.value), got, err, test.reason)
			continue
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Path != test.path || e.Offset != test.offset {
			t.Errorf("%s: got path %q offset %d in %v, want %q %d", clip(test.value), e.Path, e.Offset, err, test.path, test.offset)
		}
	}
}

func TestCanonicalRefusesWhatOffsetsDoNotReach(t *testing.T) {
	for _, value := range []string{`{"a":[1,2]}`, `{"a":[1, 2] }`} {
		if got, err := canonical([]byte(value), len(value)); err != nil {
			t.Errorf("%s: got %q, %v", value, got, err)
		}
		got, err := canonical([]byte(value), len(value)-1)
		if e, ok := errors.AsType[*Error](err); !errors.Is(err, ErrTooLarge) || got != nil || !ok || e.Offset != int64(len(value)-1) {
			t.Errorf("%s: got %q, %v, want %v", value, got, err, ErrTooLarge)
		}
	}
}

// Objects of all sizes, at all depths, in any order, as cjson writes them.
func TestCanonicalAgreesWithCJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		var doc bytes.Buffer
		randomValue(&doc, random, 1+i%6)
		checkCanonical(t, doc.Bytes())
	}
	checkCanonical(t, shuffled(random, 3000))
	checkCanonical(t, targetsMetadata(50))
}

// Of many equal keys, which Screen would not pass, the order stays that of the
// document, whatever follows them.
func TestCanonicalKeepsTheOrderOfEqualKeys(t *testing.T) {
	for _, key := range []string{"a", "abcd"} {
		members := ""
		for i := range 50 {
			members += fmt.Sprintf(`"%s":%d,`, key, 1099-i)
		}
		got, err := Canonical([]byte(`{"b":0,` + strings.TrimSuffix(members, ",") + `}`))
		if want := `{` + members + `"b":0}`; err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// The cost of the worst order must not be that of comparing each key with each.
func TestCanonicalOfManyKeysInReverse(t *testing.T) {
	const n = 200_000
	var doc, want bytes.Buffer
	for i := range n {
		fmt.Fprintf(&doc, `%c"k%06d":{"b":1,"a":2}`, ",{"[max(0, 1-i)], n-i)
		fmt.Fprintf(&want, `%c"k%06d":{"a":2,"b":1}`, ",{"[max(0, 1-i)], i+1)
	}
	doc.WriteByte('}')
	want.WriteByte('}')
	got, err := Canonical(doc.Bytes())
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%v, or not the members in order", err)
	}
}

// FuzzCanonical compares with cjson what Screen passes, and holds Canonical to
// its promises for anything else: no panic, no more bytes than there were.
func FuzzCanonical(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Canonical(data)
		if (err == nil) == (got == nil) || cap(got) > cap(data) {
			t.Fatalf("%q: %q, %v", data, got, err)
		}
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Offset < 0 || e.Offset > int64(len(data)) {
				t.Fatalf("error %v of %d bytes", err, len(data))
			}
		}
		if Screen(data, Limits{Bytes: 4096, Depth: 100, AllowNull: true}) == nil {
			checkCanonical(t, data)
		}
	})
}

// checkCanonical compares the canonical form of a screened value with cjson's.
// Of numbers, cjson refuses those beyond 64 bits, which canonical JSON has, and
// writes -0, which it has not. (It also refuses what is not whole, as Canonical
// does, and reads and writes < > & and U+2028 raw, as Canonical does.)
func checkCanonical(t *testing.T, value []byte) {
	t.Helper()
	odd := oddNumber(value)
	got, err := Canonical(value)
	if odd == "refused" {
		if !errors.Is(err, ErrNumber) {
			t.Fatalf("%q: got %v, want %v", value, err, ErrNumber)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	if again, err := Canonical(got); err != nil || len(got) == 0 || &again[0] != &got[0] {
		t.Fatalf("%q: its canonical form %q is not found canonical: %v", value, got, err)
	}
	if odd == "large" {
		return
	}
	want, err := cjson.EncodeCanonical(json.RawMessage(value))
	if err != nil {
		t.Fatalf("cjson refuses %q: %v", value, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%q:\ngot  %q\nwant %q", value, got, want)
	}
}

// oddNumber is "refused" for a value with a number that is not in canonical JSON,
// else "large" for one with a number beyond 64 bits.
func oddNumber(value []byte) string {
	found := ""
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return found
		}
		number, ok := token.(json.Number)
		if !ok {
			continue
		}
		if strings.ContainsAny(number.String(), ".eE") || number == "-0" {
			return "refused"
		}
		if _, err := number.Int64(); err != nil {
			found = "large"
		}
	}
}

// randomValue writes some JSON, at most depth levels deep, without any order.
func randomValue(doc *bytes.Buffer, random *rand.Rand, depth int) {
	space := func() { doc.WriteString([]string{"", "", " ", "\n\t"}[random.IntN(4)]) }
	kind := random.IntN(6)
	if depth > 0 && kind < 4 {
		open, end := byte('{'), byte('}')
		if kind == 3 {
			open, end = '[', ']'
		}
		doc.WriteByte(open)
		for i, n := 0, random.IntN(8); i < n; i++ {
			if i > 0 {
				doc.WriteByte(',')
			}
			space()
			if open == '{' {
				fmt.Fprintf(doc, `"%s%d"`, []string{"", "k", `\u006b`, `\"`, `\\`, "é", `\ud83d\ude00`, "!"}[random.IntN(8)], 10*random.IntN(100)+i)
				space()
				doc.WriteByte(':')
				space()
			}
			randomValue(doc, random, depth-1)
			space()
		}
		space()
		doc.WriteByte(end)
		return
	}
	doc.WriteString([]string{`"x"`, `"\u0022\\\/\n"`, `0`, `-12`, `true`, `null`, `""`, `"é\u00e9"`}[random.IntN(8)])
}

// shuffled is an object with n members in any order.
func shuffled(random *rand.Rand, n int) []byte {
	var doc bytes.Buffer
	doc.WriteByte('{')
	for i, k := range random.Perm(n) {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"path/%d":{"length":%d,"hashes":{"sha256":"%x"}}`, k, k, k)
	}
	doc.WriteByte('}')
	return doc.Bytes()
}
