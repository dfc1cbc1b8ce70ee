package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/boltfile"
	"assay/internal/durable"
	"assay/internal/plaintar"
	"assay/mirror/storage"
)

// Source is what a backup is made of.
type Source struct {
	Dir     string          // of the mirror, as its configuration says
	State   string          // the folder of its databases
	Storage *storage.Reader // its storage
	// Config are the files of the configuration, and those that it names; Secret are
	// those that it names and that must not leave the machine.
	Config []string
	Secret []string
	// LockWait is how long a database is waited for; 5 s if zero.
	LockWait time.Duration
}

// Write makes a backup with mode 0600, and tells what is in it. The mirror may be at
// work. A backup of that name is replaced, once the new one is whole; anything else
// that is there is ErrOther, and stays.
//
// Crash here, or an error: hidden temporary files beside the name, that nothing reads.
func Write(ctx context.Context, path string, src Source) (Head, error) {
	if err := replaceable(path); err != nil {
		return Head{}, err
	}
	w := &writer{ctx: ctx, src: src, beside: path, head: Head{Schema: Schema, Dir: src.Dir}}
	defer w.close()
	if err := w.gather(); err != nil {
		return Head{}, err
	}
	text, err := w.head.encode()
	if err != nil {
		return Head{}, err
	}
	if len(text) > maxHead || len(w.head.Files) > maxFiles {
		return Head{}, fmt.Errorf("%w: expected at most %d files, found %d", ErrBackup, maxFiles, len(w.head.Files))
	}
	file, err := durable.Create(path, 0o600)
	if err != nil {
		return Head{}, disk(err)
	}
	defer file.Abort()
	buffered := bufio.NewWriterSize(file, 256<<10)
	out := plaintar.NewWriter(buffered)
	if err := out.Text(headName, text); err != nil {
		return Head{}, disk(err)
	}
	for i, f := range w.head.Files {
		if err := out.File(ctx, f.Name, f.Length, w.contents[i]); err != nil {
			return Head{}, disk(err)
		}
	}
	if err := errors.Join(out.Close(), buffered.Flush()); err != nil {
		return Head{}, disk(err)
	}
	return w.head, disk(file.Commit())
}

// replaceable wants nothing at a path, an empty file, or a backup, of a newer program
// too.
func replaceable(path string) error {
	err := durable.Replaceable(path, "a backup to be replaced", func(file io.Reader) error {
		text, err := plaintar.NewReader(context.Background(), bufio.NewReader(file)).Text(headName, maxHead)
		if err == nil {
			_, err = decodeHead(text)
		}
		if errors.Is(err, ErrNewer) {
			return nil
		}
		return err
	})
	if errors.Is(err, durable.ErrForeign) {
		return fmt.Errorf("%w: %w", ErrOther, err)
	}
	return disk(err)
}

// writer gathers what goes into a backup.
type writer struct {
	ctx      context.Context
	src      Source
	beside   string
	head     Head
	contents []io.Reader // of the head's files
	copies   []*durable.File
	opened   []*os.File
}

func (w *writer) close() {
	for _, file := range w.opened {
		file.Close()
	}
	for _, file := range w.copies {
		_ = file.Abort() // hidden, and read by nobody
	}
}

func (w *writer) gather() error {
	for _, name := range databases {
		if err := w.database(name); err != nil {
			return err
		}
	}
	names, err := w.src.Storage.Documents(w.ctx, quarantineFolder)
	if err != nil {
		return err
	}
	for _, name := range names {
		text, _, err := w.src.Storage.Document(w.ctx, name)
		if err != nil {
			return err
		}
		if text != nil {
			w.add(File{Name: name}, text)
		}
	}
	for i, path := range w.src.Config {
		if err := w.config(i, path); err != nil {
			return err
		}
	}
	for _, path := range w.src.Secret {
		w.head.LeftOut = append(w.head.LeftOut, LeftOut{path, "it is a secret"})
	}
	return nil
}

func (w *writer) add(f File, text []byte) {
	f.Length, f.SHA256 = int64(len(text)), artifact.DigestOf(artifact.SHA256, text)
	w.head.Files, w.contents = append(w.head.Files, f), append(w.contents, bytes.NewReader(text))
}

// database copies one beside the backup, so that its lock is held no longer than that.
// One that was never made is not in the backup.
func (w *writer) database(name string) error {
	copied, err := durable.Create(w.beside, 0o600)
	if err != nil {
		return disk(err)
	}
	w.copies = append(w.copies, copied)
	wait := w.src.LockWait
	if wait <= 0 {
		wait = 5 * time.Second
	}
	hash, to := artifact.SHA256.New(), &output{w: copied}
	length, err := boltfile.Copy(w.ctx, filepath.Join(w.src.State, name), io.MultiWriter(hash, to), time.Now().Add(wait))
	if to.failed != nil {
		return disk(to.failed)
	}
	var file *boltfile.Error
	if errors.As(err, &file) && file.Kind == boltfile.ErrAbsent {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	again, err := os.Open(copied.TempName())
	if err != nil {
		return disk(err)
	}
	w.opened = append(w.opened, again)
	w.head.Files = append(w.head.Files, File{Name: stateFolder + name, Length: length, SHA256: artifact.SumOf(artifact.SHA256, hash)})
	w.contents = append(w.contents, again)
	return nil
}

// output remembers the error of a file, which the database tells without its kind.
type output struct {
	w      io.Writer
	failed error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		o.failed = err
	}
	return n, err
}

// inURL finds the password of a URL, or what stands alone before its @, as tokens do.
var inURL = regexp.MustCompile("(://(?:[^/?#\\s:@\"'`]*:)?)[^/?#\\s@\"'`]+@")

// config adds a file of the configuration. One that holds a private key is a secret,
// whatever it is used for; of URLs the passwords are.
func (w *writer) config(i int, path string) error {
	file, err := openConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		w.head.LeftOut = append(w.head.LeftOut, LeftOut{path, "it does not exist"})
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	switch {
	case err != nil:
		return disk(err)
	case len(text) > maxConfig:
		return fmt.Errorf("%w: %s: expected a file of the configuration of at most %d bytes, found more", ErrDisk, path, maxConfig)
	case bytes.Contains(text, []byte("PRIVATE KEY")):
		w.head.LeftOut = append(w.head.LeftOut, LeftOut{path, "it holds a private key"})
		return nil
	}
	if masked := inURL.ReplaceAll(text, []byte("${1}xxxxx@")); !bytes.Equal(masked, text) {
		text = masked
		w.head.LeftOut = append(w.head.LeftOut, LeftOut{"a password in a URL of " + path, "it is a secret"})
	}
	w.add(File{Name: fmt.Sprintf("%s%d-%s", configFolder, i, plainName(filepath.Base(path))), From: path}, text)
	return nil
}

func openConfig(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, disk(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s: expected a regular file, found %v", ErrDisk, path, info.Mode().Type())
	}
	file, err := os.Open(path)
	return file, disk(err)
}

// plainName makes a name that any file system has.
func plainName(name string) string {
	plain := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, name)
	plain = strings.TrimLeft(plain, ".")
	if plain == "" {
		return "file"
	}
	return plain[:min(len(plain), 200)]
}
