package main

import "syscall"

// magic numbers of file systems, by statfs(2) and the kernel's linux/magic.h, that
// are shared between machines.
var networkKinds = map[uint32]string{
	0x6969:     "nfs",
	0x517b:     "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb3",
	0x01021997: "9p",
	0x5346414f: "afs",
	0x6b414653: "afs",
	0x73757245: "coda",
	0x564c:     "ncp",
	0x00c36400: "ceph",
	0x0bd00bd0: "lustre",
	0x47504653: "gpfs",
	0x19830326: "beegfs",
	0x01161970: "gfs2",
	0x7461636f: "ocfs2",
	0x6a656a63: "virtiofs",
}

// fuseMagic is that of file systems which some program serves: sshfs, but also
// ones on a disk of this machine.
const fuseMagic = 0x65735546

// volumeOf looks at the file system of a path that exists.
func volumeOf(path string) (volume, error) { return volumeBy(syscall.Statfs, path) }

func volumeBy(statfs func(string, *syscall.Statfs_t) error, path string) (volume, error) {
	var found syscall.Statfs_t
	if err := statfs(path, &found); err != nil {
		return volume{}, &statfsError{path, err}
	}
	// The type is signed on some machines; the number is one of 32 bits on all.
	magic := uint32(found.Type)
	v := volume{kind: networkKinds[magic], free: uint64(found.Bavail) * uint64(found.Bsize)}
	v.network = v.kind != ""
	if magic == fuseMagic {
		v.kind, v.unsure = "fuse", true
	}
	return v, nil
}

// statfsError says of which path the file system could not be looked at.
type statfsError struct {
	path string
	err  error
}

func (e *statfsError) Error() string { return "statfs " + e.path + ": " + e.err.Error() }
func (e *statfsError) Unwrap() error { return e.err }
