// Package mirrors decides which mirror of a repository is asked first, and
// remembers what was learnt of each. A mirror is never trusted for anything but
// speed: what is decided here can make a transfer slow, not wrong.
//
// Choice: what the configuration names stands before what a repository's
// mirrors.json names; then the region that this machine is configured for, the
// network that it is in, weight, and remembered latency. A mirror that sent wrong
// bytes stands behind all that did not, one that failed lately behind those that
// work, each until that has faded.
//
// Memory: latency and rate are means in which what is older counts less; failures
// and lies are counts that halve with time. It is bounded, strictly decoded, and
// holds URLs without user, password and query. Losing it harms nothing: mirrors
// are probed again.
//
// The package does no input or output. Clock and storage are handed in.
package mirrors
