package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/cache/audit"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/install"
	"assay/fetch/wire"
	"assay/internal/config"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

func TestExitCodes(t *testing.T) {
	in := func(err error) error { return fmt.Errorf("somewhere: %w", err) }
	source := &wire.SourceError{URL: "https://x", Err: trust.ErrNoAnswer}
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"none":                         {nil, 0},
		"unknown":                      {errors.New("what?"), 1},
		"usage":                        {usagef("no"), 2},
		"config":                       {in(&config.Error{Kind: config.ErrProject}), 2},
		"ref":                          {in(artifact.ErrRef), 2},
		"conflict":                     {in(&state.ConflictError{}), 2},
		"other root":                   {in(trust.ErrRootConflict), 2},
		"ambiguous":                    {in(fetch.ErrAmbiguous), 2},
		"map":                          {in(&trust.MapError{}), 2},
		"limit above the highest":      {in(trust.ErrLimits), 2},
		"not approved":                 {in(trust.ErrNotApproved), 18},
		"disagree":                     {in(trust.ErrDisagree), 18},
		"outside the map":              {in(trust.ErrOutside), 18},
		"approver expired":             {fmt.Errorf("could not be found out: %w", &trust.ExpiredError{}), 11},
		"unknown product":              {in(fetch.ErrUnknown), 3},
		"unknown target":               {in(trust.ErrNoTarget), 3},
		"signature":                    {in(trust.ErrSignature), 10},
		"too many roles":               {in(trust.ErrSearchLimit), 10},
		"too large":                    {in(trust.ErrTooLarge), 10},
		"no root":                      {in(trust.ErrNoRoot), 21},
		"malformed, by a bad digest":   {fmt.Errorf("%w: %w", trust.ErrMalformed, artifact.ErrDigest), 10},
		"root with another digest":     {mark(trust.ErrRootChain, &trust.MismatchError{}), 10},
		"expired":                      {in(&trust.ExpiredError{}), 11},
		"expired, and nothing answers": {errors.Join(&trust.ExpiredError{}, source), 11},
		"clock":                        {&trust.ClockError{}, 11},
		"too old":                      {in(fetch.ErrTooOld), 11},
		"rollback":                     {in(&trust.RollbackError{}), 12},
		"mismatch":                     {in(&cache.MismatchError{}), 13},
		"damaged blob":                 {&cache.CorruptError{}, 13},
		"manifest":                     {in(&release.FieldError{Err: release.ErrBinding}), 15},
		"manifest, by a bad version":   {fmt.Errorf("%w: %w", release.ErrMalformed, artifact.ErrVersion), 15},
		"revoked":                      {in(fetch.ErrRevoked), 16},
		"no answer":                    {in(source), 20},
		"no metadata":                  {in(trust.ErrNoMetadata), 20},
		"unreadable file source":       {&wire.SourceError{Err: fs.ErrPermission}, 20},
		"not held":                     {in(trust.ErrNotHeld), 21},
		"not held, as it expired":      {fmt.Errorf("%w: %w", trust.ErrNotHeld, &trust.ExpiredError{}), 21},
		"busy":                         {in(state.ErrBusy), 31},
		"changed meanwhile":            {in(install.ErrMeanwhile), 31},
		"cache disk full":              {fmt.Errorf("%w: %w", cache.ErrDisk, syscall.ENOSPC), 40},
		"output":                       {in(fetch.ErrOutput), 40},
		"permission":                   {in(syscall.EACCES), 40},
		"state damaged":                {in(state.ErrDamaged), 41},
		"state newer":                  {in(state.ErrNewer), 41},
		"floors damaged":               {in(trust.ErrState), 41},
		"interrupted":                  {errInterrupted, 130},
		"given up":                     {in(context.Canceled), 130},
		"terminated":                   {errTerminated, 143},
	} {
		if got := codeOf(test.err); got != test.want {
			t.Errorf("%s: exit code %d, want %d", name, got, test.want)
		}
	}
}

// TestCausesStandOnce: of two rows for one error the second is never reached.
func TestCausesStandOnce(t *testing.T) {
	seen := map[error]bool{}
	for _, cause := range causes() {
		if seen[cause.err] {
			t.Errorf("%q stands twice", cause.err)
		}
		seen[cause.err] = true
	}
}

