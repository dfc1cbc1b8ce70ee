package trust_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"

	"assay/internal/testrepo"
	"assay/trust"
)

// rewritten is the newest timestamp with other text in the place of one, signed
// over that text by the right key.
func (b *bench) rewritten(old, text string) []byte {
	b.t.Helper()
	payload, err := cjson.EncodeCanonical(timestampOf(b.t, b.repo.Files(0)["timestamp.json"]).Signed)
	must(b.t, err)
	if bytes.Count(payload, []byte(old)) != 1 {
		b.t.Fatalf("expected %s once in %s", old, payload)
	}
	payload = bytes.Replace(payload, []byte(old), []byte(text), 1)
	key := b.repo.Keys("timestamp")[0]
	sig, err := key.Sign(payload)
	must(b.t, err)
	return fmt.Appendf(nil, `{"signatures":[{"keyid":%q,"sig":%q}],"signed":%s}`, key.ID(), hex.EncodeToString(sig), payload)
}

// Two readers must not see two numbers in one text: versions are whole decimal
// numbers, written plainly, whoever has signed them.
func TestVersionsThatMeanTwoNumbers(t *testing.T) {
	t.Parallel()
	for text, accepted := range map[string]bool{
		"2": true, "9007199254740993": true, "9223372036854775807": true,
		"2.0": false, "2e0": false, "20E-1": false, "2.5": false, "-2": false, "-0": false, "0": false, "02": false, "+2": false, "0x2": false,
		"9223372036854775808": false, "18446744073709551618": false, "1e400": false,
		`"2"`: false, "true": false, "null": false, "[2]": false, "{}": false, "": false, "2,\"version\":3": false, "2,\"Version\":3": false,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.PublishTimestamp())
			b.remote.replace("timestamp.json", b.rewritten(`"version":2`, `"version":`+text))
			if !accepted {
				b.refuses(trust.ErrMalformed)
				return
			}
			if got := fmt.Sprint(version(b.mustRefresh(), "timestamp")); got != text {
				t.Errorf("expected %s, found %s", text, got)
			}
		})
	}
}

// The same for the time of expiry, which decides what is still good.
func TestExpiryThatMeansTwoTimes(t *testing.T) {
	t.Parallel()
	const honest = `"expires":"2026-03-02T12:00:00Z"`
	for text, accepted := range map[string]bool{
		`"2026-03-02T12:00:00Z"`: true, `"2027-03-02T12:00:00Z"`: true,
		`"2027-03-02"`: false, `"2027-03-02 12:00:00Z"`: false, `"2027-02-30T12:00:00Z"`: false, `"2027-03-02T12:00:00"`: false,
		`"never"`: false, `""`: false, `1803988800`: false, `["2027-03-02T12:00:00Z"]`: false, `"2027-03-02T24:00:00Z"`: false,
		`"20270302T120000Z"`: false, `" 2027-03-02T12:00:00Z"`: false, `"0001-01-01T00:00:00Z"`: false, `"99999-03-02T12:00:00Z"`: false,
		`"2026-03-02T12:00:00Z","Expires":"2036-03-02T12:00:00Z"`: false,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.PublishTimestamp())
			b.remote.replace("timestamp.json", b.rewritten(honest, `"expires":`+text))
			if accepted {
				b.mustRefresh()
				return
			}
			b.refuses(trust.ErrMalformed)
		})
	}
}
