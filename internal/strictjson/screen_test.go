package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

var roomy = Limits{Bytes: 1 << 16, Depth: 8}

func TestScreenAccepts(t *testing.T) {
	for _, doc := range []string{
		`{}`,
		" \t\r\n{ } \n",
		`{"a":1,"b":[true,false,-0.5e+3,0,"x",{}],"c":{"a":1}}`,
		`{"":"","A":1,"a":2}`,
		`{"a":[[[[[[[]]]]]]]}`,
		`{"\ud83d\ude00":"\u0000\"\\\/\b\f\n\r\t","😀x":1}`,
		`{"n":` + strings.Repeat("9", 300) + `}`,
		`{"u":"\u007f"}`,
		"{\"\ufffd\":\"\u00e9 \U0010ffff \ufffd\x7f\"}",
	} {
		if err := Screen([]byte(doc), roomy); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
		checkAccepted(t, []byte(doc), roomy)
	}
	if err := Screen([]byte(`{"a":[null]}`), Limits{Bytes: 100, Depth: 2, AllowNull: true}); err != nil {
		t.Errorf("null where it is allowed: %v", err)
	}
}

func TestScreenRefuses(t *testing.T) {
	many := manyKeys(40)
	for _, test := range []struct {
		doc    string
		reason error
		path   string
		offset int64
	}{
		{``, ErrSyntax, "", 0},
		{`  `, ErrSyntax, "", 2},
		{`[]`, ErrSyntax, "", 0},
		{`null`, ErrSyntax, "", 0},
		{"\xef\xbb\xbf{}", ErrSyntax, "", 0},
		{`{} {}`, ErrSyntax, "", 3},
		{"{}\x00", ErrSyntax, "", 2},
		{`{`, ErrSyntax, "", 1},
		{`{"a"`, ErrSyntax, "a", 4},
		{`{"a":`, ErrSyntax, "a", 5},
		{`{"a":1`, ErrSyntax, "a", 6},
		{`{"a":1,}`, ErrSyntax, "a", 7},
		{`{,}`, ErrSyntax, "", 1},
		{`{a:1}`, ErrSyntax, "", 1},
		{`{"a" 1}`, ErrSyntax, "a", 5},
		{`{"a":1]`, ErrSyntax, "a", 6},
		{`{"a":[1}`, ErrSyntax, "a[0]", 7},
		{`{"a":[1,]}`, ErrSyntax, "a[1]", 8},
		{`{"a":[1 2]}`, ErrSyntax, "a[0]", 8},
		{`{"a":01}`, ErrSyntax, "a", 6},
		{`{"a":-}`, ErrSyntax, "a", 6},
		{`{"a":1.}`, ErrSyntax, "a", 7},
		{`{"a":1e}`, ErrSyntax, "a", 7},
		{`{"a":+1}`, ErrSyntax, "a", 5},
		{`{"a":1e999}`, ErrSyntax, "a", 5},
		{`{"a":NaN}`, ErrSyntax, "a", 5},
		{`{"a":True}`, ErrSyntax, "a", 5},
		{`{"a":tru}`, ErrSyntax, "a", 5},
		{`{"a":nul}`, ErrSyntax, "a", 5},
		{`{"a":'b'}`, ErrSyntax, "a", 5},
		{`{"a":"b}`, ErrSyntax, "a", 8},
		{`{"a":"\x"}`, ErrSyntax, "a", 6},
		{`{"a":"\u12g4"}`, ErrSyntax, "a", 6},
		{`{"a":"\u12`, ErrSyntax, "a", 6},
		{`{"a":"\ud800"}`, ErrSyntax, "a", 6},
		{`{"a":"\ud800\u0041"}`, ErrSyntax, "a", 6},
		{`{"a":"\udc00"}`, ErrSyntax, "a", 6},
		{"{\"a\":\"\n\"}", ErrSyntax, "a", 6},
		{"{\"a\":\"x\xff\"}", ErrSyntax, "a", 7},
		{"{\"\xc3\":1}", ErrSyntax, "", 2},
		{"{\"a\":\"\xed\xa0\x80\"}", ErrSyntax, "a", 6},
		{"{\"a\":1 \xff}", ErrSyntax, "a", 7},
		{`{"a":1 /* no */}`, ErrSyntax, "a", 7},
		{`{"a":null}`, ErrNull, "a", 5},
		{`{"a":{"b":[1,{"c":null}]}}`, ErrNull, "a.b[1].c", 18},
		{`{"a":1,"a":2}`, ErrDuplicate, "a", 7},
		{`{"a":1,"\u0061":2}`, ErrDuplicate, "a", 7},
		{`{"a\/b":1,"a/b":2}`, ErrDuplicate, `["a/b"]`, 10},
		{`{"\ud83d\ude00":1,"😀":2}`, ErrDuplicate, `["\U0001f600"]`, 18},
		{`{"s":{"r":[0,0,{"n":1,"m":2,"n":3}]}}`, ErrDuplicate, "s.r[2].n", 28},
		{many + `"k3":0}`, ErrDuplicate, "k3", int64(len(many))},
		{many + `"k39":0}`, ErrDuplicate, "k39", int64(len(many))},
		{`{"a":[[[[[[[[]]]]]]]]}`, ErrTooDeep, "a[0][0][0][0][0][0][0]", 12},
		{`{"a":1}` + strings.Repeat(" ", roomy.Bytes), ErrTooLarge, "", int64(roomy.Bytes)},
	} {
		t.Run(clip(test.doc), func(t *testing.T) {
			err := Screen([]byte(test.doc), roomy)
			if !errors.Is(err, test.reason) {
				t.Fatalf("got %v, want %v", err, test.reason)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Path != test.path || e.Offset != test.offset {
				t.Fatalf("got path %q offset %d in %v, want %q %d", e.Path, e.Offset, err, test.path, test.offset)
			}
			for _, part := range []string{"expected", "found", fmt.Sprintf("byte %d", test.offset)} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestZeroLimitsRefuse(t *testing.T) {
	if err := Screen([]byte(`{}`), Limits{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("no bytes allowed: got %v", err)
	}
	if err := Screen([]byte(`{}`), Limits{Bytes: 2}); !errors.Is(err, ErrTooDeep) {
		t.Errorf("no depth allowed: got %v", err)
	}
}

// A limit beyond encoding/json's own must not let through what that refuses.
func TestDepthStaysBelowEncodingJSON(t *testing.T) {
	huge := Limits{Bytes: 1 << 20, Depth: 1 << 20}
	nest := func(n int) []byte {
		return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	if err := Screen(nest(deepest-1), huge); err != nil {
		t.Errorf("depth %d: %v", deepest, err)
	}
	checkAccepted(t, nest(deepest-1), huge)
	err := Screen(nest(deepest), huge)
	if !errors.Is(err, ErrTooDeep) {
		t.Errorf("depth %d: got %v", deepest+1, err)
	}
	if len(err.Error()) > 300 {
		t.Errorf("the message has %d bytes", len(err.Error()))
	}
}

func TestLimitsAreBounded(t *testing.T) {
	got := Limits{Bytes: math.MaxInt, Depth: math.MaxInt, AllowNull: true}.bounded()
	if want := (Limits{Bytes: longest, Depth: deepest, AllowNull: true}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Each byte is seen wherever it stands in a string that is read by words.
func TestEveryByteAtEveryPlace(t *testing.T) {
	for place := range 20 {
		for c := range 256 {
			body := []byte("abcdefghijklmnopqrst")
			body[place] = byte(c)
			doc := []byte(`{"a":"` + string(body) + `"}`)
			err := Screen(doc, roomy)
			if want := json.Valid(doc) && c < 0x80; want != (err == nil) {
				t.Errorf("%#02x at %d: %v", c, place, err)
			}
			offset := int64(6 + place)
			if c == '"' {
				offset++
			}
			if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Offset != offset && c != '\\') {
				t.Errorf("%#02x at %d: found at %d", c, place, e.Offset)
			}
		}
	}
}

// Objects that reuse the frame of an earlier one must not inherit its keys.
func TestKeysAreForgotten(t *testing.T) {
	doc := `{"x":[` + manyKeys(40) + `"z":1},{"k1":1,"k2":2},` + manyKeys(40) + `"z":1}]}`
	if err := Screen([]byte(doc), roomy); err != nil {
		t.Error(err)
	}
}

// manyKeys is an open object with the keys k0 to k(n-1), and a comma.
func manyKeys(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"k%d":%d,`, i, i)
	}
	return b.String()
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}
