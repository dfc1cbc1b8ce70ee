package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"assay/artifact"
	"assay/trust"
	"assay/trust/provenance/detached"
)

// detached verifies a signature of one of the older tools.
func (v *alone) detached(ctx context.Context) error {
	path := v.c.String(flagSignature)
	if path == "" {
		return nil
	}
	data, err := v.app.readSmall(path, detached.MaxSignatureBytes)
	if err != nil {
		return err
	}
	signature, err := detached.ParseSignature(data)
	if err != nil {
		return v.fail(trust.CheckSignature, path, "a minisign, OpenPGP or SSH signature", "something else", fmt.Errorf("%s: %w", clip(path), err))
	}
	keyFile, err := v.app.readSmall(v.c.String(flagKey), detached.MaxKeysBytes)
	if err != nil {
		return err
	}
	keys, err := detached.ParseKeys(keyFile)
	if err != nil {
		return mark(errUsage, fmt.Errorf("--key: %s: %w", clip(v.c.String(flagKey)), err))
	}
	signer, err := v.verifyDetached(ctx, signature, keys)
	expected := fmt.Sprintf("a signature over %s by the key of %s", filepath.Base(v.signed), v.c.String(flagKey))
	if err != nil {
		return v.fail(trust.CheckSignature, path, expected, "none that counts", fmt.Errorf("%s: %w", clip(path), err))
	}
	v.pass(trust.CheckSignature, path, expected, fmt.Sprintf("%s key %s", signer.Format, signer.Key))
	v.evidence.Signatures = append(v.evidence.Signatures, trust.Signature{
		Of: path, Bundle: artifact.DigestOf(artifact.SHA256, data), Profile: "--key", Root: artifact.DigestOf(artifact.SHA256, keyFile), Signer: signer.Key,
	})
	return nil
}

// verifyDetached reads what is signed once more. A file that has changed since it
// was hashed is refused: what was told of it would not be of the signed bytes.
func (v *alone) verifyDetached(ctx context.Context, signature detached.Signature, keys []detached.Key) (detached.Signer, error) {
	options := detached.Options{Namespace: v.c.String(flagNamespace), Now: v.app.now()}
	if v.list != nil {
		return detached.Verify(ctx, signature, bytes.NewReader(v.list), keys, options)
	}
	content, err := os.Open(v.path(v.signed)) // which is the file, where no list is
	if err != nil {
		return detached.Signer{}, err
	}
	defer content.Close()
	sum := artifact.SHA256.New()
	signer, err := detached.Verify(ctx, signature, io.TeeReader(content, sum), keys, options)
	if err != nil {
		return detached.Signer{}, err
	}
	if read := artifact.SumOf(artifact.SHA256, sum); read != v.over.Primary() {
		return detached.Signer{}, &trust.MismatchError{What: filepath.Base(v.signed), Expected: v.over.Primary().String() + ", as before", Found: read.String()}
	}
	return signer, nil
}

// maxRootFile bounds a trusted root and a file of keys, in bytes.
const maxRootFile = 4 << 20

// hashWhole hashes a regular file by all algorithms.
func hashWhole(ctx context.Context, path string) (int64, artifact.Digests, error) {
	file, err := openRegular(path)
	if err != nil {
		return 0, nil, fileError(err)
	}
	defer file.Close()
	sum256, sum512 := artifact.SHA256.New(), artifact.SHA512.New()
	n, err := io.Copy(io.MultiWriter(sum256, sum512), &givingUp{ctx, file})
	if err != nil {
		return 0, nil, err
	}
	digests, err := artifact.NewDigests(artifact.SumOf(artifact.SHA256, sum256), artifact.SumOf(artifact.SHA512, sum512))
	return n, digests, err
}

// givingUp reads until its context ends.
type givingUp struct {
	ctx context.Context
	r   io.Reader
}

func (g *givingUp) Read(p []byte) (int, error) {
	if err := context.Cause(g.ctx); err != nil {
		return 0, err
	}
	return g.r.Read(p)
}
