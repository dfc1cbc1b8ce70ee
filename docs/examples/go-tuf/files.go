package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// until is when what is signed now expires, in whole seconds as metadata has it.
func (r repository) until(role string) time.Time {
	period, known := expiry[role]
	if !known {
		period = expiryOfDelegated
	}
	return r.now.Add(period).UTC().Truncate(time.Second)
}

// file is where a version of a role's metadata lies; the timestamp has no versions.
func (r repository) file(role string, version int64) string {
	name := role + ".json"
	if role != metadata.TIMESTAMP {
		name = strconv.FormatInt(version, 10) + "." + name
	}
	return filepath.Join(r.dir, "metadata", name)
}

// newest is the highest version of a role that was signed, 0 if there is none.
func (r repository) newest(role string) int64 {
	found, _ := filepath.Glob(filepath.Join(r.dir, "metadata", "*."+role+".json")) // the pattern is well formed
	newest := int64(0)
	for _, name := range found {
		number, _, _ := strings.Cut(filepath.Base(name), ".")
		if version, err := strconv.ParseInt(number, 10, 64); err == nil && r.file(role, version) == name {
			newest = max(newest, version)
		}
	}
	return newest
}

// load reads the newest metadata of a role.
func load[T metadata.Roles](r repository, role string) (*metadata.Metadata[T], error) {
	version := r.newest(role)
	if version == 0 {
		return nil, fmt.Errorf("%s: expected metadata of role %q, found none", r.dir, role)
	}
	return new(metadata.Metadata[T]).FromFile(r.file(role, version))
}

// store writes signed metadata.
func store[T metadata.Roles](r repository, md *metadata.Metadata[T], role string, version int64) error {
	data, err := md.ToBytes(true)
	if err != nil {
		return err
	}
	return write(r.file(role, version), data)
}

// write has a file appear whole. Crash here: a file that ends in .new, which nobody asks for.
func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// makeKeys makes the keys of a role, in files beside those that it had.
func (r repository) makeKeys(role string) (keys []*metadata.Key, threshold int, err error) {
	count, threshold := 1, 1
	if q, known := quorum[role]; known {
		count, threshold = q.keys, q.threshold
	}
	if err := os.MkdirAll(r.keys, 0o700); err != nil {
		return nil, 0, err
	}
	for n := 1; len(keys) < count; n++ {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, 0, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			return nil, 0, err
		}
		file, err := os.OpenFile(filepath.Join(r.keys, fmt.Sprintf("%s.%d.pem", role, n)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue // that key is never overwritten
		} else if err != nil {
			return nil, 0, err
		}
		if err := errors.Join(pem.Encode(file, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), file.Close()); err != nil {
			return nil, 0, err
		}
		key, err := metadata.KeyFromPublicKey(public)
		if err != nil {
			return nil, 0, err
		}
		keys = append(keys, key)
	}
	return keys, threshold, nil
}

// sign signs metadata by those keys in the folder that the role's delegation names; who
// calls it verifies the threshold. In earnest the key lies in a token or a key service:
// then its signature.Signer stands here.
func sign[T metadata.Roles](r repository, md *metadata.Metadata[T], role string, ids []string) error {
	md.ClearSignatures()
	found, err := filepath.Glob(filepath.Join(r.keys, role+".*.pem"))
	if err != nil {
		return err
	}
	for _, name := range found {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(data)
		if block == nil {
			return fmt.Errorf("%s: expected a private key in PEM", name)
		}
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return fmt.Errorf("%s: expected a private key in PKCS #8", name)
		}
		key, ok := private.(ed25519.PrivateKey)
		if !ok {
			return fmt.Errorf("%s: expected an Ed25519 key, found %T", name, private)
		}
		signer, err := signature.LoadED25519Signer(key)
		if err != nil {
			return err
		}
		listed, err := metadata.KeyFromPublicKey(key.Public())
		if err != nil {
			return err
		}
		id, err := listed.ID()
		if err != nil {
			return err
		}
		if !slices.Contains(ids, id) {
			continue // of another day: it was replaced, or is not yet listed
		}
		if _, err := md.Sign(signer); err != nil {
			return err
		}
	}
	if len(md.Signatures) == 0 {
		return fmt.Errorf("%s: expected a key of role %q that its delegation lists, found none", r.keys, role)
	}
	return nil
}
