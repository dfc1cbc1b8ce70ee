package provenance

import (
	"fmt"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"

	"assay/internal/strictjson"
)

// MaxBundleBytes is the most bytes of a bundle. Provenance has some 20 KB; what
// grows is a statement that holds a whole SBOM.
const MaxBundleBytes = 4 << 20

// maxDepth is the nesting that is taken in a bundle and in a trusted root; both
// need seven levels.
const maxDepth = 16

// entity is a parsed bundle as the library's verifier sees it. It keeps what the
// library would parse again at each step.
type entity struct {
	*bundle.Bundle
	content   verify.VerificationContent
	signature verify.SignatureContent
	entries   []*tlog.Entry
	broken    error // why the log entries can't be read, if they can't
}

// Version hides the bundle's version from the verifier. All that it does with it
// is to try certificates on P-384 and P-521 a second time by SHA-256, and to
// announce that on stderr, which a hostile bundle could make it do at will.
func (e *entity) Version() (string, error) { return "", nil }

func (e *entity) VerificationContent() (verify.VerificationContent, error) { return e.content, nil }
func (e *entity) SignatureContent() (verify.SignatureContent, error)       { return e.signature, nil }
func (e *entity) TlogEntries() ([]*tlog.Entry, error)                      { return e.entries, nil }

// timeless is an entity whose certificate or key is valid at any time. It is for
// finding out why a bundle was refused, and never for accepting one.
type timeless struct{ *entity }

func (t timeless) VerificationContent() (verify.VerificationContent, error) {
	return timelessContent{t.content}, nil
}

type timelessContent struct{ verify.VerificationContent }

func (timelessContent) ValidAtTime(time.Time, root.TrustedMaterial) bool { return true }

// parse reads a bundle, in which nothing is believed yet.
func parse(data []byte) (*entity, error) {
	if len(data) > MaxBundleBytes {
		return nil, refuse(ErrTooLarge, fmt.Sprintf("at most %d bytes", MaxBundleBytes), fmt.Sprint(len(data)))
	}
	limits := strictjson.Limits{Bytes: MaxBundleBytes, Depth: maxDepth, AllowNull: true}
	if err := strictjson.Screen(data, limits); err != nil {
		return nil, refuse(ErrMalformed, "one strict JSON object", "none").because(err)
	}
	message := new(protobundle.Bundle)
	if err := guarded(func() error { return protojson.Unmarshal(data, message) }); err != nil {
		return nil, refuse(ErrMalformed, "the fields of a bundle", "others").because(err)
	}
	if err := checkSizes(message); err != nil {
		return nil, err
	}
	if err := checkInclusion(message); err != nil {
		return nil, err
	}
	e := new(entity)
	if err := guarded(func() error { return e.fill(message) }); err != nil {
		return nil, refuse(ErrMalformed, "a whole bundle of version 0.1, 0.2 or 0.3", "none").because(err)
	}
	return e, nil
}

// fill opens the bundle. Log entries that can't be read are left out and told
// later, as the library checks signatures in them: one that is wrong is wrong in
// the bundle already.
func (e *entity) fill(message *protobundle.Bundle) (err error) {
	e.Bundle, err = bundle.NewBundle(message)
	if err == nil {
		e.entries, err = e.Bundle.TlogEntries()
	}
	if err != nil {
		e.broken = err
		if material := message.GetVerificationMaterial(); material != nil {
			material.TlogEntries = nil
		}
		if e.Bundle, err = bundle.NewBundle(message); err != nil {
			return err
		}
	}
	if e.content, err = e.Bundle.VerificationContent(); err != nil {
		return err
	}
	e.signature, err = e.Bundle.SignatureContent()
	return err
}

// checkInclusion demands of each log entry what the bundle's version asks for:
// the log's signed promise in 0.1, a proof of inclusion in all later ones. The
// library is content if one entry of all has it.
func checkInclusion(message *protobundle.Bundle) error {
	proofs := (&bundle.Bundle{Bundle: message}).MinVersion("v0.2")
	for i, entry := range message.GetVerificationMaterial().GetTlogEntries() {
		found := fmt.Sprintf("none in entry %d", i+1)
		switch {
		case proofs && entry.GetInclusionProof().GetCheckpoint().GetEnvelope() == "":
			return refuse(ErrLog, "a proof of inclusion with a checkpoint", found)
		case !proofs && len(entry.GetInclusionPromise().GetSignedEntryTimestamp()) == 0:
			return refuse(ErrLog, "a signed promise of inclusion", found)
		}
	}
	return nil
}
