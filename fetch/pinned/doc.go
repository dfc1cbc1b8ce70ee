// Package pinned gets one file from outside of any repository, by its digest: a
// URL that a script names together with the SHA-256 or SHA-512 of what lies there.
//
// Parties: whoever typed the URL and the digest, and is trusted with both; the
// server, the repository or the bucket that the URL leads to, which is not; the
// networks in between. A Getter is safe for several goroutines.
//
// Guarantees: there is no way to ask without a digest (New pins, Get refuses an
// empty pin), and every digest of the pin must hold, so that nothing else matters
// for what is got: not the scheme, http is as good as https, not the server, nor a
// redirect. What is held already is hashed again and moves nothing. One engine,
// the Mover, moves all bytes, into the cache and to no other place, and proves them
// there; nothing that is not proven has a name. Sources are regular files: no
// folder, no link, no pipe. No message holds a user, a password, or the query of a
// URL.
//
// # go-getter
//
// The parts are those of github.com/hashicorp/go-getter/v2: its Client chooses the
// Getter for a source, and its GitDetector reads git@HOST:PATH. The getters
// themselves are this package's, behind that interface, as those of the library do
// more, and check less, than is fit for bytes that nobody has proven yet:
//
//   - its HttpGetter follows X-Terraform-Get and netrc, appends a 200 to what a
//     Range asked for, and keeps what failed; bytes, here, are moved by the Mover.
//   - its FileGetter makes links, and opens whatever there is.
//   - its GitGetter runs git with the whole environment, checks a hostile tree out,
//     with its links and its submodules, and lets arguments pass for options.
//   - its Client reads checksum=, archive=, filename=, //SUB and X:: in every URL. It
//     is handed a ticket in place of the URL: those words are not live.
//   - its decompressors are not there: what is got is one file, as it lies.
//
// Mercurial, SMB and what the detectors would make of words like example.com/x
// are not there either.
//
// # git
//
// A file of a git repository is got by git itself: no other program of another
// project knows all that servers do. It runs in an environment of its own, with no
// configuration of the system or the user, no hook, no prompt, no helper for
// credentials, no submodule, no filter and no working tree, in a private folder, in
// a process group that ends with the context; see git_env.go. It fetches one commit
// without its history, and where the server can, only the one file of it.
//
// A crash leaves that folder in Config.Dir: a later Get removes it after a day.
package pinned
