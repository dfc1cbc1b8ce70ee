package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/cache/audit"
	"assay/fetch/lockfile"
	"assay/fetch/pinned"
	"assay/fetch/pinned/cloud"
)

// readPin reads --pin: what could not be written is refused before it is fetched.
func (l *locking) readPin() error {
	c := l.c
	name, url, found := strings.Cut(c.String(flagPin), "=")
	if !found || url == "" {
		return usagef("--pin: expected NAME=URL, found no NAME, or no URL") // it may hold a secret
	}
	if err := artifact.ValidProduct(name); err != nil {
		return mark(errUsage, fmt.Errorf("--pin: %w", err))
	}
	want, err := pinned.Pin(c.String(flagSHA256), c.String(flagSHA512), nil, "")
	if errors.Is(err, pinned.ErrNoDigest) {
		return withHint(usagef("--pin says where bytes are, not which: expected --sha256 HEX or --sha512 HEX"),
			"ask the publisher for the digest by another way than this network, as in `assay lock --pin NAME=URL --sha256 HEX`")
	}
	if err != nil {
		return err
	}
	source, err := pinned.Parse(url, l.dir)
	if err != nil {
		return err
	}
	if err := staysInside(source, l.dir); err != nil {
		return mark(errUsage, fmt.Errorf("--pin: %w", err))
	}
	pin := lockfile.Pin{Name: name, URLs: []string{url}, Digests: want}
	if _, err := lockfile.Encode(lockfile.File{Pins: []lockfile.Pin{pin}}); err != nil {
		return mark(errUsage, fmt.Errorf("--pin: %w", err))
	}
	l.pin = &pin
	return nil
}

// nextPins are the pins as they are to be: those that are there, without the ones of
// --unpin, and with that of --pin, which is fetched and proven.
func (l *locking) nextPins(ctx context.Context) ([]lockfile.Pin, error) {
	drop := l.c.StringSlice(flagUnpin)
	if l.pin != nil {
		drop = append(drop, l.pin.Name)
	}
	pins := slices.DeleteFunc(slices.Clone(l.old.Pins), func(p lockfile.Pin) bool { return slices.Contains(drop, p.Name) })
	if l.pin == nil {
		return pins, nil
	}
	got, err := l.app.getPin(l.c, l.session, l.dir, *l.pin)
	if err != nil {
		return nil, err
	}
	l.doc.Moved += got.Moved
	pin := *l.pin
	pin.Length = got.Blob.Length()
	return append(pins, pin), nil
}

// getPin brings the bytes of a pin into the cache, from the first of its URLs that
// has them, and proves them by their digests. What a lock asks for beyond that, and
// can't be found out, refuses it.
func (a *app) getPin(c *cli.Context, s *session, dir string, pin lockfile.Pin) (pinned.Result, error) {
	if pin.Identity != "" {
		return pinned.Result{}, fmt.Errorf("%w: the pin %s: expected digests alone, found that %q must have signed it, and no signature to look at", errLock, pin.Name, clip(pin.Identity))
	}
	var limit int64
	if pin.Length > 0 {
		limit = pin.Length
	}
	getter, err := pinned.New(pinned.Config{
		Cache: s.cache, Dir: filepath.Join(s.config.CacheDir, "git"), S3: cloud.S3{Now: a.now}, GCS: cloud.GCS{},
		Mover: s.client, MaxSize: limit, Env: a.env, Now: a.now, Offline: s.config.Offline,
	})
	if err != nil {
		return pinned.Result{}, err
	}
	var failed []error
	for _, url := range pin.URLs {
		source, err := pinned.Parse(url, dir)
		if err != nil {
			return pinned.Result{}, err
		}
		if err := staysInside(source, dir); err != nil {
			return pinned.Result{}, fmt.Errorf("%w: the pin %s: %w", errLock, pin.Name, err)
		}
		got, err := getter.Get(c.Context, source, pin.Digests)
		if err == nil && pin.Length > 0 && got.Blob.Length() != pin.Length {
			err = fmt.Errorf("%w: expected %d bytes, as is locked, found %d", errLock, pin.Length, got.Blob.Length())
		}
		if err == nil {
			return got, a.notePin(c.Context, s, pin, source, got)
		}
		failed = append(failed, err)
		if context.Cause(c.Context) != nil {
			break
		}
	}
	return pinned.Result{}, fmt.Errorf("the pin %s: %w", pin.Name, errors.Join(failed...))
}

// errOutside says that a pin is of a file of this machine that is not the project's.
var errOutside = errors.New("a local file outside of the project")

// staysInside refuses a pin of a local file outside of the project's folder, or behind
// a link that leads out of it, before anything of it is read: a lock comes with a
// clone, and what does not fit is told with the digest that was found. What a local git
// repository holds may lie anywhere.
//
// The answer is the same whether or not there is such a file.
func staysInside(source *pinned.Source, dir string) error {
	path, local := source.Local()
	if !local {
		return nil
	}
	outside := fmt.Errorf("%w: expected a file in %s, or a URL of another machine, found %s", errOutside, dir, source)
	inside, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(inside) || source.Kind() == pinned.Git {
		return outside
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := root.Stat(inside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return outside
	}
	return nil
}

// notePin gives the blob its name in the cache, and writes down that it came.
func (a *app) notePin(ctx context.Context, s *session, pin lockfile.Pin, source *pinned.Source, got pinned.Result) error {
	if err := s.cache.Note(ctx, got.Blob.Digest(), cache.Name{File: source.Name(), Target: source.String()}); err != nil {
		return err
	}
	if got.Moved == 0 {
		return nil
	}
	log, err := a.auditor(ctx, s)
	if err != nil {
		return err
	}
	return log.note(ctx, audit.Entry{
		Action: audit.Get, Outcome: audit.Done, Detail: "into the cache, as the pin " + pin.Name,
		Subject: audit.Subject{Target: source.String(), Digest: pin.Digests.Primary()},
	})
}
