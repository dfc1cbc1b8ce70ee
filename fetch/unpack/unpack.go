package unpack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Options say how to unpack. The zero value is good.
type Options struct {
	// Limits bound what comes of the archive; zeros stand for defaults.
	Limits Limits
	// IntoEmpty allows an empty folder under the name, which is replaced.
	IntoEmpty bool
	// Executable gives the one file of a single-file format mode 0755.
	Executable bool
	// ReadOnly gives files no mode to be written by: 0444 and 0555.
	ReadOnly bool
	// Progress is told of the bytes written; it may be nil.
	Progress Progress
}

// Progress is told of bytes as they are written, by one goroutine.
type Progress interface {
	Add(n int)
}

// Report says what was made.
type Report struct {
	Files     int   // regular files, hard links not counted
	Folders   int   // without the new one itself, with those only implied
	Links     int   // symbolic links
	HardLinks int   // further names of files
	Bytes     int64 // written, copies in place of hard links counted
	SetID     int   // entries that lost a setuid, setgid or sticky bit
}

// bufferBytes is the size of each buffer between disk, decoder and file.
const bufferBytes = 128 << 10

// unpacker is one call of Into.
type unpacker struct {
	budget
	ctx     context.Context
	format  Format
	options Options
	system
	root   *os.Root // where everything is written
	tree   *node
	syncer *syncer
	report Report
	buffer []byte
}

// Into unpacks an archive into the folder dir, which it makes; the parent must
// be there. Where dir exists the error is an ErrExists, unless it is an empty
// folder and Options.IntoEmpty says so. After any error nothing new is left, unless
// only the very last step, making dir's name durable, failed.
//
// Calls at once for the same dir, in any number of processes, do not disturb each
// other: one of them makes it.
func Into(ctx context.Context, archive File, format Format, dir string, options Options) (Report, error) {
	return into(ctx, archive, format, dir, options, system{rules: rulesOf(runtime.GOOS), sync: (*os.File).Sync})
}

// system is what tests change to be on another one, or one that fails.
type system struct {
	rules    rules
	hardLink func(from, to string) error // nil: that of the folder
	sync     func(*os.File) error
}

// into is Into on a system.
func into(ctx context.Context, archive File, format Format, dir string, options Options, on system) (Report, error) {
	limits, ok := options.Limits.filled()
	if !ok {
		return Report{}, fmt.Errorf("%w: expected limits of 0 or more, found %+v", ErrInvalid, options.Limits)
	}
	if !format.valid() || archive.ReaderAt == nil || archive.Size < 0 || dir == "" {
		return Report{}, fmt.Errorf("%w: expected an archive, its format and a folder, found %d bytes, format %q, folder %q", ErrInvalid, archive.Size, format, dir)
	}
	source := &source{ctx: ctx, file: archive}
	u := &unpacker{
		budget: budget{limits: limits, source: source}, ctx: ctx, format: format, options: options, system: on,
		tree: &node{kind: folder}, buffer: make([]byte, bufferBytes),
	}
	if err := u.checkSource(); err != nil {
		return Report{}, u.explain(err)
	}
	stage, err := newStage(dir, options.IntoEmpty, randomSuffix)
	if err != nil {
		return Report{}, err
	}
	// Crash from here to the rename: the hidden folder is left, unlocked, and
	// the next call for the same dir removes it.
	if err := u.fill(stage); err != nil {
		return Report{}, errors.Join(u.explain(err), stage.close())
	}
	if err := stage.commit(ctx); err != nil {
		return Report{}, errors.Join(err, stage.close())
	}
	// Crash here: all is done, but an empty hidden folder is left, which goes
	// likewise. Failing to remove it is no failure to unpack.
	stage.close()
	return u.report, nil
}

// checkSource refuses what can be refused before anything is made.
func (u *unpacker) checkSource() error {
	if err := u.source.agree(u.format); err != nil {
		return err
	}
	if u.format == Zip || u.format.isTar() {
		return nil
	}
	_, err := u.singleName()
	return err
}

// fill unpacks into the stage and makes all of it durable.
func (u *unpacker) fill(stage *stage) (err error) {
	u.root, err = os.OpenRoot(stage.tree())
	if err != nil {
		return disk(err)
	}
	defer func() { err = errors.Join(err, disk(u.root.Close())) }()
	if u.hardLink == nil {
		u.hardLink = u.root.Link
	}
	u.syncer = newSyncer(u.sync)
	err = u.entries()
	if syncErr := u.syncer.wait(); err == nil {
		err = syncErr
	}
	if err != nil {
		return err
	}
	u.report.Bytes = u.written
	return u.finish(stage.tree(), u.tree)
}

// entries unpacks each entry.
func (u *unpacker) entries() error {
	switch {
	case u.format == Zip:
		return u.unzip()
	case u.format.isTar():
		return u.untar()
	default:
		return u.single()
	}
}

// singleName is the name of the one file of a single-file format.
func (u *unpacker) singleName() (string, error) {
	format, stem, _ := parseName(u.source.file.Name)
	if format != u.format || strings.Trim(stem, ".") == "" {
		return "", fmt.Errorf("%w: expected a file name that ends with .%s and says the name of the file inside, found %s",
			ErrInvalid, u.format, quote(u.source.file.Name))
	}
	return stem, nil
}

// single unpacks the one file.
func (u *unpacker) single() error {
	name, err := u.singleName()
	if err != nil {
		return err
	}
	stream, err := u.decoder()
	if err != nil {
		return err
	}
	defer stream.Close()
	return u.file(item{path: name, executable: u.options.Executable}, stream)
}

// item is what an archive says of one entry.
type item struct {
	path       string
	modified   time.Time // zero: not said
	executable bool
	special    bool // a setuid, setgid or sticky bit is set
}
