package slsa

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// What passes can be printed, is within its bounds, and comes back the same from
// JSON; what does not pass says why with one of the kinds.
func FuzzParse(f *testing.F) {
	for _, shape := range shapes {
		f.Add(shape.predicateType == TypeV1, []byte(shape.predicate))
		f.Add(shape.predicateType != TypeV1, []byte(shape.predicate))
	}
	f.Fuzz(func(t *testing.T, v1 bool, data []byte) {
		predicateType := TypeV02
		if v1 {
			predicateType = TypeV1
		}
		p, err := Parse(predicateType, data)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || p != nil || strings.ContainsFunc(err.Error(), isUnprintable) ||
				!errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("got %v, %v", p, err)
			}
			return
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var again Provenance
		if err := json.Unmarshal(written, &again); err != nil || !reflect.DeepEqual(*p, again) {
			t.Fatalf("%+v came back as %+v, %v", *p, again, err)
		}
		checkPrintable(t, reflect.ValueOf(*p))
		if p.Builder == "" || p.BuildType == "" || p.Source.Revision != "" && !isRevision(p.Source.Revision) || len(p.Parameters) > MaxParameters {
			t.Fatalf("%+v passed", p)
		}
		compared, err := p.CheckSource(p.Source.Repository, p.Source.Revision, strings.TrimPrefix(p.Source.Ref, tagPrefix))
		if strings.HasPrefix(p.Source.Repository, "https://") && err != nil {
			t.Fatalf("disagrees with itself: %q, %v", compared, err)
		}
	})
}

// checkPrintable looks at every text within a value.
func checkPrintable(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if len(v.String()) > 2*maxText || strings.ContainsFunc(v.String(), isUnprintable) {
			t.Fatalf("%q passed", v)
		}
	case reflect.Slice:
		if raw, ok := v.Interface().(json.RawMessage); ok {
			if strings.ContainsFunc(string(raw), isUnprintable) {
				t.Fatalf("%q passed", raw)
			}
			return
		}
		for i := range v.Len() {
			checkPrintable(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				checkPrintable(t, v.Field(i))
			}
		}
	}
}

// A repository that is read again is the same, and nothing is made of nothing.
func FuzzParseSource(f *testing.F) {
	for _, uri := range []string{
		"git+https://github.com/acme/tool@refs/tags/v1", "https://github.com/acme/tool.git#main", "git@github.com:acme/tool.git",
		"github:acme/tool", "ssh://git@h:22/a.git/.git", "https://h/@a@b", "https://h/a@b/", "a@b:c@d", "https://@/", "https://h/tool.git@v1",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		s := ParseSource(uri)
		if s.Revision != "" && (!isRevision(s.Revision) || s.Ref != "" || s.Revision != strings.ToLower(s.Revision)) {
			t.Fatalf("%q became %+v", uri, s)
		}
		if !strings.HasPrefix(s.Repository, "https://") {
			return
		}
		if again := ParseSource(s.Repository); again.Repository != s.Repository || again.Ref != "" && strings.HasPrefix(again.Ref, "refs/") {
			t.Fatalf("%q became %+v and then %+v", uri, s, again)
		}
	})
}

// What is read can be written, and read again as the same.
func FuzzReadSummary(f *testing.F) {
	good, err := WriteSummary(passed())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), `"PASSED"`, `"FAILED"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSummary(data)
		if err != nil {
			if !errors.Is(err, ErrSummary) || strings.ContainsFunc(err.Error(), isUnprintable) {
				t.Fatal(err)
			}
			return
		}
		written, err := WriteSummary(s)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		if again, err := ReadSummary(written); err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("%+v came back as %+v, %v", s, again, err)
		}
	})
}
