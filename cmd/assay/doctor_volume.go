package main

// volume is the file system that a folder lies on.
type volume struct {
	kind    string // as nfs; empty: not known by name
	network bool   // other machines may have it as well
	unsure  bool   // it may be: a file system of some program's
	free    uint64 // bytes that this user may still write
}
