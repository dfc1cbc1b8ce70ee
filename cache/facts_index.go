package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// The buckets of facts.db. Artifacts and components have numbers, four bytes as a
// key, that are never used again. A component is kept once, however many artifacts
// have it. Which ones do is not listed: to go through the numbers of ten thousand
// artifacts with a hundred components each, 4 MB, takes some milliseconds, and a
// list of a million uses would be by far the most of the file.
//
// Values are a CRC-32C and then JSON, or for bucketParts the numbers; those of the
// lists below are empty, and the key is a word, a zero byte and the number.
var (
	bucketArtifacts  = []byte("artifacts")  // artifact: coreRecord
	bucketDigests    = []byte("digests")    // ALG:HEX: artifact
	bucketParts      = []byte("parts")      // artifact: its components
	bucketComponents = []byte("components") // component: Component
	bucketIdentities = []byte("identities") // hash of a Component: component

	bucketNames     = []byte("names")              // of components
	bucketLicensed  = []byte("component-licenses") // of components, whole expressions
	bucketLicenses  = []byte("licenses")           // of artifacts, likewise
	bucketRevisions = []byte("revisions")          // of artifacts
	bucketBuilders  = []byte("builders")           // of artifacts
	bucketSigners   = []byte("signers")            // of artifacts
)

// The lengths of parts of keys, in bytes.
const (
	identityLength = 16
	numberLength   = 4
	suffixLength   = 1 + numberLength // of a list's key, behind the word
)

// number is that of an artifact or component.
type number [numberLength]byte

func factsBuckets() [][]byte {
	return [][]byte{
		bucketArtifacts, bucketDigests, bucketParts, bucketComponents, bucketIdentities,
		bucketNames, bucketLicensed, bucketLicenses, bucketRevisions, bucketBuilders, bucketSigners,
	}
}

// coreRecord is what is kept of Facts without the components.
type coreRecord struct {
	Facts
	Parts artifact.Digest `json:"parts"` // sum of all the components
}

// partRecord is a component as it is kept.
type partRecord struct {
	Component
	text []byte
}

// records are what is to be kept of facts.
func (f Facts) records() (core []byte, parts []partRecord, err error) {
	sum := sha256.New()
	for _, c := range f.Components {
		text, err := json.Marshal(c)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		sum.Write(append(text, '\n'))
		parts = append(parts, partRecord{c, text})
	}
	core, err = json.Marshal(coreRecord{f, artifact.SumOf(artifact.SHA256, sum)})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return core, parts, nil
}

// isDescribed reports whether just these facts are kept.
func isDescribed(tx *bbolt.Tx, d artifact.Digest, core []byte) (bool, error) {
	id := tx.Bucket(bucketDigests).Get([]byte(d.String()))
	if id == nil {
		return false, nil
	}
	text, err := getText(tx, bucketArtifacts, id)
	return bytes.Equal(text, core), err
}

// list is a bucket, and the words by which an artifact is found in it.
type list struct {
	bucket []byte
	words  []string
}

func (f Facts) lists() []list {
	return []list{
		{bucketLicenses, some(f.License)},
		{bucketRevisions, lower(f.Revision)},
		{bucketBuilders, some(f.Builder)},
		{bucketSigners, f.Signers},
	}
}

// some is a list of the word, if there is one.
func some(word string) []string {
	if word == "" {
		return nil
	}
	return []string{word}
}

// putFacts enters an artifact that is not there.
func putFacts(tx *bbolt.Tx, f Facts, core []byte, parts []partRecord) error {
	id, err := nextNumber(tx, bucketArtifacts)
	if err != nil {
		return err
	}
	numbers := make([]byte, 0, len(parts)*numberLength)
	for _, part := range parts {
		number, err := part.enter(tx)
		if err != nil {
			return err
		}
		numbers = append(numbers, number...)
	}
	for _, l := range f.lists() {
		if err := enlist(tx, l.bucket, l.words, id); err != nil {
			return err
		}
	}
	if err := putText(tx, bucketParts, id, numbers); err != nil {
		return err
	}
	if err := putText(tx, bucketArtifacts, id, core); err != nil {
		return err
	}
	return tx.Bucket(bucketDigests).Put([]byte(f.Digest.String()), id)
}

// enter gives the number of a component, which it makes where there is none.
func (p partRecord) enter(tx *bbolt.Tx) ([]byte, error) {
	sum := sha256.Sum256(p.text)
	identity := sum[:identityLength]
	if number := tx.Bucket(bucketIdentities).Get(identity); number != nil {
		return bytes.Clone(number), nil
	}
	number, err := nextNumber(tx, bucketComponents)
	if err != nil {
		return nil, err
	}
	if err := enlist(tx, bucketNames, p.names(), number); err != nil {
		return nil, err
	}
	if err := enlist(tx, bucketLicensed, some(p.License), number); err != nil {
		return nil, err
	}
	if err := putText(tx, bucketComponents, number, p.text); err != nil {
		return nil, err
	}
	return number, tx.Bucket(bucketIdentities).Put(identity, number)
}

