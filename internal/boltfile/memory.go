package boltfile

import (
	"encoding/binary"
	"io/fs"
	"os"
)

// Memory is what a process remembers of a file, so that only the first of its
// sessions looks at every page: which file it was, and how it stood when a
// session of this Memory had looked at it, or had itself written to it. A file
// that still stands so is known. One that is another file, or has another size,
// time of change or transaction, is looked at again, and so is one on which a
// session failed.
//
// Damage that comes between two sessions and leaves all of these as they were, as
// a fading disk does it, is not looked for in a known file. bbolt may meet it;
// Guard covers that, unless a page comes to lead to itself.
//
// The zero value remembers nothing. It is for one goroutine at a time, which
// must have closed its session before it begins another.
type Memory struct {
	stamp *stamp // nil: nothing is known
}

// stamp tells whether a file was written to: bbolt ends each transaction by
// writing one of the two meta pages, with the transaction's number in it.
type stamp struct {
	info  fs.FileInfo
	metas [2][pageHeader + metaLength]byte
}

// knows reports whether the file at path is known. It takes no lock: what it
// says may be over when the caller has one.
func (m *Memory) knows(path string) bool {
	if m.stamp == nil {
		return false
	}
	// Opening anything else, a pipe for one, might wait.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return m.fits(file)
}

// recall reports whether the file of a session, which has the lock, is known.
func (m *Memory) recall(s *Session) bool { return m.stamp != nil && m.fits(s.file) }

func (m *Memory) fits(file *os.File) bool {
	now := stampOf(file)
	return now != nil && os.SameFile(now.info, m.stamp.info) && now.metas == m.stamp.metas &&
		now.info.Size() == m.stamp.info.Size() && now.info.ModTime().Equal(m.stamp.info.ModTime())
}

// note remembers the file as it stands under the lock of a session.
func (m *Memory) note(s *Session) { m.stamp = stampOf(s.file) }

// forget makes the next session look at everything.
func (m *Memory) forget() { m.stamp = nil }

// stampOf is nil where the file can't be read: then it is not known.
func stampOf(file *os.File) *stamp {
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	s := &stamp{info: info}
	if _, err := file.ReadAt(s.metas[0][:], 0); err != nil {
		return nil
	}
	pageSize := int64(binary.NativeEndian.Uint32(s.metas[0][pageHeader+8:]))
	if _, err := file.ReadAt(s.metas[1][:], pageSize); err != nil {
		return nil
	}
	return s
}
