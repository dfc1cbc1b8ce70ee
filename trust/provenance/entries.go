package provenance

import (
	"bytes"
	"encoding/hex"

	"github.com/sigstore/sigstore-go/pkg/tlog"
)

// knowsLog reports whether the entry is one of a log that the profile knows; the
// library passes over all others.
func (j judge) knowsLog(entry *tlog.Entry) bool {
	_, known := j.material.RekorLogs()[hex.EncodeToString([]byte(entry.LogKeyID()))]
	return known
}

// verified lists the entries that the library has verified, once its Verify has
// succeeded: by then each of a known log holds, except one whose signed promise
// was wrong, as that is passed over.
func (j judge) verified(e *entity) []*tlog.Entry {
	var found []*tlog.Entry
	for _, entry := range e.entries {
		if !j.knowsLog(entry) || entry.HasInclusionPromise() && tlog.VerifySET(entry, j.material.RekorLogs()) != nil {
			continue
		}
		found = append(found, entry)
	}
	return found
}

// checkEntries demands that each verified entry holds the bundle's signature and
// key. The library compares them for Rekor v1. For v2 it trusts the hash that it
// makes of the bundle; but it decides by the checkpoint's first line whether it
// makes one, and by the entry's form whether it compares.
func (j judge) checkEntries(e *entity) error {
	for _, entry := range j.verified(e) {
		if !bytes.Equal(entry.Signature(), e.signature.Signature()) {
			return refuse(ErrLog, "a log entry with this signature", "another")
		}
		if !e.content.CompareKey(entry.PublicKey(), j.material) {
			return refuse(ErrLog, "a log entry with this certificate or key", "another")
		}
	}
	return nil
}
