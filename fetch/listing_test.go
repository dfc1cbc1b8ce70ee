package fetch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
	"assay/fetch"
	"assay/internal/testrepo"
)

func TestListings(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.AddRelease(testrepo.Release{Product: "hello", Version: "1.4.2", Channel: "hotfix", Status: "revoked", Reason: "a hole"}))
	must(t, b.repo.Publish())
	client := b.client()
	products, err := client.Products(t.Context(), "")
	must(t, err)
	if len(products) != 2 || products[0].Product != "ferry" || products[1].Product != "hello" || len(products[1].Channels) != 3 {
		t.Errorf("products: found %+v", products)
	}
	if _, err := client.Products(t.Context(), "nobody"); !errors.Is(err, fetch.ErrUnknown) {
		t.Errorf("products of an unknown repository: expected ErrUnknown, found %v", err)
	}

	ref, err := artifact.ParseRef("hello")
	must(t, err)
	channels, err := client.Channels(t.Context(), ref)
	must(t, err)
	chosen := map[string]string{}
	for _, c := range channels {
		chosen[c.Channel] = c.Chosen
	}
	if chosen["stable"] != "1.5.0" || chosen["hotfix"] != "1.5.1" || chosen["deprecated"] != "1.3.0" {
		t.Errorf("channels: found %v", chosen)
	}

	versions, err := client.Versions(t.Context(), ref, "stable")
	must(t, err)
	var list []string
	for _, v := range versions {
		text := v.Version.String() + " " + string(v.Status)
		if v.Chosen {
			text += " chosen"
		}
		list = append(list, text)
		if v.Version.String() == "1.4.2" && !strings.Contains(v.Reason, "in hotfix: a hole") {
			t.Errorf("expected the channel that revokes it, found %q", v.Reason)
		}
	}
	want := []string{"1.5.0 current chosen", "1.4.2 revoked", "1.4.1 revoked", "1.4.0 superseded", "1.3.0 deprecated"}
	if !slices.Equal(list, want) {
		t.Errorf("versions: expected %q, found %q", want, list)
	}
	if _, err := client.Versions(t.Context(), ref, "beta"); !errors.Is(err, fetch.ErrUnknown) {
		t.Errorf("versions of an unknown channel: expected ErrUnknown, found %v", err)
	}
}
