package provenance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"assay/artifact"
	"assay/internal/testrepo"
)

// kinds says which kind of profile judges the bundles of a preset.
var kinds = map[testrepo.Preset]Kind{
	testrepo.PublicGood: PublicGood, testrepo.PublicGoodV2: PublicGood, testrepo.GitHub: GitHub, testrepo.Private: Private,
}

func TestBundlesVerify(t *testing.T) {
	t.Parallel()
	l, stranger := newLab(t), newLab(t)
	for preset, kind := range kinds {
		v, w := l.verifier(kind), stranger.verifier(kind)
		for form, o := range forms(t) {
			for _, version := range []string{"0.1", "0.2", "0.3"} {
				if preset == testrepo.PublicGoodV2 && version == "0.1" {
					continue // it needs a promise, which Rekor v2 doesn't make
				}
				t.Run(fmt.Sprint(preset, form, version), func(t *testing.T) {
					o.Preset, o.Version = preset, version
					data := l.bundle(o)
					s, err := v.Verify(data, fileDigest)
					must(t, err)
					checkFacts(t, s, v, data, preset)
					refused(t, v, data, otherFile, ErrDigest)
					refused(t, w, data, fileDigest, ErrCertificate)
				})
			}
		}
	}
}

func checkFacts(t *testing.T, s *Signed, v *Verifier, data []byte, preset testrepo.Preset) {
	t.Helper()
	claims := testrepo.WorkflowClaims("https://github.com/acme/hello", ".github/workflows/release.yml", "refs/tags/v1.0.0", s.Signer.Certificate.SourceDigest)
	if s.Profile != "lab" || s.Kind != kinds[preset] || s.Bundle != artifact.DigestOf(artifact.SHA256, data) || s.Root != v.Root() {
		t.Errorf("found %+v", s)
	}
	if s.Signer.Issuer != claims.Issuer || s.Signer.Identity != claims.Identity || s.Signer.Key != "" {
		t.Errorf("expected %s, found %s", claims.Identity, s.Signer.ID())
	}
	want := Certificate{
		NotBefore: s.Signer.Certificate.NotBefore, NotAfter: s.Signer.Certificate.NotAfter,
		BuildSigner: claims.BuildSigner, BuildSignerDigest: claims.BuildSignerDigest, RunnerEnvironment: claims.RunnerEnvironment,
		SourceRepository: claims.SourceRepository, SourceDigest: claims.SourceDigest, SourceRef: claims.SourceRef,
		BuildConfig: claims.BuildConfig, BuildConfigDigest: claims.BuildConfigDigest, BuildTrigger: claims.BuildTrigger,
		RunInvocation: claims.RunInvocation,
	}
	if *s.Signer.Certificate != want || want.SourceDigest == "" || want.NotBefore.After(noon) || want.NotAfter.Before(noon) {
		t.Errorf("expected %+v, found %+v", want, *s.Signer.Certificate)
	}
	if len(s.Times) != 1 || !s.Times[0].At.Equal(noon) || s.Times[0].URI == "" {
		t.Errorf("times: %+v", s.Times)
	} else if observer := map[bool]string{true: "log", false: "authority"}[preset == testrepo.PublicGood || preset == testrepo.Private]; s.Times[0].Source != observer {
		t.Errorf("expected a time by %s, found %+v", observer, s.Times)
	}
	if logged := preset != testrepo.GitHub; logged != (len(s.Logged) == 1) || logged && len(s.Logged[0].Log) != 64 {
		t.Errorf("log entries: %+v", s.Logged)
	}
	if s.Statement != nil && (len(s.Statement.Subjects) != 1 || !reflect.DeepEqual(s.Statement.Subjects[0].Digests, fileDigest) || s.Statement.PredicateType == "") {
		t.Errorf("statement: %+v", s.Statement)
	}
	if s.Artifact != fileDigest[0] {
		t.Errorf("expected %s, found %s", fileDigest[0], s.Artifact)
	}
	text, err := json.Marshal(s)
	must(t, err)
	var again Signed
	must(t, json.Unmarshal(text, &again))
	if !reflect.DeepEqual(*s, again) {
		t.Errorf("expected what was written, %+v, found %+v", *s, again)
	}
}

