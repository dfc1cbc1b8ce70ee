package transfer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"assay/cache"
	"assay/fetch/wire"
)

// answer is what a place has said, and a body that announces to; 0: nothing.
func answer(body io.Reader, to int64) *wire.Answer {
	return &wire.Answer{Body: io.NopCloser(body), To: to, Total: -1, URL: "http://0.example/file"}
}

// TestHeadOfAnAnswer: what it may be where it is not the part that was asked for.
func TestHeadOfAnAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		length  int64 // of the stage; -1: not known
		answer  wire.Answer
		request wire.Request
		want    error
		says    string
	}{
		"all of it":                     {1000, wire.Answer{Total: 1000}, wire.Request{}, nil, ""},
		"no length":                     {1000, wire.Answer{Total: -1}, wire.Request{}, nil, ""},
		"another length":                {1000, wire.Answer{Total: 1001}, wire.Request{}, ErrWrongBytes, "expected 1000 bytes"},
		"of unknown length":             {-1, wire.Answer{Total: 100}, wire.Request{}, nil, ""},
		"too long":                      {-1, wire.Answer{Total: 101}, wire.Request{}, wire.ErrTooLong, "expected at most 100 bytes, found 101"},
		"the part":                      {1000, wire.Answer{From: 10, Total: 1000}, wire.Request{From: 10, Validator: `"a"`}, nil, ""},
		"all, of the same file":         {1000, wire.Answer{Total: 1000, Validator: `"a"`}, wire.Request{From: 10, Validator: `"a"`}, errNoRanges, ""},
		"all, of another file":          {1000, wire.Answer{Total: 1000, Validator: `"b"`}, wire.Request{From: 10, Validator: `"a"`}, errChanged, ""},
		"all, with no validator before": {1000, wire.Answer{Total: 1000, Validator: `"b"`}, wire.Request{From: 10}, errNoRanges, ""},
	} {
		g := newRig(t, nil, test.length, 1, Object{Limit: 100})
		err := g.accept(&test.answer, test.request)
		if !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
		if test.says != "" {
			says(t, err, test.says)
		}
		if want := max(test.length, min(test.answer.Total, 100)); err == nil && g.stage.Length() != want {
			t.Errorf("%s: expected a length of %d from then on, found %d", name, want, g.stage.Length())
		}
	}
}

// TestBodyOfAnAnswer: what a body may be that does not end with the part.
func TestBodyOfAnAnswer(t *testing.T) {
	t.Parallel()
	boom := errors.New("unplugged")
	body := func(n int) io.Reader { return bytes.NewReader(make([]byte, n)) }
	and := func(n int, then io.Reader) io.Reader { return io.MultiReader(body(n), then) }
	// More than one buffer of each kind, so that the last one is full before the end
	// of the answer is met.
	const long = slowBytes + gatherBytes
	for name, test := range map[string]struct {
		length, to int64 // of the stage, and of the part; -1: not known
		body       io.Reader
		announced  int64
		want       error
		says       string
		written    int64
	}{
		"all of it":                     {1000, 1000, body(1000), 1000, nil, "", 1000},
		"more than the part":            {1000, 100, body(200), 0, nil, "", 100},
		"more than the object":          {1000, 1000, body(1001), 0, ErrWrongBytes, "found at least 1001", 1000},
		"less, as it has no more":       {1000, 1000, body(500), 0, ErrWrongBytes, "expected 1000 bytes", 500},
		"less than it announced":        {1000, 1000, body(500), 900, errShort, "", 500},
		"it breaks off":                 {1000, 1000, and(500, iotest.ErrReader(boom)), 0, boom, "broke off", 500},
		"it breaks off behind the end":  {1000, 1000, iotest.DataErrReader(and(1000, iotest.ErrReader(boom))), 0, nil, "", 1000},
		"all of a long one":             {long, long, body(long), 0, nil, "", long},
		"more than a long one":          {long, long, body(long + 1), 0, ErrWrongBytes, "found at least", long},
		"a long one that never ends":    {long, long, and(long, iotest.ErrReader(boom)), 0, boom, "broke off", long},
		"of unknown length":             {-1, -1, body(100), 0, nil, "", 100},
		"too long":                      {-1, -1, body(101), 0, wire.ErrTooLong, "expected at most 100 bytes", 101},
		"too long, as it had announced": {-1, -1, body(101), 101, wire.ErrTooLong, "expected at most 100 bytes", 101},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, nil, test.length, 1, Object{Limit: 100})
			r := g.under(0, 0, test.to, nil)
			err := g.receive(t.Context(), r, answer(test.body, test.announced))
			if !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("expected %v, found %v", test.want, err)
			}
			if test.says != "" {
				says(t, err, test.says)
			}
			if found := g.stage.Written(); found != test.written || r.came != found {
				t.Errorf("expected %d bytes to be written, found %d, and %d counted", test.written, found, r.came)
			}
		})
	}
}

