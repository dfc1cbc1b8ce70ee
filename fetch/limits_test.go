package fetch_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/trust"
)

// What is read before a repository is opened obeys its limits, too: the
// timestamp that tells the layout, and the first root.
func TestLimitsBeforeARepositoryIsOpened(t *testing.T) {
	t.Parallel()
	defaults := trust.DefaultLimits()
	for name, test := range map[string]struct {
		file   string
		length int64
		limits trust.Limits
		want   error
	}{
		"timestamp, default":         {"timestamp.json", defaults.Timestamp, trust.Limits{}, nil},
		"timestamp, above":           {"timestamp.json", defaults.Timestamp + 1, trust.Limits{}, trust.ErrTooLarge},
		"timestamp, raised":          {"timestamp.json", defaults.Timestamp + 1, trust.Limits{Timestamp: defaults.Timestamp + 1}, nil},
		"timestamp, lowered":         {"timestamp.json", 1000, trust.Limits{Timestamp: 999}, trust.ErrTooLarge},
		"timestamp, another lowered": {"timestamp.json", 1000, trust.Limits{Root: 999}, nil},
		"root, default":              {"1.root.json", defaults.Root, trust.Limits{}, nil},
		"root, above":                {"1.root.json", defaults.Root + 1, trust.Limits{}, trust.ErrTooLarge},
		"root, raised":               {"1.root.json", defaults.Root + 1, trust.Limits{Root: defaults.Root + 1}, nil},
		"root, lowered":              {"1.root.json", 1000, trust.Limits{Root: 999}, trust.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte("{" + strings.Repeat(" ", int(test.length)-2) + "}")
			server := serving(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, test.file) {
					w.Write([]byte("{}"))
					return
				}
				w.Write(body)
			})
			learnt := ""
			source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{
				URL: server.URL, Limits: test.limits,
				Remember: func(_ context.Context, layout string) error { learnt = layout; return nil },
			})
			must(t, err)
			want := artifact.DigestOf(artifact.SHA256, body)
			if test.file == "timestamp.json" {
				want = artifact.DigestOf(artifact.SHA256, []byte("{}"))
			}
			raw, err := source.ReadRoot(t.Context(), 1, want)
			if !errors.Is(err, test.want) || (raw == nil) != (test.want != nil) {
				t.Errorf("expected %v, found %d bytes, %v", test.want, len(raw), err)
			}
			if refused := test.want != nil && test.file == "timestamp.json"; refused != (learnt == "") {
				t.Errorf("the layout that was learnt is %q", learnt)
			}
		})
	}
}