// The bundle decides by which of the wanted digests it vouches; and no digest
// that it has may differ.
func TestDigestsThatAreWanted(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(GitHub)
	long, short := fileDigest[1:], fileDigest[:1]
	mixed := artifact.Digests{fileDigest[0], otherFile[1]}
	for name, test := range map[string]struct {
		o      testrepo.BundleOptions
		wanted artifact.Digests
		kind   error
		by     artifact.Digest
	}{
		"message by sha256":               {testrepo.BundleOptions{Data: fileData}, short, nil, fileDigest[0]},
		"message, sha512 wanted":          {testrepo.BundleOptions{Data: fileData}, long, ErrAlgorithm, artifact.Digest{}},
		"statement has both":              {testrepo.BundleOptions{Statement: statement(t, fileDigest)}, fileDigest, nil, fileDigest[0]},
		"statement has sha512":            {testrepo.BundleOptions{Statement: statement(t, long)}, fileDigest, nil, fileDigest[1]},
		"statement has sha256":            {testrepo.BundleOptions{Statement: statement(t, short)}, fileDigest, nil, fileDigest[0]},
		"statement, nothing shared":       {testrepo.BundleOptions{Statement: statement(t, short)}, long, ErrAlgorithm, artifact.Digest{}},
		"statement, one differs":          {testrepo.BundleOptions{Statement: statement(t, fileDigest)}, mixed, ErrDigest, artifact.Digest{}},
		"statement, the second subject":   {testrepo.BundleOptions{Statement: statement(t, otherFile, fileDigest)}, fileDigest, nil, fileDigest[0]},
		"statement, halves of two":        {testrepo.BundleOptions{Statement: statement(t, mixed, artifact.Digests{otherFile[0], fileDigest[1]})}, fileDigest, ErrDigest, artifact.Digest{}},
		"nothing wanted":                  {testrepo.BundleOptions{Data: fileData}, nil, ErrDigest, artifact.Digest{}},
		"one wanted twice":                {testrepo.BundleOptions{Data: fileData}, artifact.Digests{fileDigest[0], fileDigest[0]}, ErrDigest, artifact.Digest{}},
		"a digest that names nothing":     {testrepo.BundleOptions{Data: fileData}, artifact.Digests{{}}, ErrDigest, artifact.Digest{}},
		"statement about a later subject": {testrepo.BundleOptions{Statement: statement(t, otherFile, otherFile)}, fileDigest, ErrDigest, artifact.Digest{}},
	} {
		t.Run(name, func(t *testing.T) {
			test.o.Preset = testrepo.GitHub
			data := l.bundle(test.o)
			if test.kind != nil {
				refused(t, v, data, test.wanted, test.kind)
				return
			}
			s, err := v.Verify(data, test.wanted)
			must(t, err)
			if s.Artifact != test.by {
				t.Errorf("expected %s, found %s", test.by, s.Artifact)
			}
		})
	}
}

// A profile's thresholds are its own: what a bundle lacks or has changes nothing.
func TestThresholds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	both := &testrepo.Proofs{SCT: true, Log: testrepo.Rekor1, Both: true, Timestamp: true}
	for name, test := range map[string]struct {
		kind   Kind
		least  Thresholds
		proofs *testrepo.Proofs
		want   error
	}{
		"public-good without SCT":        {PublicGood, Thresholds{}, &testrepo.Proofs{Log: testrepo.Rekor1}, ErrCertificate},
		"public-good without log":        {PublicGood, Thresholds{}, &testrepo.Proofs{SCT: true, Timestamp: true}, ErrLog},
		"public-good without time":       {PublicGood, Thresholds{}, &testrepo.Proofs{SCT: true, Log: testrepo.Rekor2}, ErrTime},
		"public-good, timestamp, too":    {PublicGood, Thresholds{SignedTimestamps: 1}, &testrepo.Proofs{SCT: true, Log: testrepo.Rekor1}, ErrTime},
		"public-good with all":           {PublicGood, Thresholds{SignedTimestamps: 1, LogEntries: 2, Times: 2}, both, nil},
		"public-good, one log of two":    {PublicGood, Thresholds{LogEntries: 2}, &testrepo.Proofs{SCT: true, Log: testrepo.Rekor1}, ErrLog},
		"public-good, one time of two":   {PublicGood, Thresholds{Times: 2}, &testrepo.Proofs{SCT: true, Log: testrepo.Rekor1}, ErrTime},
		"github without timestamp":       {GitHub, Thresholds{}, &testrepo.Proofs{Log: testrepo.Rekor1}, ErrTime},
		"github":                         {GitHub, Thresholds{}, &testrepo.Proofs{Timestamp: true}, nil},
		"github, SCT asked":              {GitHub, Thresholds{SCTs: 1}, &testrepo.Proofs{Timestamp: true}, ErrCertificate},
		"private without time":           {Private, Thresholds{}, &testrepo.Proofs{}, ErrTime},
		"private, v2 entry without time": {Private, Thresholds{}, &testrepo.Proofs{Log: testrepo.Rekor2}, ErrTime},
		"private by timestamp":           {Private, Thresholds{}, &testrepo.Proofs{Timestamp: true}, nil},
		"private by log":                 {Private, Thresholds{}, &testrepo.Proofs{Log: testrepo.Rekor1}, nil},
		"private, log asked":             {Private, Thresholds{LogEntries: 1}, &testrepo.Proofs{Timestamp: true}, ErrLog},
		"private, SCT asked":             {Private, Thresholds{SCTs: 1}, &testrepo.Proofs{Timestamp: true}, ErrCertificate},
		"private, timestamp asked":       {Private, Thresholds{SignedTimestamps: 1}, &testrepo.Proofs{Log: testrepo.Rekor1}, ErrTime},
	} {
		t.Run(name, func(t *testing.T) {
			data := l.bundle(testrepo.BundleOptions{Data: fileData, Proofs: test.proofs})
			v := l.verifier(test.kind, test.least)
			if test.want != nil {
				refused(t, v, data, fileDigest, test.want)
				return
			}
			s, err := v.Verify(data, fileDigest)
			must(t, err)
			if test.proofs == both && (len(s.Logged) != 2 || len(s.Times) != 2) {
				t.Errorf("expected two log entries and two times, found %+v and %+v", s.Logged, s.Times)
			}
		})
	}
}

func TestVerifierServesSeveralAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(PublicGood)
	good, bad := l.bundle(testrepo.BundleOptions{Statement: statement(t, fileDigest)}), l.bundle(testrepo.BundleOptions{
		Data: fileData, Preset: testrepo.PublicGoodV2, Forgeries: []testrepo.BundleForgery{testrepo.OtherEntry},
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := v.Verify(good, fileDigest); err != nil {
				t.Error(err)
			}
			if _, err := v.Verify(bad, fileDigest); err == nil {
				t.Error("expected a refusal")
			}
		})
	}
	wg.Wait()
}
