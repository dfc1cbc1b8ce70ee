package pinned_test

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// bucket is a store that notes what it is asked for.
type bucket struct {
	places []transfer.Place
	err    error
	asked  []pinned.Object
}

func (b *bucket) Places(_ context.Context, object pinned.Object) ([]transfer.Place, error) {
	b.asked = append(b.asked, object)
	return b.places, b.err
}

func placeOf(t *testing.T, text, authorization string) transfer.Place {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return transfer.Place{URL: u, Reach: wire.ReachOf(u), Authorization: authorization}
}

func TestGetObject(t *testing.T) {
	s := newSite(t, map[string]string{"/b/k": "good"})
	for kind, text := range map[pinned.Kind]string{pinned.S3: "s3://bucket/a/key", pinned.GCS: "gs://bucket/a/key"} {
		store := &bucket{places: []transfer.Place{placeOf(t, s.URL+"/none?X-Amz-Signature=hidden", "Bearer hidden"), placeOf(t, s.URL+"/b/k?X-Amz-Signature=hidden", "")}}
		r := newRig(t, func(c *pinned.Config) { c.S3, c.GCS = store, store })
		got, err := r.Get(t.Context(), parse(t, text), of("good"))
		if err != nil || content(t, got.Blob) != "good" || got.From != s.URL+"/b/k?…" {
			t.Errorf("%s: got %+v, %v", kind, got, err)
		}
		if len(store.asked) != 1 || store.asked[0] != (pinned.Object{Bucket: "bucket", Key: "a/key"}) {
			t.Errorf("%s: asked for %v", kind, store.asked)
		}
		if r.mover.asked[0].Authorization != "Bearer hidden" {
			t.Errorf("%s: the mover got %v", kind, r.mover.asked)
		}
		store.places = store.places[:1]
		_, err = r.Get(t.Context(), parse(t, text), of("other"))
		wantError(t, err, wire.ErrSource, "!hidden")
		store.err = pinned.ErrCredentials
		_, err = r.Get(t.Context(), parse(t, text), of("other"))
		wantError(t, err, pinned.ErrCredentials, text)
	}
}

// A URL of the stores' own servers is asked as anybody would, and with credentials
// only where it is for nobody.
func TestGetObjectByURL(t *testing.T) {
	const region = "eu-west-1"
	for text, want := range map[string]pinned.Object{
		"https://my.bucket.s3.eu-west-1.amazonaws.com/a/key":    {Bucket: "my.bucket", Key: "a/key", Region: region, Public: true},
		"https://BUCKET.s3-eu-west-1.amazonaws.com/key":         {Bucket: "bucket", Key: "key", Region: region, Public: true},
		"https://bucket.s3.amazonaws.com/key":                   {Bucket: "bucket", Key: "key", Public: true},
		"https://bucket.s3.cn-north-1.amazonaws.com.cn/a%20key": {Bucket: "bucket", Key: "a key", Region: "cn-north-1", Public: true},
		"https://s3.us-gov-west-1.amazonaws.com/bucket/a/key":   {Bucket: "bucket", Key: "a/key", Region: "us-gov-west-1", Public: true},
		"https://storage.googleapis.com/bucket/a/key":           {Bucket: "bucket", Key: "a/key", Public: true},
		"https://storage.googleapis.com/bucket/a/key?x=1":       {},
		"https://me@storage.googleapis.com/bucket/a/key":        {},
		"https://storage.googleapis.com:444/bucket/a/key":       {},
		"http://storage.googleapis.com/bucket/a/key":            {},
		"https://storage.googleapis.com/bucket/":                {},
		"https://storage.googleapis.com.evil.example/bucket/k":  {},
		"https://s3.evil.example/bucket/key":                    {},
		"https://bucket.s3.eu-west-1.amazonaws.com.evil/key":    {},
		"https://bucket.s3.evil.amazonaws.com/key":              {},
		"https://evil.example/bucket.s3.amazonaws.com/key":      {},
	} {
		s := newSite(t, map[string]string{"/signed": "good"})
		store := &bucket{places: []transfer.Place{placeOf(t, s.URL+"/signed", "")}}
		none := &nobody{}
		r := newRig(t, func(c *pinned.Config) { c.S3, c.GCS = store, store })
		none.to = r.mover
		getter, err := pinned.New(pinned.Config{Cache: r.cache, Mover: none, Dir: r.dir, S3: store, GCS: store})
		if err != nil {
			t.Fatal(err)
		}
		got, err := getter.Get(t.Context(), parse(t, text), of("good"))
		if want == (pinned.Object{}) {
			wantError(t, err, wire.ErrSource)
			if len(store.asked) != 0 {
				t.Errorf("%s: asked for %v", text, store.asked)
			}
			continue
		}
		if err != nil || content(t, got.Blob) != "good" || len(store.asked) != 1 || store.asked[0] != want {
			t.Errorf("%s: got %+v, %v, asked for %v", text, got, err, store.asked)
		}
		// Without credentials the first answer stays.
		store.places = nil
		_, err = getter.Get(t.Context(), parse(t, text), of("other"))
		wantError(t, err, errNobody)
	}
}

var errNobody = errors.New("for nobody")

// nobody may ask for what was not signed.
type nobody struct{ to *mover }

func (n *nobody) Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (cache.Blob, int64, string, error) {
	if places[0].URL.Path != "/signed" {
		return cache.Blob{}, 0, "", &wire.SourceError{URL: wire.Shown(places[0].URL), Err: errors.Join(errNobody, fs.ErrNotExist)}
	}
	return n.to.Move(ctx, places, want, limit, name)
}

// What fails for another reason than that it is not there for anybody is not asked
// with credentials.
func TestGetObjectByURLThatFails(t *testing.T) {
	store := &bucket{}
	r := newRig(t, nil)
	getter, err := pinned.New(pinned.Config{Cache: r.cache, Mover: broken{}, Dir: r.dir, GCS: store})
	if err != nil {
		t.Fatal(err)
	}
	_, err = getter.Get(t.Context(), parse(t, "https://storage.googleapis.com/bucket/key"), of("good"))
	wantError(t, err, errNobody)
	if len(store.asked) != 0 {
		t.Errorf("asked for %v", store.asked)
	}
}

type broken struct{}

func (broken) Move(context.Context, []transfer.Place, artifact.Digests, int64, string) (cache.Blob, int64, string, error) {
	return cache.Blob{}, 0, "", errNobody
}
