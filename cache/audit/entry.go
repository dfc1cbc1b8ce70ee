package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"assay/artifact"
)

// The actions that assay logs. A log may hold others, of other versions.
const (
	TrustAdd    = "trust.add"    // a repository was registered
	TrustRemove = "trust.remove" // and forgotten, with its version floors
	TrustRoot   = "trust.root"   // a refresh led to a newer root
	ClockReset  = "clock.reset"  // the latest time seen of a repository was forgotten
	Get         = "get"          // an artifact was proven and handed out
	Refuse      = "refuse"       // an artifact was refused
	Install     = "install"      // a proven release was switched to
	Rollback    = "rollback"     // and one that was installed before
	Uninstall   = "uninstall"    // a product was taken away
	Hold        = "hold"         // a product is to stay as it is, or no longer
	Waive       = "waive"        // weaker proof was allowed for one digest
)

// The outcomes of an action.
const (
	Done   = "done"
	Failed = "failed"
)

// Sum is the SHA-256 of an entry. The zero Sum stands before the first one.
type Sum [sha256.Size]byte

// String is the sum in lower-case hex.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText gives what String does.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 64 lower-case hex digits.
func (s *Sum) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(s)) || strings.ToLower(string(text)) != string(text) {
		return fmt.Errorf("%w: expected %d lower-case hex digits, found %q", ErrInvalid, hex.EncodedLen(len(s)), clip(string(text), 80))
	}
	if _, err := hex.Decode(s[:], text); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// Subject is what an entry is about. Fields may be empty.
type Subject struct {
	Digest     artifact.Digest `json:"digest,omitzero"`
	Platform   string          `json:"platform,omitempty"`
	Product    string          `json:"product,omitempty"`
	Repository string          `json:"repository,omitempty"`
	Target     string          `json:"target,omitempty"`
	Version    string          `json:"version,omitempty"`
}

// Entry is one line of the log. Its fields stand in the order of their names in
// JSON, as the canonical form asks for.
type Entry struct {
	Action   string          `json:"action"`
	Detail   string          `json:"detail,omitempty"`  // for people; at most 2 KiB
	Evidence artifact.Digest `json:"evidence,omitzero"` // of the receipt that tells why
	Hash     Sum             `json:"hash,omitzero"`     // set by Append
	Host     string          `json:"host,omitempty"`    // of the machine
	Outcome  string          `json:"outcome,omitempty"` // Done, Failed, or another word
	Prev     Sum             `json:"prev"`              // set by Append: Hash of the entry before
	Seq      uint64          `json:"seq"`               // set by Append: from 1, without gaps
	Subject  Subject         `json:"subject,omitzero"`  //
	Time     time.Time       `json:"time"`              // set by Append: UTC, in milliseconds
	User     string          `json:"user,omitempty"`    // name or number
}

// Head names the end of a log: whoever writes it down can tell later whether the
// log still contains all that it had then. The zero Head is that of an empty log.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash Sum    `json:"hash"`
}

// String is the head as ParseHead reads it.
func (h Head) String() string { return strconv.FormatUint(h.Seq, 10) + ":" + h.Hash.String() }

// ParseHead reads SEQ:HEX, with 64 hex digits. Anything else is ErrInvalid.
func ParseHead(text string) (h Head, err error) {
	seq, sum, ok := strings.Cut(text, ":")
	if h.Seq, err = strconv.ParseUint(seq, 10, 64); !ok || err != nil || seq != strconv.FormatUint(h.Seq, 10) || h.Seq == 0 {
		return Head{}, fmt.Errorf("%w: expected a head like 12:HEX, found %q", ErrInvalid, clip(text, 80))
	}
	if err := h.Hash.UnmarshalText([]byte(sum)); err != nil {
		return Head{}, err
	}
	return h, nil
}

// encode gives the canonical form, with the hash where it is set.
func (e Entry) encode() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// sum is the hash that the entry should have.
func (e Entry) sum() (Sum, error) {
	e.Hash = Sum{}
	text, err := e.encode()
	return sha256.Sum256(text), err
}

// errForm says that bytes are not the canonical form of an entry.
var errForm = errors.New("expected an entry in its canonical form, found something else")

// decode reads one entry. What is not exactly what encode gives is errForm.
func decode(line []byte) (e Entry, err error) {
	if len(line) > maxLine {
		return Entry{}, fmt.Errorf("%w: expected at most %d bytes, found %d", errForm, maxLine, len(line))
	}
	if err := json.Unmarshal(line, &e); err != nil {
		// The decoder's words may quote what it read.
		return Entry{}, errForm
	}
	again, err := e.encode()
	if err != nil || !bytes.Equal(again, line) {
		return Entry{}, errForm
	}
	return e, nil
}
