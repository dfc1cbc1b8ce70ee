// Package detached verifies signatures that lie beside a file: minisign, OpenPGP
// and SSH, for sources that have nothing better.
package detached
