package cache

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
)

// TestDecodeResume changes one thing of a record that is taken, and wants the check
// that is there for it to refuse it, or nothing to.
func TestDecodeResume(t *testing.T) {
	t.Parallel()
	want := digests([]byte("hello"))
	h, err := newHashing(want)
	if err != nil {
		t.Fatal(err)
	}
	states := h.checkpoints[0].states
	manySpans := func(n int64) (list [][3]int64) {
		for i := range n {
			list = append(list, [3]int64{2 * i, 2*i + 1, 0})
		}
		return list
	}
	for name, test := range map[string]struct {
		change func(*resumeRecord)
		length int64
		behind string // the record
		says   string // empty: it is taken
	}{
		"as it is":                 {func(*resumeRecord) {}, 5, "", ""},
		"length not asked for":     {func(*resumeRecord) {}, -1, "", ""},
		"length not known then":    {func(r *resumeRecord) { r.Length = -1 }, 5, "", ""},
		"length never known":       {func(r *resumeRecord) { r.Length = -1; r.Spans = [][3]int64{{0, 1 << 40, 0}} }, -1, "", ""},
		"beyond the length now":    {func(r *resumeRecord) { r.Length = -1; r.Spans = [][3]int64{{0, 6, 0}} }, 5, "", "expected spans in order"},
		"another length":           {func(*resumeRecord) {}, 6, "", "expected a length of 6, found 5"},
		"a length that is none":    {func(r *resumeRecord) { r.Length = -2 }, -1, "", "expected a length of -1, found -2"},
		"another format":           {func(r *resumeRecord) { r.Format = 2 }, 5, "", "expected format 1, found 2"},
		"spaces behind it":         {func(*resumeRecord) {}, 5, " \n", ""},
		"another one behind it":    {func(*resumeRecord) {}, 5, "{}", "expected one record, found more"},
		"rubbish behind it":        {func(*resumeRecord) {}, 5, "x", "expected one record, found more"},
		"fewer digests":            {func(r *resumeRecord) { r.Want = r.Want[:1] }, 5, "", "of another blob"},
		"another digest":           {func(r *resumeRecord) { r.Want = artifact.Digests{r.Want[0], digests(nil)[1]} }, 5, "", "of another blob"},
		"fewer states":             {func(r *resumeRecord) { r.States = r.States[:1] }, 5, "", "expected 2 states, found 1"},
		"no origins":               {func(r *resumeRecord) { r.Origins = nil }, 5, "", ""},
		"as many spans as may be":  {func(r *resumeRecord) { r.Length = -1; r.Spans = manySpans(maxResumeSpans); r.Hashed = 1 }, -1, "", ""},
		"too many spans":           {func(r *resumeRecord) { r.Length = -1; r.Spans = manySpans(maxResumeSpans + 1); r.Hashed = 1 }, -1, "", "expected fewer spans"},
		"too many origins":         {func(r *resumeRecord) { r.Origins = make([]string, maxResumeOrigins+1) }, 5, "", "expected fewer spans"},
		"span is empty":            {func(r *resumeRecord) { r.Spans = append(r.Spans, [3]int64{3, 3, 0}) }, 5, "", "expected spans in order"},
		"span ends before it":      {func(r *resumeRecord) { r.Spans = append(r.Spans, [3]int64{4, 3, 0}) }, 5, "", "expected spans in order"},
		"span before the one":      {func(r *resumeRecord) { r.Spans = append(r.Spans, [3]int64{1, 4, 0}) }, 5, "", "expected spans in order"},
		"span before the file":     {func(r *resumeRecord) { r.Spans = [][3]int64{{-1, 3, 0}} }, 5, "", "expected spans in order"},
		"span beyond the file":     {func(r *resumeRecord) { r.Spans = [][3]int64{{0, 6, 0}} }, 5, "", "expected spans in order"},
		"origin below all":         {func(r *resumeRecord) { r.Spans[0][2] = -1 }, 5, "", "expected spans in order"},
		"origin beyond all":        {func(r *resumeRecord) { r.Spans[0][2] = 1 }, 5, "", "expected spans in order"},
		"hashed less than nothing": {func(r *resumeRecord) { r.Hashed = -1 }, 5, "", "expected at most 2 hashed bytes, found -1"},
		"hashed over a gap":        {func(r *resumeRecord) { r.Spans = append(r.Spans, [3]int64{3, 5, 0}); r.Hashed = 3 }, 5, "", "expected at most 2 hashed bytes, found 3"},
	} {
		r := resumeRecord{Format: resumeFormat, Length: 5, Want: slices.Clone(want), Spans: [][3]int64{{0, 2, 0}}, Origins: []string{"a"}, Hashed: 2, States: states}
		test.change(&r)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeResume(append(text, test.behind...), want, test.length)
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: expected it to be taken, found %v", name, err)
		case test.says == "" && test.length >= 0 && got.Length != test.length:
			t.Errorf("%s: expected a length of %d, found %d", name, test.length, got.Length)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: expected %q, found %v", name, test.says, err)
		}
	}
}

