package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch"
	"assay/fetch/install"
)

// installer opens the folder of what is installed. It makes nothing.
func (a *app) installer(s *session) (*install.Store, error) {
	if err := s.config.NeedInstallDirs(); err != nil {
		return nil, err
	}
	return install.Open(install.Config{
		Dir: s.config.DataDir, Bin: s.config.BinDir, Cache: s.cache, Now: a.now,
		Notice: func(text string) { a.out.warn("%s", text) },
	})
}

// bareInstaller is installer for a command that needs no repository.
func (a *app) bareInstaller(c *cli.Context) (*session, *install.Store, error) {
	s, err := a.bareStore(c)
	if err != nil {
		return nil, nil, err
	}
	store, err := a.installer(s)
	return s, store, err
}

// installedName finds the installed product that is meant by [REPO:]PRODUCT.
func installedName(store *install.Store, text string) (install.Name, error) {
	ref, err := artifact.ParseRef(text)
	if err == nil && strings.Contains(text, "@") {
		err = usagef("expected [REPO:]PRODUCT, found %q", clip(text))
	}
	if err != nil {
		return install.Name{}, err
	}
	names, err := installedNames(store)
	if err != nil {
		return install.Name{}, err
	}
	return pickName(names, ref, text)
}

// pickName finds the one that is meant among the names of products; ErrMissing: none is.
func pickName(names []install.Name, ref artifact.Ref, text string) (install.Name, error) {
	names = slices.DeleteFunc(names, func(n install.Name) bool {
		return n.Product != ref.Product || ref.Repo != "" && n.Repository != ref.Repo
	})
	switch len(names) {
	case 0:
		return install.Name{}, fmt.Errorf("%w: %s", install.ErrMissing, text)
	case 1:
		return names[0], nil
	}
	return install.Name{}, usagef("%s is installed from several repositories: expected one of %s, found %q", ref.Product, joinNames(names), clip(text))
}

// installedNames are those of all installed products, the broken ones too.
func installedNames(store *install.Store) ([]install.Name, error) {
	list, broken, err := store.List()
	var names []install.Name
	for _, g := range list {
		names = append(names, install.Name{Repository: g.Repository, Product: g.Product})
	}
	for _, b := range broken {
		names = append(names, b.Name)
	}
	return names, err
}

func joinNames(names []install.Name) string {
	var words []string
	for _, n := range names {
		words = append(words, n.String())
	}
	return strings.Join(words, ", ")
}

// releaseOf is what of a proven artifact is installed.
func (s *session) releaseOf(ctx context.Context, held fetch.Held, request string) (install.Release, error) {
	if held.Release == nil {
		return install.Release{}, fmt.Errorf("%w: %s: no manifest lists it as an artifact", install.ErrUnfit, held.Target.Path())
	}
	beside, err := s.client.Beside(ctx, held)
	if err != nil {
		return install.Release{}, err
	}
	return install.Release{
		Repository: held.Repository, Product: held.Product, Version: held.Version.String(), Channel: held.Channel, Request: request,
		Platform: held.Platform, Target: held.Target.Path(), Name: held.Target.Name(), Format: held.Artifact.Format,
		Length: held.Target.Length(), Digests: held.Target.Digests(), Manifest: held.Manifest.Digests().Primary(),
		Executables: held.Artifact.Executables, Published: held.Release.Published, Blobs: beside,
	}, nil
}

// requestText is a selector as it is shown: a digest is cut.
func requestText(request string) string {
	if algorithm, hex, is := strings.Cut(request, ":"); is && len(hex) > 12 {
		return algorithm + ":" + hex[:12] + "…"
	}
	return request
}

// noteInstall writes down that another release runs.
func (w *auditor) noteInstall(ctx context.Context, action string, held fetch.Held, done install.Outcome) error {
	receipt, err := digestOf(held.Receipt)
	if err != nil {
		return err
	}
	detail := "installed"
	if done.Before.Number != 0 {
		detail = "from " + done.Before.Version
	}
	return w.note(ctx, audit.Entry{
		Action: action, Outcome: audit.Done, Detail: detail, Evidence: receipt, Subject: audit.Subject{
			Repository: done.Repository, Product: done.Product, Version: done.Version, Platform: done.Platform.String(),
			Target: done.Target, Digest: done.Digests.Primary(),
		},
	})
}

// warnOfPath tells that programs can't be called by their names, and how to mend it.
func (a *app) warnOfPath(bin string) {
	for _, dir := range filepath.SplitList(getenv(a.env, "PATH")) {
		if same(dir, bin) {
			return
		}
	}
	a.out.warn("%s is not in PATH: add it with  export PATH=%s:\"$PATH\"", bin, quoted(bin))
}

// same reports whether two names are of one folder.
func same(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// homely is a path as people write it: below the home folder it begins with ~.
func (a *app) homely(path string) string {
	home := getenv(a.env, "HOME")
	if rest, ok := strings.CutPrefix(path, home+string(filepath.Separator)); ok && home != "" {
		return "~" + string(filepath.Separator) + rest
	}
	return path
}