// TestDamagedFileHints: what is damaged costs no more than the file that it is
// in, and whoever loses that is told what goes with it.
func TestDamagedFileHints(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		says []string
	}{
		"the log":     {audit.ErrDamaged, []string{"audit.db", "one file", "version floors", "stay"}},
		"the memory":  {policy.ErrMemory, []string{"proofs.db", "one file", "first seen", "version floors stay"}},
		"a receipt":   {fmt.Errorf("%w: %w", proof.ErrReceipt, state.ErrDamaged), []string{"`assay get`"}},
		"the floors":  {trust.ErrState, []string{"state.db", "one file", "rollback"}},
		"the entries": {&audit.BreakError{}, []string{"assay audit export"}},
	} {
		row, hint := exitOf(fmt.Errorf("somewhere: %w", test.err))
		for _, want := range test.says {
			if row.code != 41 || !strings.Contains(hint, want) {
				t.Errorf("%s: expected 41 and %q, found %d and %q", name, want, row.code, hint)
			}
		}
	}
}

func TestEveryCauseHasAnExit(t *testing.T) {
	known := map[int]string{}
	for _, row := range exits() {
		if known[row.code] != "" || row.name == "" || row.meaning == "" {
			t.Errorf("row %+v: twice, or without its texts", row)
		}
		known[row.code] = row.name
	}
	for _, cause := range causes() {
		if known[cause.code] == "" {
			t.Errorf("%v leads to %d, which is not in the table", cause.err, cause.code)
		}
		for _, word := range []string{"state directory aside", "move it aside", "insecure", "skip", "disable", "without check"} {
			if strings.Contains(cause.hint, word) {
				t.Errorf("the hint %q suggests to switch something off", cause.hint)
			}
		}
	}
}

// TestHintsNameTheRepository shows that a hint can be pasted where the error
// tells which repository it is about.
func TestHintsNameTheRepository(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"expired":                  {&trust.ExpiredError{Repository: "acme"}, "`assay trust show acme --offline`"},
		"expired and unreachable":  {errors.Join(&trust.ExpiredError{Repository: "acme"}, &wire.SourceError{Err: trust.ErrNoAnswer}), "`assay trust show acme --offline`"},
		"rollback":                 {fmt.Errorf("x: %w", &trust.RollbackError{Repository: "acme"}), "`assay trust show acme --offline`"},
		"clock":                    {&trust.ClockError{Repository: "acme"}, "`assay trust clock reset acme`"},
		"which one is not known":   {fetch.ErrTooOld, "`assay trust show NAME --offline`"},
		"too large":                {fmt.Errorf("x: %w", &trust.LimitError{Limit: "timestamp", Err: trust.ErrTooLarge}), "raise limits.timestamp in"},
		"too many roles":           {fmt.Errorf("x: %w", &trust.LimitError{Limit: "roles", Err: trust.ErrSearchLimit}), "raise limits.roles in"},
		"too deep":                 {fmt.Errorf("x: %w", &trust.LimitError{Limit: "depth", Err: trust.ErrMalformed}), "raise limits.depth in"},
		"held, above a limit":      {fmt.Errorf("%w: %w", trust.ErrNotHeld, &trust.LimitError{Limit: "targets", Err: trust.ErrTooLarge}), "raise limits.targets in"},
		"too old, as asked":        {&earlyRefusal{err: fetch.ErrTooOld, asked: asked{repository: "acme"}}, "`assay trust show acme --offline`"},
		"revoked":                  {&earlyRefusal{err: fetch.ErrRevoked, asked: asked{repository: "acme", product: "hello"}}, "`assay versions acme:hello`"},
		"revoked, whose is unsaid": {&earlyRefusal{err: fetch.ErrRevoked, asked: asked{product: "hello"}}, "`assay versions hello`"},
		"revoked, by its path":     {&earlyRefusal{err: fetch.ErrRevoked, asked: asked{repository: "acme", target: "hello/1/x"}}, "`assay versions PRODUCT`"},
		"refused version":          {&earlyRefusal{err: proof.ErrClaims, asked: asked{repository: "acme", product: "hello", version: "1.6.0"}}, "`assay explain acme:hello@1.6.0` shows"},
		"refused target":           {&earlyRefusal{err: proof.ErrClaims, asked: asked{repository: "acme", target: "x/NAME PRODUCT"}}, "`assay explain acme 'x/NAME PRODUCT'` shows"},
		"refused, nothing known":   {proof.ErrClaims, "`assay explain WHAT` shows"},
		"a hint without the name":  {fmt.Errorf("%w: %w", trust.ErrNotHeld, &trust.ExpiredError{Repository: "acme"}), "run the command once without --offline"},
		"a folder, not just there": {fmt.Errorf("%w: out %w", fetch.ErrExists, fetch.ErrFolder), "name a file in it"},
	} {
		if _, hint := exitOf(test.err); !strings.Contains(hint, test.want) {
			t.Errorf("%s: expected a hint with %q, found %q", name, test.want, hint)
		}
	}
}