// dropFacts takes artifacts out, those of them that are there, and the components
// that no other has.
func dropFacts(tx *bbolt.Tx, gone ...artifact.Digest) error {
	parts := map[number]bool{}
	for _, d := range gone {
		id := bytes.Clone(tx.Bucket(bucketDigests).Get([]byte(d.String())))
		if id == nil {
			continue
		}
		own, err := getParts(tx, id)
		if err != nil {
			return err
		}
		for _, part := range own {
			parts[part] = true
		}
		if err := dropCore(tx, d, id); err != nil {
			return err
		}
	}
	if len(parts) == 0 {
		return nil
	}
	err := tx.Bucket(bucketParts).ForEach(func(id, _ []byte) error {
		others, err := getParts(tx, id)
		for _, part := range others {
			delete(parts, part)
		}
		return err
	})
	if err != nil {
		return err
	}
	for part := range parts {
		if err := dropPart(tx, part[:]); err != nil {
			return err
		}
	}
	return nil
}

// dropCore takes an artifact out, and leaves its components.
func dropCore(tx *bbolt.Tx, d artifact.Digest, id []byte) error {
	var core coreRecord
	if err := getJSON(tx, bucketArtifacts, id, &core); err != nil {
		return err
	}
	for _, l := range core.lists() {
		if err := unlist(tx, l.bucket, l.words, id); err != nil {
			return err
		}
	}
	for _, bucket := range [][]byte{bucketParts, bucketArtifacts} {
		if err := tx.Bucket(bucket).Delete(id); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketDigests).Delete([]byte(d.String()))
}

// dropPart takes out a component.
func dropPart(tx *bbolt.Tx, number []byte) error {
	text, err := getText(tx, bucketComponents, number)
	if err != nil {
		return err
	}
	var c Component
	if err := getJSON(tx, bucketComponents, number, &c); err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	if err := unlist(tx, bucketNames, c.names(), number); err != nil {
		return err
	}
	if err := unlist(tx, bucketLicensed, some(c.License), number); err != nil {
		return err
	}
	if err := tx.Bucket(bucketIdentities).Delete(sum[:identityLength]); err != nil {
		return err
	}
	return tx.Bucket(bucketComponents).Delete(number)
}

func enlist(tx *bbolt.Tx, bucket []byte, words []string, number []byte) error {
	for _, word := range words {
		if err := tx.Bucket(bucket).Put(listKey(word, number), nil); err != nil {
			return err
		}
	}
	return nil
}

func unlist(tx *bbolt.Tx, bucket []byte, words []string, number []byte) error {
	for _, word := range words {
		if err := tx.Bucket(bucket).Delete(listKey(word, number)); err != nil {
			return err
		}
	}
	return nil
}

func listKey(word string, number []byte) []byte { return append(append([]byte(word), 0), number...) }

func nextNumber(tx *bbolt.Tx, bucket []byte) ([]byte, error) {
	next, err := tx.Bucket(bucket).NextSequence()
	if err == nil && next > math.MaxUint32 {
		err = &corruptEntry{"the numbers are used up"}
	}
	return binary.BigEndian.AppendUint32(nil, uint32(next)), err
}

// getParts gives the numbers of an artifact's components.
func getParts(tx *bbolt.Tx, id []byte) ([]number, error) {
	text, err := getText(tx, bucketParts, id)
	if err != nil {
		return nil, err
	}
	if len(text)%numberLength != 0 {
		return nil, &corruptEntry{"a list of components has no whole number of them"}
	}
	parts := make([]number, 0, len(text)/numberLength)
	for ; len(text) > 0; text = text[numberLength:] {
		parts = append(parts, number(text))
	}
	return parts, nil
}

func getJSON(tx *bbolt.Tx, bucket, key []byte, v any) error {
	text, err := getText(tx, bucket, key)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, v) != nil {
		return &corruptEntry{"an entry does not read as one"}
	}
	return nil
}

// getText finds a value that must be there. It stays only as long as the
// transaction.
func getText(tx *bbolt.Tx, bucket, key []byte) ([]byte, error) {
	value := tx.Bucket(bucket).Get(key)
	if len(value) < crc32.Size || binary.BigEndian.Uint32(value) != checksum(value[crc32.Size:]) {
		return nil, &corruptEntry{"an entry is missing, or its checksum does not hold"}
	}
	return value[crc32.Size:], nil
}

func putText(tx *bbolt.Tx, bucket, key, text []byte) error {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, crc32.Size+len(text)), checksum(text))
	return tx.Bucket(bucket).Put(key, append(value, text...))
}
