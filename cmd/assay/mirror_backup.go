package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
	"assay/internal/config"
	"assay/mirror/backup"
	"assay/mirror/storage"
)

func mirrorBackupCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "backup",
		Usage: "save what a mirror can't fetch again",
		Description: "Writes into one file of mode 0600 what is trusted, with the version floors, what\n" +
			"was proven, the audit log, the quarantine, and the configuration with the files\n" +
			"that it names. Secrets are left out and named: keys, and files of tokens and\n" +
			"passwords. The mirror may be at work meanwhile." +
			examples("assay mirror backup --config mirror.toml --to /backup/mirror.tar"),
		Flags:  []cli.Flag{&cli.StringFlag{Name: flagTo, Usage: "the `FILE`; one that is there is replaced", Required: true}},
		Action: a.mirrorBackup,
	}
}

func (a *app) mirrorBackup(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return err
	}
	store, err := storage.OpenReader(filepath.Join(cfg.Daemon.Dir, mirrorStorage))
	if err != nil {
		return err
	}
	files, secret := filesOf(cfg)
	var head backup.Head
	var bytes int64
	// The first note is in the backup, so that whoever restores it sees when it was made.
	err = a.mirrorNoted(c.Context, cfg, mirrorBackedUp, "", "to "+c.String(flagTo), func() (_ string, err error) {
		head, err = backup.Write(c.Context, a.path(c.String(flagTo)), backup.Source{
			Dir: cfg.Daemon.Dir, State: filepath.Join(cfg.Daemon.Dir, mirrorState), Storage: store, Config: files, Secret: secret,
		})
		for _, f := range head.Files {
			bytes += f.Length
		}
		return fmt.Sprintf("%d files, %d bytes, to %s", len(head.Files), bytes, c.String(flagTo)), err
	})
	if err != nil {
		return err
	}
	a.out.line("%s: %d files, %s", c.String(flagTo), len(head.Files), bytesText(bytes))
	for _, left := range head.LeftOut {
		a.out.warn("%s is not in the backup: %s", left.Path, left.Reason)
	}
	return a.out.result("mirror.backup-made", struct {
		Changed bool   `json:"changed"`
		File    string `json:"file"`
		backupDoc
	}{true, c.String(flagTo), docOf(head)})
}

// backupDoc is a backup as results tell of it.
type backupDoc struct {
	Dir     string           `json:"dir"`
	Files   []backup.File    `json:"files"`
	LeftOut []backup.LeftOut `json:"left_out"`
}

func docOf(h backup.Head) backupDoc {
	doc := backupDoc{h.Dir, h.Files, h.LeftOut}
	if doc.LeftOut == nil {
		doc.LeftOut = []backup.LeftOut{}
	}
	return doc
}

// filesOf are the files of a configuration, and those that it names, without and with
// secrets.
func filesOf(cfg *config.Config) (files, secret []string) {
	add := func(list *[]string, paths ...string) {
		for _, path := range paths {
			if path != "" && !slices.Contains(*list, path) {
				*list = append(*list, path)
			}
		}
	}
	add(&files, cfg.Daemon.Origin.File)
	for _, v := range cfg.Values() {
		add(&files, v.Origin.File)
	}
	for _, r := range cfg.Repositories {
		add(&files, r.Origin.File, r.Root)
	}
	for _, p := range cfg.Profiles {
		add(&files, p.TrustedRoot)
		add(&files, p.Keys...)
	}
	for _, v := range cfg.Advisories {
		add(&files, v.File)
	}
	d := cfg.Daemon
	add(&files, d.Certificate, d.ClientCA)
	add(&secret, d.Key, d.Tokens, d.AdminTokens)
	for _, h := range cfg.Hosts {
		add(&files, h.Certificate, h.CA)
		add(&secret, h.Key, h.TokenFile)
	}
	return files, secret
}

func mirrorRestoreCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "make the folder of a mirror of a backup",
		ArgsUsage: "FILE",
		Description: "Puts back what `assay mirror backup` saved, into a folder that does not exist or\n" +
			"is empty: that of the backup, or another one. The configuration is put into\n" +
			"restored/ there, to be looked at and moved to its place; secrets, which no\n" +
			"backup has, are to be made again. `assay mirror sync` fetches the rest." +
			examples("assay mirror restore /backup/mirror.tar --to /var/lib/assay-mirror"),
		Flags:  []cli.Flag{&cli.StringFlag{Name: flagTo, Usage: "the mirror's `FOLDER`", Required: true}},
		Action: a.mirrorRestore,
	}
}

func (a *app) mirrorRestore(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	if err := readable(a.path(args[0])); err != nil {
		return err
	}
	dir := filepath.Clean(a.path(c.String(flagTo)))
	head, err := backup.Restore(c.Context, a.path(args[0]), dir)
	if err != nil {
		return err
	}
	state := filepath.Join(dir, mirrorState)
	a.out.line("%s: %d files of the mirror that was in %s", dir, len(head.Files), head.Dir)
	for _, f := range head.Files {
		if f.From != "" {
			a.out.line("  %s was %s", filepath.Join(dir, backup.RestoredConfig, filepath.Base(f.Name)), f.From)
		}
	}
	for _, left := range head.LeftOut {
		a.out.warn("%s has to be made again: it was not saved, as %s", left.Path, left.Reason)
	}
	log, err := audit.Open(state, audit.Options{Now: a.now})
	if err != nil {
		return err
	}
	if _, err := log.Head(c.Context); err != nil {
		return err
	}
	if err := a.mirrorNote(c.Context, state, audit.Entry{Action: mirrorRestored, Outcome: audit.Done, Detail: "from " + args[0] + ", of the mirror that was in " + head.Dir}); err != nil {
		return err
	}
	a.out.talk("`ASSAY_STATE_DIR=%s assay audit verify` looks at the log; `assay mirror sync` fetches the rest", state)
	return a.out.result("mirror.restore", struct {
		Changed bool `json:"changed"`
		backupDoc
	}{true, docOf(head)})
}
