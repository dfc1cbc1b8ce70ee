package testrepo

import (
	"fmt"
	"slices"
)

// BundleForgery is one thing that is wrong with a bundle. All else in it stays
// as good as it can be: what comes later is over what was forged before.
type BundleForgery string

// What can be forged. An impostor has the names of the instance, and other keys.
const (
	// The signature is another key's.
	WrongSignature BundleForgery = "wrong signature"
	// The envelope has a second signature, of another key.
	TwoSignatures BundleForgery = "two signatures"
	// An impostor's authority issued the certificate.
	ForeignCertificate BundleForgery = "foreign certificate"
	// The certificate is not for signing code.
	WrongKeyUsage BundleForgery = "wrong key usage"
	// An impostor signed the certificate's timestamp.
	ForeignSCT BundleForgery = "foreign SCT"
	// Log and timestamp authority saw the signature an hour before the
	// certificate began, or an hour after its beginning, when it had ended.
	SignedEarly BundleForgery = "signed early"
	SignedLate  BundleForgery = "signed late"
	// The log entry has a promise only, or a proof only.
	NoInclusionProof   BundleForgery = "no inclusion proof"
	NoInclusionPromise BundleForgery = "no inclusion promise"
	// An impostor signed the promise, or the proof's checkpoint.
	ForeignPromise    BundleForgery = "foreign promise"
	ForeignCheckpoint BundleForgery = "foreign checkpoint"
	// The proof ends in a tree, with a good checkpoint, that the entry is not in.
	WrongInclusion BundleForgery = "wrong inclusion"
	// The entry is in an impostor's log, and says so.
	UnknownLog BundleForgery = "unknown log"
	// The entry is a good one, of another signature over the same.
	OtherEntry BundleForgery = "other entry"
	// An impostor made the timestamp.
	ForeignTimestamp BundleForgery = "foreign timestamp"
	// The timestamp is a good one, of another signature.
	OtherTimestamp BundleForgery = "other timestamp"
)

// checkForgeries refuses what would not be in the bundle: a test that forges
// nothing proves nothing. The options have their defaults.
func (o BundleOptions) checkForgeries() error {
	logs := o.Proofs.logs()
	certified, v1 := !o.Plain, slices.Contains(logs, Rekor1)
	proven := v1 && o.Version != "0.1" || slices.Contains(logs, Rekor2)
	for _, f := range o.Forgeries {
		possible := false
		switch f {
		case WrongSignature:
			possible = true
		case TwoSignatures:
			possible = o.Statement != nil
		case ForeignCertificate, WrongKeyUsage:
			possible = certified
		case ForeignSCT:
			possible = o.Proofs.SCT
		case SignedEarly, SignedLate:
			possible = certified && (v1 || o.Proofs.Timestamp)
		case NoInclusionProof, ForeignCheckpoint, WrongInclusion:
			possible = proven
		case NoInclusionPromise, ForeignPromise:
			possible = v1
		case UnknownLog, OtherEntry:
			possible = len(logs) > 0
		case ForeignTimestamp, OtherTimestamp:
			possible = o.Proofs.Timestamp
		}
		if !possible {
			return fmt.Errorf("%w: bundle: the forgery %q needs what this bundle does not have", ErrOptions, string(f))
		}
	}
	if !o.Stated.IsZero() && o.Statement != nil {
		return fmt.Errorf("%w: bundle: a statement's bundle states no digest", ErrOptions)
	}
	return nil
}

// forged says whether something is to be wrong.
func (x *signing) forged(f BundleForgery) bool { return slices.Contains(x.opts.Forgeries, f) }
