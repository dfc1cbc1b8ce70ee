// Package backup keeps what a mirror can't fetch again: what it trusts, with the
// version floors that protect from rollback, what it has proven, its audit log, what
// is in quarantine, and its configuration. All else comes back with the next run.
//
// A backup is a tar (see package plaintar) of head.json, a Head, and the files that it
// lists, in that order:
//
//	state/NAME.db       the databases, each as of one moment
//	quarantine/REPO     the documents of package mirror
//	config/N-NAME       the configuration's files, and those that it names
//
// Guarantees: the same state gives the same bytes. Secrets are never in it: keys, files
// of tokens and passwords, passwords in URLs, and whatever holds a private key, are left
// out and named.
// Restore takes nothing but what the head announces, with its length and digest, into
// a folder that is not there yet or is empty, and all of it or nothing.
//
// Not guaranteed: that a backup is from who it says; it has mode 0600, as it tells what
// a mirror holds. The databases are one behind the other, not of one moment together.
package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"assay/artifact"
	"assay/internal/shown"
	"assay/internal/strictjson"
)

// The kinds of failure. Those of package plaintar, of databases and of the storage are
// handed on.
var (
	// ErrBackup: a file is no backup, or a damaged one.
	ErrBackup = errors.New("not a backup of a mirror, or a damaged one")
	// ErrNewer: a later version of assay wrote it.
	ErrNewer = errors.New("the backup is of a newer format")
	// ErrNotEmpty: the folder to restore to has something in it, or is none.
	ErrNotEmpty = errors.New("the folder is not empty")
	// ErrUnfinished: a restore into a folder is at work, or was cut off.
	ErrUnfinished = errors.New("the restore of a backup has not come to its end")
	// ErrBusy: another restore is at work in the folder.
	ErrBusy = errors.New("another restore is at work")
	// ErrOther: in the place of the file to write there is one that is no backup.
	ErrOther = errors.New("something else is in the place of the backup")
	// ErrDisk: a file can't be read or written; it wraps the system's error.
	ErrDisk = errors.New("files of the backup can't be read or written")
)

func disk(err error) error {
	if err == nil || errors.Is(err, ErrDisk) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}

// Schema names the form of a Head.
const Schema = "assay.mirror.backup/v1"

const headName = "head.json"

// The bounds of a backup; lengths are in bytes.
const (
	maxHead   = 8 << 20
	maxFiles  = 20_000
	maxConfig = 64 << 20 // a file of the configuration
)

// Head is head.json of a backup.
type Head struct {
	Schema string `json:"schema"`
	Dir    string `json:"dir"` // the mirror's folder, where it was
	Files  []File `json:"files"`
	// LeftOut are files that the configuration names and that hold secrets, or could
	// not be there, with the reason.
	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// File is a file of a backup.
type File struct {
	Name   string          `json:"name"`
	Length int64           `json:"length"` // in bytes
	SHA256 artifact.Digest `json:"sha256"`
	From   string          `json:"from,omitempty"` // where a file of the configuration lay
}

// LeftOut is a file that a backup does not have.
type LeftOut struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// databases are those of a mirror's state.
var databases = []string{"state.db", "proofs.db", "audit.db"}

// The folders in a backup.
const (
	stateFolder      = "state/"
	quarantineFolder = "quarantine/"
	configFolder     = "config/"
)

var configName = regexp.MustCompile(`^config/[0-9]{1,5}-[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$`)

func (h Head) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	return append(text, '\n'), err
}

// decodeHead reads head.json, which must have the form in which a backup writes it,
// and announce nothing but what one can have, each once.
func decodeHead(text []byte) (Head, error) {
	const depth = 4
	var h Head
	if err := strictjson.Screen(text, strictjson.Limits{Bytes: maxHead, Depth: depth}); err != nil {
		return h, fmt.Errorf("%w: %s: %w", ErrBackup, headName, err)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("%w: %s: %w", ErrBackup, headName, err)
	}
	if h.Schema != Schema {
		if strings.HasPrefix(h.Schema, strings.TrimSuffix(Schema, "1")) {
			return h, fmt.Errorf("%w: expected %s, found %s", ErrNewer, Schema, shown.Quote(h.Schema, 80))
		}
		return h, fmt.Errorf("%w: expected the schema %s, found %s", ErrBackup, Schema, shown.Quote(h.Schema, 80))
	}
	if again, err := h.encode(); err != nil || !bytes.Equal(again, text) {
		return h, fmt.Errorf("%w: %s: expected it as assay writes it, found something added or left out", ErrBackup, headName)
	}
	if len(h.Files) > maxFiles {
		return h, fmt.Errorf("%w: expected at most %d files, found %d", ErrBackup, maxFiles, len(h.Files))
	}
	seen := map[string]bool{}
	for _, f := range h.Files {
		if folded := strings.ToLower(f.Name); !f.valid() || seen[folded] {
			return h, fmt.Errorf("%w: expected databases, quarantine and configuration, each once, found %s of %d bytes", ErrBackup, shown.Quote(f.Name, 120), f.Length)
		}
		seen[strings.ToLower(f.Name)] = true
	}
	return h, nil
}

// valid reports whether a backup can have the file.
func (f File) valid() bool {
	if f.Length < 0 || f.SHA256.Algorithm() != artifact.SHA256 {
		return false
	}
	if name, ok := strings.CutPrefix(f.Name, stateFolder); ok {
		for _, known := range databases {
			if name == known {
				return true
			}
		}
		return false
	}
	if name, ok := strings.CutPrefix(f.Name, quarantineFolder); ok {
		return artifact.ValidRepository(name) == nil && f.Length <= maxConfig
	}
	return configName.MatchString(f.Name) && f.Length <= maxConfig
}
