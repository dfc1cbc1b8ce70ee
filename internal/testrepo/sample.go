package testrepo

import "time"

// Sample makes the standard repository and publishes it once:
//
//   - product hello in the channels stable, hotfix and deprecated, product ferry
//     in stable; for linux/amd64, linux/arm64, darwin/arm64 and windows/amd64
//   - hello in stable: 1.5.0 current, its rollout at 100 % since two days;
//     1.4.2 current, 1.4.0 superseded, 1.4.1 revoked, 1.3.0 deprecated
//   - hello in hotfix: 1.5.1 current; in deprecated: 1.3.0 deprecated
//   - ferry in stable: 0.9.0 current, whose windows/amd64 artifact lies outside
//     the repository at BaseURL/elsewhere/…
//   - one role per channel and one per product, each with its own key
//
// All dates are relative to Options.Now. Nothing is signed but the metadata,
// unless Options.Signing says so; SampleSigned is the usual way to.
func Sample(opts Options) (*Repo, error) {
	r, err := New(opts)
	if err != nil {
		return nil, err
	}
	if err := r.AddProduct("hello", "Prints a greeting", "stable", "hotfix", "deprecated"); err != nil {
		return nil, err
	}
	if err := r.AddProduct("ferry", "Moves files", "stable"); err != nil {
		return nil, err
	}
	for _, release := range sampleReleases(r.second()) {
		if err := r.AddRelease(release); err != nil {
			return nil, err
		}
	}
	if opts.Signing != nil {
		if err := r.AddTrustedRoot(opts.Signing.Sigstore); err != nil {
			return nil, err
		}
	}
	if err := r.Publish(); err != nil {
		return nil, err
	}
	return r, nil
}

// SampleSigned makes the standard repository with bundles of a new Sigstore:
// SLSA provenance v1 and the bill of materials of each artifact, and a signature
// over each checksums file, all as the public-good instance has them; and
// trusted_root.json. opts.Signing, where it is given, says otherwise, and gets a
// Sigstore if it has none.
func SampleSigned(opts Options) (*Repo, *Sigstore, error) {
	how := Signing{Checksums: true, Bills: true}
	if opts.Signing != nil {
		how = *opts.Signing
	}
	if how.Sigstore == nil {
		s, err := NewSigstore(opts.Now)
		if err != nil {
			return nil, nil, err
		}
		how.Sigstore = s
	}
	opts.Signing = &how
	r, err := Sample(opts)
	return r, how.Sigstore, err
}

func sampleReleases(now time.Time) []Release {
	daysAgo := func(days int) time.Time { return now.Add(-time.Duration(days) * 24 * time.Hour) }
	outside := DefaultArtifacts()
	outside[len(outside)-1].Elsewhere = true // windows/amd64
	const stable = "stable"
	return []Release{
		{
			Product: "hello", Version: "1.3.0", Channel: stable, Status: "deprecated", Published: daysAgo(300), Since: daysAgo(30),
			Reason: "1.3 gets no fixes any more",
		},
		{
			Product: "hello", Version: "1.3.0", Channel: "deprecated", Status: "deprecated", Since: daysAgo(30),
			Reason: "1.3 gets no fixes any more",
		},
		{
			Product: "hello", Version: "1.4.1", Channel: stable, Status: "revoked", Published: daysAgo(80), Since: daysAgo(60),
			Reason: "built on a machine that was compromised", Advisory: "https://hello.example/advisories/2026-03",
		},
		{Product: "hello", Version: "1.4.0", Channel: stable, Status: "superseded", Published: daysAgo(100), Since: daysAgo(50)},
		{Product: "hello", Version: "1.4.2", Channel: stable, Since: daysAgo(50)},
		{Product: "hello", Version: "1.5.0", Channel: stable, Since: daysAgo(9), Rollout: &Rollout{
			Salt: "hello-1.5.0",
			Steps: []Step{
				{At: daysAgo(9), Percent: 5}, {At: daysAgo(7), Percent: 25}, {At: daysAgo(2), Percent: 100},
			},
		}},
		{Product: "hello", Version: "1.5.1", Channel: "hotfix", Since: daysAgo(1)},
		{Product: "ferry", Version: "0.9.0", Channel: stable, Since: daysAgo(20), Artifacts: outside},
	}
}
