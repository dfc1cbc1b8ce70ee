package airgap

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"assay/artifact"
	"assay/internal/durable"
	"assay/internal/plaintar"
	"assay/internal/shown"
)

// TakeOptions are for Inbox.Take.
type TakeOptions struct {
	// Accept says whether a repository is one that this mirror imports.
	Accept func(repository string) error
	// Free tells how many bytes may be written here; -1: not known.
	Free func() (int64, error)
	// Progress, which may be nil, is told the bytes of objects done so far and in all.
	Progress func(done, total int64)
}

// Take unpacks a volume. One that was unpacked before is only looked at. Of one that is
// not whole, what was right stays for the next time, but for a set of which no volume
// came whole: of that nothing stays.
func (b *Inbox) Take(ctx context.Context, path string, opts TakeOptions) (Head, error) {
	file, err := openRegular(path)
	if err != nil {
		return Head{}, err
	}
	defer file.Close()
	in := &intake{inbox: b, opts: opts, tar: plaintar.NewReader(ctx, bufio.NewReaderSize(file, 256<<10))}
	err = in.take()
	if err != nil {
		err = fmt.Errorf("%s: %w", shown.Clip(path, 200), err)
		if in.dir != "" && (errors.Is(err, ErrVolume) || errors.Is(err, plaintar.ErrForm)) {
			err = errors.Join(err, b.dropHopeless(in.dir))
		}
	}
	return in.head, err
}

// dropHopeless removes what came of a set of which no volume is whole.
func (b *Inbox) dropHopeless(dir string) error {
	markers, err := filepath.Glob(filepath.Join(dir, "volume-*.json"))
	if err != nil || len(markers) > 0 {
		return disk(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return disk(err)
	}
	_ = os.Remove(filepath.Dir(dir)) // if nothing else is in it
	return nil
}

// openRegular opens a file for reading: no pipe, which would block.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, disk(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s: expected a regular file, found %v", ErrVolume, shown.Clip(path, 200), info.Mode().Type())
	}
	file, err := os.Open(path)
	return file, disk(err)
}

// intake is one run of Take.
type intake struct {
	inbox *Inbox
	opts  TakeOptions
	tar   *plaintar.Reader
	head  Head
	dir   string // of the set; empty: nothing was written
}

func (in *intake) take() error {
	text, err := in.tar.Text(headName, maxHead)
	if err != nil {
		return err
	}
	if in.head, err = decodeHead(text); err != nil {
		return err
	}
	h := in.head
	if err := in.opts.Accept(h.Repository); err != nil {
		return err
	}
	contents, err := in.tar.Text(contentsName, maxList)
	if err != nil {
		return err
	}
	if err := sameSum(contentsName, contents, h.Volumes[h.Volume-1]); err != nil {
		return err
	}
	list, err := parseList(contentsName, contents)
	if err != nil {
		return err
	}
	if now, err := readyHead(ReadyFolder(in.inbox.dir, h.Repository)); err == nil && now.Set == h.Set {
		return nil
	}
	marker := filepath.Join(in.inbox.setFolder(h), markerName(h.Volume))
	if there, err := isRegular(marker, -1); err != nil || there {
		return err
	}
	if err := in.room(list); err != nil {
		return err
	}
	if err := in.unpack(list); err != nil {
		return err
	}
	// Crash here: all objects of the volume, which are passed by the next time.
	return disk(durable.WriteFile(marker, text, 0o600))
}

// sameSum compares a list with what the head says of it.
func sameSum(name string, text []byte, want artifact.Digest) error {
	if found := artifact.DigestOf(artifact.SHA256, text); found != want {
		return fmt.Errorf("%w: %s: expected %s, as %s says, found %s: it was edited, or swapped", ErrVolume, name, want, headName, found)
	}
	return nil
}

