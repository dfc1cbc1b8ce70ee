package unpack

import (
	"cmp"
	"errors"
	"os"
	"sync"
)

// syncWorkers is how many files are synced at once, while the next one is
// unpacked: file systems do several for little more than the price of one.
const syncWorkers = 4

// syncer makes files durable and closes them.
type syncer struct {
	files   chan *os.File
	workers sync.WaitGroup
	mutex   sync.Mutex
	failed  error // the first failure; the mutex owns it
}

// newSyncer starts the workers, which use sync on each file.
func newSyncer(sync func(*os.File) error) *syncer {
	s := &syncer{files: make(chan *os.File)}
	for range syncWorkers {
		s.workers.Go(func() {
			for file := range s.files {
				s.note(errors.Join(sync(file), file.Close()))
			}
		})
	}
	return s
}

func (s *syncer) note(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failed = cmp.Or(s.failed, disk(err))
}

func (s *syncer) err() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.failed
}

// hand gives a written file away, and tells of an earlier one that failed.
func (s *syncer) hand(file *os.File) error {
	s.files <- file
	return s.err()
}

// wait ends the workers, once, and tells whether all files are durable.
func (s *syncer) wait() error {
	close(s.files)
	s.workers.Wait()
	return s.err()
}
