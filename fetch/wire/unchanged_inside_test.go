package wire

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

func TestWhatIsRememberedOfDocumentsIsBounded(t *testing.T) {
	var d documents
	now := time.Now()
	at := func(i int) *url.URL { return &url.URL{Scheme: "https", Host: "a.example", Path: fmt.Sprint("/", i)} }
	for i := range 2 * maxRemembered {
		d.keep(at(i), `"tag"`, []byte("text"), now)
	}
	if n := len(d.byURL); n != maxRemembered {
		t.Errorf("expected %d documents, found %d", maxRemembered, n)
	}
	d = documents{}
	d.keep(at(0), `"tag"`, make([]byte, maxRememberedBytes+1), now)
	if len(d.byURL) != 0 {
		t.Error("a long one: expected it not to be kept")
	}
	d.keep(at(0), `"tag"`, []byte("text"), now)
	for _, c := range []struct {
		name  string
		limit int64
		after time.Duration
		want  bool
	}{
		{"soon", 4, time.Minute, true}, {"beyond a limit", 3, 0, false}, {"after an hour", 4, rememberedFor, false}, {"before it was read", 4, -1, false},
	} {
		if r, found := d.known(at(0), c.limit, now.Add(c.after)); found != c.want || (r.validator != "") != c.want {
			t.Errorf("%s: expected %v, found %v, %q", c.name, c.want, found, r.validator)
		}
	}
}
