package pinned

import (
	"context"
	"errors"
	"hash"
	"io"

	"assay/artifact"
	"assay/cache"
	"assay/trust"
)

// readBuffer is the size of the one buffer for a held blob, in bytes.
const readBuffer = 256 << 10

// proveHeld reads a blob whole. Its reader checks the digest that it is stored
// under; the others are computed here. A blob that is damaged is cache.ErrMissing.
func proveHeld(ctx context.Context, blob cache.Blob, want artifact.Digests) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	others := map[artifact.Digest]hash.Hash{}
	for _, digest := range want {
		if digest != blob.Digest() {
			others[digest] = digest.Algorithm().New()
		}
	}
	buffer := make([]byte, readBuffer)
	for {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		n, err := reader.Read(buffer)
		for _, sum := range others {
			sum.Write(buffer[:n])
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	for digest, sum := range others {
		if found := artifact.SumOf(digest.Algorithm(), sum); found != digest {
			return &trust.MismatchError{What: blob.Digest().String() + " that is held", Expected: digest.String(), Found: found.String()}
		}
	}
	return nil
}