// half is a stage that was ended with the first half of a MiB.
func half(t *testing.T, data []byte) *Stage {
	t.Helper()
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 0, 512<<10, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestRecordThatIsNoPlainFile is not followed, nor is a partial file that is none,
// and neither is a record that says nothing, or too much, or not what it is of.
func TestRecordThatIsNoPlainFile(t *testing.T) {
	t.Parallel()
	data := random(60, 1<<20)
	for name, spoil := range map[string]func(t *testing.T, g *Stage, elsewhere string) error{
		"the record is a link": func(t *testing.T, g *Stage, elsewhere string) error {
			if err := os.Rename(g.resumePath(), elsewhere); err != nil {
				return err
			}
			return os.Symlink(elsewhere, g.resumePath())
		},
		"the partial file is a link": func(t *testing.T, g *Stage, elsewhere string) error {
			if err := os.Rename(g.path, elsewhere); err != nil {
				return err
			}
			return os.Symlink(elsewhere, g.path)
		},
		"the record is too long": func(t *testing.T, g *Stage, _ string) error {
			text, err := os.ReadFile(g.resumePath())
			if err != nil {
				return err
			}
			return os.WriteFile(g.resumePath(), append(text, bytes.Repeat([]byte(" "), maxResumeBytes)...), 0o600)
		},
		"the record has no spans": func(t *testing.T, g *Stage, _ string) error {
			edit(t, g.resumePath(), func(r *resumeRecord) { r.Spans, r.Hashed = nil, 0 })
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := half(t, data)
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			if err := spoil(t, g, elsewhere); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(elsewhere)
			g = stageOf(t, g.store, data)
			if g.Written() != 0 {
				t.Errorf("expected to begin anew, found %v", g.Spans())
			}
			put(t, g, data, 0, 1<<20, 0)
			commit(t, g)
			if after, _ := os.ReadFile(elsewhere); !bytes.Equal(before, after) {
				t.Error("expected what the link leads to as it was, found something else")
			}
		})
	}
}

// TestStateThatCanNotBeTaken costs hashing again, also where that has to go back.
func TestStateThatCanNotBeTaken(t *testing.T) {
	t.Parallel()
	data := random(61, 1<<20)
	g := half(t, data)
	edit(t, g.resumePath(), func(r *resumeRecord) { r.States[1] = []byte("no state") })
	g = stageOf(t, g.store, data)
	if g.Written() != 512<<10 || g.hashing.taken || g.hashing.hashed != 0 {
		t.Errorf("expected the bytes and no state, found %v, and the state after %d bytes", g.Spans(), g.hashing.hashed)
	}
	put(t, g, data, 512<<10, 1<<20, 0)
	if err := g.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.Discard(700<<10, 800<<10)
	put(t, g, data, 700<<10, 800<<10, 0)
	commit(t, g)
}

// TestNoRecordOfWhatCanNotBeTakenUp: where hashing is to go back, and beyond the
// bounds that a reader has.
func TestNoRecordOfWhatCanNotBeTakenUp(t *testing.T) {
	t.Parallel()
	data := random(62, 1<<20)
	for name, change := range map[string]func(*Stage){
		"as it is":                func(*Stage) {},
		"hashing has to go back":  func(g *Stage) { g.hashing.back = 100 },
		"more spans than can be":  func(g *Stage) { g.written = make(spans, maxResumeSpans+1) },
		"more origins than it is": func(g *Stage) { g.origins = make([]string, maxResumeOrigins+1) },
	} {
		g := stageOf(t, open(t, t.TempDir()), data)
		put(t, g, data, 0, 300<<10, 0)
		g.mu.Lock()
		before := [3]any{g.hashing.back, g.written, g.origins}
		change(g)
		g.save()
		g.hashing.back, g.written, g.origins = before[0].(int64), before[1].(spans), before[2].([]string)
		g.mu.Unlock()
		_, err := os.Lstat(g.resumePath())
		if written := err == nil; written != (name == "as it is") {
			t.Errorf("%s: found a record: %v", name, written)
		}
		if err := g.Abort(); err != nil {
			t.Error(err)
		}
	}
}