// TestSkip: reading over what is there ends where it should, or with an error.
func TestSkip(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, 1000, 1, Object{})
	r := g.under(0, 100, 1000, nil)
	if err := g.skip(r, answer(iotest.DataErrReader(strings.NewReader(strings.Repeat("x", 100))), 0), 100); err != nil || r.skipped != 100 {
		t.Errorf("expected an end right there to be none, found %v after %d bytes", err, r.skipped)
	}
	if err := g.skip(r, answer(strings.NewReader("x"), 0), 100); !errors.Is(err, io.EOF) {
		t.Errorf("expected %v, found %v", io.EOF, err)
	}
	if r.at != 100 || r.came != 0 || g.stage.Written() != 0 {
		t.Errorf("expected nothing to be written, found %d bytes at %d", r.came, r.at)
	}
}

// TestBuffersOfTheStore go to those that fill them soon: not to a place that has
// not shown it, but for an object that is smaller than a buffer of one's own.
func TestBuffersOfTheStore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		length int64
		fast   bool
		want   int
	}{
		"large":           {slowBytes + 1, false, slowBytes},
		"not known":       {-1, false, slowBytes},
		"large, and fast": {1 << 20, true, 1 << 20},
		"small":           {1000, false, 1001},
	} {
		g := newRig(t, nil, test.length, 1, Object{})
		buffer, err := g.buffer(t.Context(), g.under(0, 0, test.length, nil), test.fast)
		if err != nil || len(buffer.Data) != test.want {
			t.Errorf("%s: expected a buffer of %d bytes, found %d, %v", name, test.want, len(buffer.Data), err)
			continue
		}
		buffer.Release()
	}
}

// TestGather does not hold bytes back for long, where they drip.
func TestGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drip := iotest.OneByteReader(readerFunc(func(p []byte) (int, error) {
			time.Sleep(gatherTime/2 + time.Millisecond)
			return copy(p, "x"), nil
		}))
		if n, err := gather(drip, make([]byte, 10)); n != 3 || err != nil {
			t.Errorf("expected what came within %s of the first byte, and the one after it, found %d bytes, %v", gatherTime, n, err)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestLiarIsToldOnce, however many of its pieces are wrong.
func TestLiarIsToldOnce(t *testing.T) {
	t.Parallel()
	data := random(51, 1000)
	g := newRig(t, data, 1000, 2, Object{Name: "file", Pieces: pieces(data, 100)})
	g.put(0, 0, make([]byte, 200))
	g.put(1, 200, data[200:300])
	g.checkPieces()
	g.areLiars("two pieces are wrong", true, false)
	if len(g.notices) != 1 || len(g.seen) != 1 || g.seen[0].Err != ErrWrongBytes {
		t.Errorf("expected it to be told once, found %q and %v", g.notices, g.seen)
	}
	if spans := g.stage.Spans(); len(spans) != 1 || spans[0].From != 200 || spans[0].To != 300 {
		t.Errorf("expected the right piece alone to be there, found %v", spans)
	}
}

// TestPieceOfSeveralPlaces: nobody is blamed before it was wrong several times.
func TestPieceOfSeveralPlaces(t *testing.T) {
	t.Parallel()
	data := random(52, 1000)
	g := newRig(t, data, 1000, 2, Object{Name: "file", Pieces: pieces(data, 1000)})
	for try := 1; try <= mixedTries; try++ {
		g.areLiars("before", false, false)
		g.put(0, 0, make([]byte, 500))
		g.put(1, 500, data[500:])
		g.checkPieces()
		g.lacks("a wrong piece", cache.Span{From: 0, To: 1000})
	}
	g.areLiars("several times", true, true)
}

// TestPieceThatCannotBeRead is the disk's fault.
func TestPieceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	data := random(53, 1000)
	g := newRig(t, data, 1000, 1, Object{Name: "file", Pieces: pieces(data, 1000)})
	g.put(0, 0, data)
	if err := g.stage.Abort(); err != nil {
		t.Fatal(err)
	}
	g.checkPieces()
	g.areLiars("a closed file", false)
	if len(g.stage.Missing()) > 0 {
		t.Errorf("expected nothing to be dropped, found that %v is missing", g.stage.Missing())
	}
}
