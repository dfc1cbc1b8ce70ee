package trust

import (
	"context"
	"errors"
)

// Several is a Remote of several sources, any of which may lie, lag or be silent.
type Several interface {
	Remote
	// ReadJudged is ReadMetadata that hands what a source gives to judge, and asks
	// on where judge refuses it: so no source can make a refresh fail while an
	// honest one answers. It is nil once judge has accepted something. An error of
	// judge comes back, wrapped, only where no source gave anything better. judge is
	// not called by two goroutines at once.
	ReadJudged(ctx context.Context, name string, limit int64, judge func(raw []byte) error) error
}

// refusedError marks what judge says, as against what a Remote does. It reads as
// what it wraps.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// readJudged reads a file and judges it; refused says that err is what judge found
// wrong.
func readJudged(ctx context.Context, remote Remote, name string, limit int64, judge func(raw []byte) error) (refused bool, err error) {
	several, ok := remote.(Several)
	if !ok {
		raw, err := remote.ReadMetadata(ctx, name, limit)
		if err != nil {
			return false, err
		}
		err = judge(raw)
		return err != nil, err
	}
	err = several.ReadJudged(ctx, name, limit, func(raw []byte) error {
		if err := judge(raw); err != nil {
			return refusedError{err}
		}
		return nil
	})
	_, refused = errors.AsType[refusedError](err)
	return refused, err
}