// room refuses a volume that the device can't take, before anything of it is written.
func (in *intake) room(list []object) error {
	var need int64
	for _, o := range list {
		there, err := isRegular(in.path(o), o.length)
		if err != nil {
			return err
		}
		if !there {
			need += o.length
		}
	}
	free, err := in.opts.Free()
	if err != nil {
		return err
	}
	if free >= 0 && need > free {
		return fmt.Errorf("%w: expected room for %d bytes, to unpack the volume, found %d", ErrNoRoom, need, free)
	}
	return nil
}

func (in *intake) path(o object) string {
	return filepath.Join(in.inbox.setFolder(in.head), filepath.FromSlash(o.name))
}

// unpack takes all entries, and the end.
func (in *intake) unpack(list []object) error {
	in.dir = in.inbox.setFolder(in.head)
	for _, folder := range []string{metadataFolder, blobFolder + "sha256", blobFolder + "sha512"} {
		if err := durable.MkdirAll(filepath.Join(in.dir, filepath.FromSlash(folder)), 0o700); err != nil {
			return disk(err)
		}
	}
	var done int64
	for _, o := range list {
		if err := in.object(o); err != nil {
			return err
		}
		if done += o.length; in.opts.Progress != nil {
			in.opts.Progress(done, sum(list))
		}
	}
	if in.head.last() {
		for _, one := range []struct {
			name string
			want artifact.Digest
		}{{digestsName, in.head.Export}, {elsewhereName, in.head.Elsewhere}} {
			text, err := in.tar.Text(one.name, maxList)
			if err == nil {
				err = sameSum(one.name, text, one.want)
			}
			if err != nil {
				return err
			}
			if err := durable.WriteFile(filepath.Join(in.dir, one.name), text, 0o600); err != nil {
				return disk(err)
			}
		}
		if _, _, err := readLists(in.dir, in.head); err != nil {
			return err
		}
	}
	return in.tar.End()
}

// object takes one entry, or passes it by where it was unpacked before.
func (in *intake) object(o object) error {
	size, err := in.tar.Next(o.name)
	if err != nil {
		return err
	}
	if size != o.length {
		return fmt.Errorf("%w: %s: expected %d bytes, as %s says, found %d", ErrVolume, o.name, o.length, contentsName, size)
	}
	there, err := isRegular(in.path(o), o.length)
	if err != nil || there {
		return err
	}
	return unpackTo(in.path(o), o, in.tar)
}

// unpackTo gives an object its name in the inbox once its bytes have its digest.
func unpackTo(path string, o object, r io.Reader) error {
	file, err := durable.Create(path, 0o600)
	if err != nil {
		return disk(err)
	}
	defer file.Abort()
	hash := o.digest.Algorithm().New()
	n, err := io.CopyBuffer(io.MultiWriter(hash, diskWriter{file}), io.LimitReader(r, o.length+1), make([]byte, 256<<10))
	if err != nil {
		return err
	}
	if found := artifact.SumOf(o.digest.Algorithm(), hash); n != o.length || found != o.digest {
		return fmt.Errorf("%w: %s: expected %d bytes of %s, found %d of %s", ErrVolume, o.name, o.length, o.digest, n, found)
	}
	return disk(file.Commit())
}

// readLists reads the lists of a set's last volume.
func readLists(dir string, h Head) ([]object, map[artifact.Digest]Elsewhere, error) {
	text, err := os.ReadFile(filepath.Join(dir, digestsName))
	if err != nil {
		return nil, nil, disk(err)
	}
	if err := sameSum(digestsName, text, h.Export); err != nil {
		return nil, nil, err
	}
	list, err := parseList(digestsName, text)
	if err != nil {
		return nil, nil, err
	}
	if len(list) != h.Objects || sum(list) != h.Bytes {
		return nil, nil, fmt.Errorf("%w: %s: expected %d objects of %d bytes, found %d of %d", ErrVolume, digestsName, h.Objects, h.Bytes, len(list), sum(list))
	}
	if text, err = os.ReadFile(filepath.Join(dir, elsewhereName)); err != nil {
		return nil, nil, disk(err)
	}
	elsewhere, err := parseElsewhere(text)
	if err == nil {
		err = sameSum(elsewhereName, text, h.Elsewhere)
	}
	return list, elsewhere, err
}
