package testrepo

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// LogVersion is a generation of Rekor, the transparency log.
type LogVersion string

// The generations. The first promises inclusion with a signed time; the second
// proves it only, and needs a timestamp authority for the time.
const (
	Rekor1 LogVersion = "v1"
	Rekor2 LogVersion = "v2"
)

// transparencyLog is a Merkle tree (RFC 6962, section 2.1) that grows with each
// entry. Of the tree it keeps what the next entry's proof needs.
type transparencyLog struct {
	version LogVersion
	host    string
	key     *ecdsa.PrivateKey
	id      []byte

	mu    sync.Mutex
	size  int64
	peaks []peak // the complete subtrees, from left to right
}

type peak struct {
	leaves int64
	hash   []byte
}

// inclusion is where an entry is, at the moment when it is the last one.
type inclusion struct {
	index int64
	root  []byte
	path  [][]byte // from the leaf upwards
}

func newTransparencyLog(version LogVersion, host string) (*transparencyLog, error) {
	key, err := newP256()
	if err != nil {
		return nil, err
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	return &transparencyLog{version: version, host: host, key: key, id: id}, nil
}

// add appends an entry. The audit path of a tree's last leaf is all that is
// complete to its left.
func (l *transparencyLog) add(body []byte) inclusion {
	l.mu.Lock()
	defer l.mu.Unlock()
	leaf := hashOf([]byte{0}, body)
	in := inclusion{index: l.size, root: leaf, path: [][]byte{}}
	for _, p := range slices.Backward(l.peaks) {
		in.path = append(in.path, p.hash)
		in.root = hashOf([]byte{1}, p.hash, in.root)
	}
	l.size++
	l.peaks = append(l.peaks, peak{1, leaf})
	for n := len(l.peaks); n > 1 && l.peaks[n-1].leaves == l.peaks[n-2].leaves; n = len(l.peaks) {
		left, right := l.peaks[n-2], l.peaks[n-1]
		l.peaks = append(l.peaks[:n-2], peak{2 * left.leaves, hashOf([]byte{1}, left.hash, right.hash)})
	}
	return in
}

func hashOf(parts ...[]byte) []byte {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// checkpoint is the tree's head as a signed note (https://c2sp.org/tlog-checkpoint),
// signed by a key that need not be the log's.
func (l *transparencyLog) checkpoint(in inclusion, key *ecdsa.PrivateKey) (string, error) {
	origin := l.host
	if l.version == Rekor1 {
		origin += " - 1193050959916656506" // the tree's number
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, in.index+1, base64.StdEncoding.EncodeToString(in.root))
	signature, err := signSHA256(key, []byte(text))
	if err != nil {
		return "", err
	}
	// For ECDSA, the hint is the beginning of the log's identifier.
	signed := append(slices.Clone(l.id[:4]), signature...)
	return fmt.Sprintf("%s\n— %s %s\n", text, l.host, base64.StdEncoding.EncodeToString(signed)), nil
}

// promise signs that an entry will be included, and when it was received.
func (l *transparencyLog) promise(body []byte, index int64, at time.Time, key *ecdsa.PrivateKey) ([]byte, error) {
	payload, err := canonical(map[string]any{
		"body": body, "integratedTime": at.Unix(), "logID": hex.EncodeToString(l.id), "logIndex": index,
	})
	if err != nil {
		return nil, err
	}
	return signSHA256(key, payload)
}

// enter makes an entry for what was signed, observed at a time, honestly or
// with forgeries in which twin is the log that has another key.
func (l *transparencyLog) enter(x *signing, twin *transparencyLog) (*protorekor.TransparencyLogEntry, error) {
	kind, body, err := x.entry(l.version)
	if err != nil {
		return nil, err
	}
	in := l.add(body)
	entry := &protorekor.TransparencyLogEntry{
		LogIndex: in.index, LogId: &protocommon.LogId{KeyId: l.id}, KindVersion: kind, CanonicalizedBody: body,
	}
	promised := l.version == Rekor1 && !x.forged(NoInclusionPromise)
	proven := (x.opts.Version != "0.1" || l.version == Rekor2) && !x.forged(NoInclusionProof)
	if promised {
		key := l.key
		if x.forged(ForeignPromise) {
			key = twin.key
		}
		entry.IntegratedTime = x.observed.Unix()
		set, err := l.promise(body, in.index, x.observed, key)
		if err != nil {
			return nil, err
		}
		entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: set}
	}
	if proven {
		if entry.InclusionProof, err = l.proof(x, in, twin); err != nil {
			return nil, err
		}
	}
	return entry, nil
}

// proof is an entry's place below a signed checkpoint.
func (l *transparencyLog) proof(x *signing, in inclusion, twin *transparencyLog) (*protorekor.InclusionProof, error) {
	key := l.key
	if x.forged(ForeignCheckpoint) {
		key = twin.key
	}
	if x.forged(WrongInclusion) { // a true checkpoint, of a tree that has something else there
		in.root = hashOf([]byte{0}, in.root)
	}
	checkpoint, err := l.checkpoint(in, key)
	if err != nil {
		return nil, err
	}
	return &protorekor.InclusionProof{
		LogIndex: in.index, TreeSize: in.index + 1, RootHash: in.root, Hashes: in.path,
		Checkpoint: &protorekor.Checkpoint{Envelope: checkpoint},
	}, nil
}

// canonical writes JSON in the form of RFC 8785. That is what encoding/json
// makes of maps whose keys and texts are ASCII without <, > and &.
func canonical(value map[string]any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode a log entry: %w", err)
	}
	return data, nil
}
