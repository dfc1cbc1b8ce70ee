package boltfile

import (
	"context"
	"io"
	"time"
)

// Copy writes a database as it stands to w, whole, and returns its length in bytes. It
// waits for the lock as Begin does, and holds it while it copies; the error is an
// *Error, that of w, or that of ctx. The same state gives the same bytes.
func Copy(ctx context.Context, path string, w io.Writer, deadline time.Time) (int64, error) {
	s, err := Begin(ctx, path, false, deadline)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	var n int64
	var failed error
	err = s.Guard(func() error {
		n, failed = s.Tx().WriteTo(w)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, failed
}