func TestSignalDecidesTheExit(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTerminated)
	var stdout, stderr bytes.Buffer
	env := []string{"ASSAY_STATE_DIR=" + t.TempDir(), "ASSAY_CACHE_DIR=" + t.TempDir()}
	if code := run(ctx, []string{"cache", "verify"}, strings.NewReader(""), &stdout, &stderr, env); code != 143 {
		t.Errorf("exit code %d, want 143: %s", code, stderr.String())
	}
	if stdout.Len() > 0 {
		t.Errorf("stdout has %q", stdout.String())
	}
}

func TestFinish(t *testing.T) {
	failing := fmt.Errorf("evil\x1b[31m\u202etxt: %w", errors.Join(&trust.ExpiredError{Repository: "acme", Role: "timestamp"}, errors.New("second\nline")))
	var stdout, stderr bytes.Buffer
	p := newPrinter(&stdout, &stderr, printSettings{json: true, color: "never"})
	if code := p.finish(failing); code != 11 {
		t.Errorf("exit code %d", code)
	}
	for _, text := range []string{stdout.String(), stderr.String()} {
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("control characters came through: %q", text)
		}
	}
	if !strings.HasPrefix(stdout.String(), `{"schema":"assay.error/v1","error":{"code":11,"name":"expired","check":"tuf.freshness","message":"evil[31mtxt: acme: timestamp`) || strings.Count(stdout.String(), "\n") != 1 {
		t.Errorf("stdout: %q", stdout.String())
	}
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "assay: evil") || !strings.HasPrefix(lines[1], "  hint: ") {
		t.Errorf("stderr: %q", stderr.String())
	}
}

// brokenPipe is a standard output that takes nothing.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullStandardOutput(t *testing.T) {
	var stderr bytes.Buffer
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"help"}} {
		stderr.Reset()
		if code := run(t.Context(), args, strings.NewReader(""), brokenPipe{}, &stderr, nil); code != 40 {
			t.Errorf("%v: exit code %d, want 40", args, code)
		}
		if !strings.Contains(stderr.String(), "standard output: no space left") {
			t.Errorf("%v: stderr %q", args, stderr.String())
		}
	}
}

func TestTable(t *testing.T) {
	var stdout bytes.Buffer
	p := newPrinter(&stdout, &stdout, printSettings{})
	p.table([]string{"A", "LONGER"}, [][]string{{"größe", "x\ny"}, {"", "\x1b[1m"}})
	if got, want := stdout.String(), "A      LONGER\ngröße  x y\n       [1m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestColours(t *testing.T) {
	for _, test := range []struct {
		settings printSettings
		want     bool
	}{
		{printSettings{}, false}, // not a terminal
		{printSettings{color: "always", plain: true}, true},
		{printSettings{color: "never"}, false},
	} {
		var out bytes.Buffer
		newPrinter(&out, &out, test.settings).warn("%s", "careful")
		if got := strings.Contains(out.String(), "\x1b["); got != test.want {
			t.Errorf("%+v: %q", test.settings, out.String())
		}
	}
}
