// Package config reads assay's configuration, and remembers of every value
// where it comes from.
//
// The layers, of which a later one wins:
//
//	default      built in
//	system       /etc/assay/config.toml, /etc/assay/conf.d/*.toml in order of name
//	user         config.toml in the user's configuration directory, or the file
//	             named by ASSAY_CONFIG or --config in its place
//	project      the nearest assay.toml from the working directory upward, up to
//	             the folder that holds .git
//	environment  ASSAY_…
//	flag
//
// Guarantees: a key, a variable or a lock that is not known is an error that
// names the nearest known one, so that a misspelt setting is never silently
// ignored. A key that the system configuration locks is changed by no later
// layer. A project's file can name tools and add rules to the policy, as a rule can
// only tighten, and nothing else: no repository, agreement, root, mirror,
// certificate, profile, builder or advisory, no credentials, no directory, nothing
// that keeps this machine from asking for what is new. A repository is declared
// whole, in one file; its declarations never mix. Agreements are taken together from all files, the
// system's before the user's: what an earlier one ends, no later one opens. Rules
// of the policy, the table of builders and advisories are taken together, too. A
// repository's mirrors are those of the last file that names any. A
// profile is declared whole, as a repository is; a name of one that no file
// declares is an error. So are the mirror daemon, and a host, as one half of its settings may be no good
// without the other. Limits, channels and what is set of transfers are set one by one,
// and no limit beyond what package trust allows.
//
// Not promised: that a declared root is the right one, or that it can be read;
// that is checked where it is used. Whoever may write the system's or the
// user's files, or sets the environment, is trusted.
package config
