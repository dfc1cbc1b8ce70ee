package pinned

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	getter "github.com/hashicorp/go-getter/v2"

	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// gitGetter gets one file of a git repository. It is a getter.Getter of go-getter.
type gitGetter struct{ *job }

var _ getter.Getter = (*gitGetter)(nil)

// Detect takes the ticket for git.
func (g *gitGetter) Detect(request *getter.Request) (bool, error) {
	return request.Src == gitTicket, nil
}

// Mode is a file's.
func (g *gitGetter) Mode(context.Context, *url.URL) (getter.Mode, error) { return getter.ModeFile, nil }

// Get would be for a folder.
func (g *gitGetter) Get(context.Context, *getter.Request) error { return g.noFolder() }

// GetFile has git fetch one commit and write the file of it into the private
// folder. From there the mover takes it, as it would any file, and proves it.
func (g *gitGetter) GetFile(ctx context.Context, _ *getter.Request) error {
	return g.inPrivate(ctx, func(ctx context.Context, r *gitRun) error {
		if err := r.fetch(ctx); err != nil {
			return err
		}
		object, err := r.find(ctx)
		if err != nil {
			return err
		}
		path := filepath.Join(r.dir, "file")
		if err := r.write(ctx, object, path); err != nil {
			return err
		}
		file := &url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
		if !strings.HasPrefix(file.Path, "/") {
			file.Path = "/" + file.Path
		}
		return g.move(ctx, []transfer.Place{{URL: file, Reach: wire.ReachOf(file)}}, g.source.String())
	})
}

// wanted is the name, in the private repository, of what was asked for.
const wanted = "refs/wanted"

// fetch brings one commit without its history, and without the files of it where
// the server can leave them out: the one is then brought by write.
func (r *gitRun) fetch(ctx context.Context) error {
	if err := r.run(ctx, nil, "init", "--quiet", "--bare", "--template="); err != nil {
		return err
	}
	return r.run(ctx, nil, "fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "--no-recurse-submodules",
		"--no-write-fetch-head", "--no-auto-maintenance", "origin", "--", r.job.source.ref+":"+wanted)
}

// The modes of files in a tree. Links are 120000, repositories within it 160000,
// folders 040000.
const (
	modeFile    = "100644"
	modeProgram = "100755"
)

// find is the object of the file. The path is that of an entry: no link on the way
// is followed, as none is anything but an entry of its own.
func (r *gitRun) find(ctx context.Context) (string, error) {
	s := r.job.source
	var found bytes.Buffer
	err := r.run(ctx, &limitedWriter{to: &found, left: maxEntry}, "ls-tree", "-z", "--full-tree", wanted, "--", s.inside)
	if err != nil {
		return "", err
	}
	line, rest, _ := strings.Cut(found.String(), "\x00")
	about, name, _ := strings.Cut(line, "\t")
	fields := strings.Fields(about)
	if line == "" {
		return "", r.job.failed(fmt.Sprintf("expected the file %q at %s, found none", s.inside, s.ref), fs.ErrNotExist)
	}
	if len(fields) != 3 || rest != "" || name != s.inside || !isHex(fields[2]) {
		return "", r.job.failed("expected one entry of a tree", nil)
	}
	if fields[1] != "blob" || fields[0] != modeFile && fields[0] != modeProgram {
		return "", r.job.failed(fmt.Sprintf("expected a regular file under %q, found %s", s.inside, entryText(fields[0])), wire.ErrNotRegular)
	}
	return fields[2], nil
}

// maxEntry bounds what git may say of one entry, in bytes: its path has 4096.
const maxEntry = 8 << 10

func entryText(mode string) string {
	switch mode {
	case "120000":
		return "a symbolic link"
	case "160000":
		return "a submodule"
	case "040000":
		return "a folder"
	}
	return "mode " + wire.Clip(mode, 10)
}

func isHex(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}

// write copies an object's bytes into a new file: no filter of attributes and no
// end of a line changes them.
func (r *gitRun) write(ctx context.Context, object, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	to := &limitedWriter{to: file, left: r.job.config.MaxSize}
	err = r.run(ctx, to, "cat-file", "blob", object)
	if to.over {
		err = fmt.Errorf("%s: %w: expected at most %d bytes, found more", r.job.source, transfer.ErrTooLarge, r.job.config.MaxSize)
	}
	return errors.Join(err, file.Close())
}

// limitedWriter takes so many bytes, and fails at one more.
type limitedWriter struct {
	to   io.Writer
	left int64
	over bool
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		w.over = true
		return 0, transfer.ErrTooLarge
	}
	w.left -= int64(len(p))
	return w.to.Write(p)
}
