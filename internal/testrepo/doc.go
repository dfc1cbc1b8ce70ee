// Package testrepo makes signed TUF repositories with assay's release layout,
// in memory, and serves them over loopback, honestly or maliciously. The demo
// and the tests of every other package use it.
//
// A Repo is the publisher: it holds the keys, the targets and the delegations,
// and each Publish signs what changed and appends a generation, which is the
// complete set of files as a web server would hold them at that moment. A
// Server is the mirror between publisher and client: it serves the newest
// generation until it is told to misbehave. A Sigstore is whoever vouches for
// builders: it makes real bundles, which verify offline by its trusted root, and
// forged ones, each of which has one thing wrong. Releases are signed as Signing
// says.
//
// Guarantees: without a Forgery or SetFile, every generation is a valid
// repository by the TUF specification 1.0 (consistent snapshots unless
// Options.PlainSnapshots); a generation never changes afterwards except through
// SetFile and RemoveFile; all methods may be called at once from several
// goroutines; large targets are never held in memory. A bundle without a
// BundleForgery is one that sigstore-go accepts, by thresholds that its Preset
// meets.
//
// Non-guarantees: the keys are random, live in memory only and are gone with
// the Repo or the Sigstore, so nothing here is fit to publish real software.
// Paths and role names are taken as given, so that hostile ones can be served;
// only WriteTo refuses what would leave its folder. Statements and identities
// are signed as given, true or not.
//
// Errors wrap ErrOptions for what can't be made, ErrUnknown for what is not
// there, ErrConflict for what excludes something that is.
package testrepo
