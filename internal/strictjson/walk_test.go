package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

func TestMembers(t *testing.T) {
	for _, test := range []struct {
		object string
		want   []string // start, key and value
	}{
		{`{}`, nil},
		{" \n{ \t} ", nil},
		{`{"a":1}`, []string{`1 a 1`}},
		{` { "a" : -1.5e3 , "b" : [ ] } , "c":1`, []string{`3 a -1.5e3`, `18 b [ ]`}},
		{`{"":"","x":"","y":true,"n":null}`, []string{`1  ""`, `7 x ""`, `14 y true`, `23 n null`}},
		{`{"a":{"b":{"}":"{[\""},"c":["]",{}]},"d":"}"}`, []string{`1 a {"b":{"}":"{[\""},"c":["]",{}]}`, `37 d "}"`}},
		{`{"\\":"\\\\","\"":"\\\"","\u0061\ud83d\ude00\/":"\u0022"}`,
			[]string{`1 \ "\\\\"`, `13 " "\\\""`, `25 a😀/ "\u0022"`}},
	} {
		var got []string
		for m := range Members([]byte(test.object)) {
			got = append(got, fmt.Sprintf("%d %s %s", m.Start, m.Key, m.Value))
			again := MemberAt([]byte(test.object), m.Start)
			if !bytes.Equal(again.Key, m.Key) || !bytes.Equal(again.Value, m.Value) || again.Start != m.Start {
				t.Errorf("%s: MemberAt(%d) is %v, Members said %v", test.object, m.Start, again, m)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.object, got, test.want)
		}
	}
}

func TestElements(t *testing.T) {
	for _, test := range []struct {
		array string
		want  []string
	}{
		{`[]`, nil},
		{" [ ] x", nil},
		{`[1]`, []string{`1`}},
		{` [ 1 , "a,]" , [ [2] , 3 ] , {"x":[]} , false ] , 4`, []string{`1`, `"a,]"`, `[ [2] , 3 ]`, `{"x":[]}`, `false`}},
	} {
		var got []string
		for element := range Elements([]byte(test.array)) {
			got = append(got, string(element))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.array, got, test.want)
		}
	}
}

// A loop that breaks off must not be called again.
func TestWalkStops(t *testing.T) {
	for range Members([]byte(`{"a":1,"b":2}`)) {
		break
	}
	for range Elements([]byte(`[1,2]`)) {
		break
	}
}

// A caller that appends to what it was given must not write into the document.
func TestWalkGivesNoSpareCapacity(t *testing.T) {
	doc := []byte(`{"a":1,"b":[2,3]}`)
	for m := range Members(doc) {
		_, _ = append(m.Key, 'x'), append(m.Value, 'x')
		for element := range Elements(m.Value) {
			_ = append(element, 'x')
		}
	}
	if string(doc) != `{"a":1,"b":[2,3]}` {
		t.Errorf("the document became %s", doc)
	}
}

func TestWalkOfWhatWasNotScreened(t *testing.T) {
	for _, text := range []string{
		``, ` `, `x`, `{`, `[`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":,`, `{"a":}`, `{"a":"`, `{"a":"\`, `{"\":1}`,
		`{"a":[`, `{"a":{`, `{"a"1}`, `{a:1}`, `{1:1}`, `{,}`, `{]`, `[}`, `[,]`, `["`, `[{"]}`, `{"\ud83d":`,
	} {
		for m := range Members([]byte(text)) {
			t.Errorf("%s: a member %v", text, m)
		}
		for element := range Elements([]byte(text)) {
			t.Errorf("%s: an element %s", text, element)
		}
		for start := -1; start <= len(text)+1; start++ {
			if m := MemberAt([]byte(text), start); m.Value != nil {
				t.Errorf("%s: MemberAt(%d) is %v", text, start, m)
			}
		}
	}
}

// FuzzWalk walks anything without a panic or a slice out of range, and what
// Screen passes as encoding/json reads it.
func FuzzWalk(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		walkAll(t, data, 0)
		for start := range data {
			MemberAt(data, start)
		}
		if Screen(data, Limits{Bytes: 4096, Depth: 8, AllowNull: true}) == nil {
			checkWalk(t, data)
		}
	})
}

// walkAll goes into everything that looks like a value.
func walkAll(t *testing.T, data []byte, depth int) {
	if depth > 20 {
		return
	}
	last := -1
	for m := range Members(data) {
		if m.Start <= last || m.Start >= len(data) || data[m.Start] != '"' || len(m.Value) == 0 {
			t.Fatalf("member %v after %d in %q", m, last, data)
		}
		last = m.Start
		walkAll(t, m.Value, depth+1)
	}
	for element := range Elements(data) {
		if len(element) == 0 {
			t.Fatalf("an empty element in %q", data)
		}
		walkAll(t, element, depth+1)
	}
}

// checkWalk compares the walk with what encoding/json makes of a screened value.
func checkWalk(t *testing.T, value []byte) {
	t.Helper()
	if text := bytes.TrimSpace(value); text[0] == '[' {
		var want []json.RawMessage
		if err := json.Unmarshal(value, &want); err != nil {
			t.Fatal(err)
		}
		i := 0
		for element := range Elements(value) {
			if i >= len(want) || !bytes.Equal(element, want[i]) {
				t.Fatalf("element %d of %q is %q, want one of %q", i, value, element, want)
			}
			checkWalk(t, element)
			i++
		}
		if i != len(want) {
			t.Fatalf("%d elements in %q, want %d", i, value, len(want))
		}
	} else if text[0] == '{' {
		var want map[string]json.RawMessage
		if err := json.Unmarshal(value, &want); err != nil {
			t.Fatal(err)
		}
		count := 0
		for m := range Members(value) {
			if !bytes.Equal(m.Value, want[string(m.Key)]) {
				t.Fatalf("%q in %q is %q, want %q", m.Key, value, m.Value, want[string(m.Key)])
			}
			checkWalk(t, m.Value)
			count++
		}
		if count != len(want) {
			t.Fatalf("%d members in %q, want %d", count, value, len(want))
		}
	}
}
