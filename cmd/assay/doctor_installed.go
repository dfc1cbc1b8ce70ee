package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"assay/fetch/install"
)

// checkInstalled reads the records of what is installed, and looks whether its links are
// there and lead to it. The files themselves are for `assay verify --held`, which takes
// longer. Where nothing was ever installed nothing is said.
func (u *checkup) checkInstalled(context.Context) {
	if u.config == nil || u.config.NeedInstallDirs() != nil {
		return
	}
	const what = "installed"
	s, err := u.app.bareStore(u.line)
	if err != nil {
		u.skip(what, "the state or the cache can't be opened", "")
		return
	}
	store, err := u.app.installer(s)
	if err != nil {
		u.fail(what, err, "")
		return
	}
	list, broken, err := store.List()
	if err != nil {
		u.fail(what, err, "")
		return
	}
	for _, b := range broken {
		u.fail(what, fmt.Errorf("%s: %w", b.Name, b.Err), fmt.Sprintf("`assay install %s` installs it anew", b.Name))
	}
	there, unlinked := map[install.Name]bool{}, 0
	for _, g := range list {
		there[nameOf(g)] = true
		for _, program := range g.Programs() {
			if _, is := store.Link(g, program); !is {
				unlinked++
				found, mend := lostLink(store, g, program)
				u.warn(what, fmt.Sprintf("%s: %s", nameOf(g), found), mend)
			}
		}
	}
	for _, b := range broken {
		there[b.Name] = true
	}
	astray := u.checkAstray(what, store, there)
	if n := len(list); n > 0 && unlinked+astray+len(broken) == 0 {
		u.ok(what, "products: %d, with their links", n)
	}
}

// checkAstray warns of links that are assay's, and whose product is not installed: what
// was removed by hand, or by an uninstall that was cut.
func (u *checkup) checkAstray(what string, store *install.Store, there map[install.Name]bool) (n int) {
	entries, err := os.ReadDir(u.config.BinDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.fail(what, mark(fs.ErrPermission, err), "")
		return 1
	}
	for _, entry := range entries {
		owner, err := store.OwnerOf(entry.Name())
		if err != nil || owner == (install.Name{}) || there[owner] {
			continue
		}
		n++
		u.warn(what, fmt.Sprintf("%s is a link of %s, which is not installed", filepath.Join(u.config.BinDir, entry.Name()), owner),
			fmt.Sprintf("`assay install %s`, or `assay uninstall %s`, which takes it away", owner, owner))
	}
	return n
}
