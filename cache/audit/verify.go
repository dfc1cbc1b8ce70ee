package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Report is what was found on the way from the first entry to the last.
type Report struct {
	Entries     uint64      // that hold, from the first on without a gap
	Head        Head        // of the last of them
	FirstBroken *BreakError // nil: the whole log holds
}

// Verify goes through the whole log, and reports the first entry that is not as
// it was written, or is missing. With a known Head, which somebody wrote down at
// some time, it also finds a log that was cut off before it or made anew; the
// zero Head is for who knows none. A broken log is no error: that tells why the
// log could not be read.
func (l *Log) Verify(ctx context.Context, known Head) (Report, error) {
	c := checker{known: known}
	return c.report(l.forward(ctx, c.step, c.end))
}

// VerifyExport is Verify for what Export wrote. An error of r is returned as it is.
func VerifyExport(r io.Reader, known Head) (Report, error) {
	c := checker{known: known}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine+1)
	for lines.Scan() {
		if err := c.step(stored{keyOf(c.head.Seq + 1), lines.Bytes()}); err != nil {
			return c.report(err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return c.report(&BreakError{c.head.Seq + 1, fmt.Sprintf("expected a line of at most %d bytes, found a longer one", maxLine)})
	}
	if lines.Err() != nil {
		return c.report(lines.Err())
	}
	return c.report(c.end(c.head))
}

// Export writes all entries in their order, one a line, in the form that the
// package comment describes, and returns the last. It checks them as Verify does
// and stops before the first that is broken, which is the error, an ErrBroken. An
// error of w is returned as it is.
func (l *Log) Export(ctx context.Context, w io.Writer) (Head, error) {
	var c checker
	out := bufio.NewWriter(w)
	err := l.forward(ctx, func(s stored) error {
		if err := c.step(s); err != nil {
			return err
		}
		_, err := out.Write(append(s.line, '\n'))
		return err
	}, c.end)
	return c.head, errors.Join(err, out.Flush())
}

// checker follows the chain.
type checker struct {
	known Head
	head  Head // of the last entry that holds
}

// step takes the next entry.
func (c *checker) step(next stored) error {
	want := c.head.Seq + 1
	if !bytes.Equal(next.key, keyOf(want)) {
		return &BreakError{want, fmt.Sprintf("expected it, found entry %d in its place", seqOf(next.key))}
	}
	e, err := next.entry()
	switch {
	case err != nil:
		return err
	case e.Prev != c.head.Hash:
		return &BreakError{want, fmt.Sprintf("expected it to follow %v, found that it follows %v", c.head.Hash, e.Prev)}
	case want == c.known.Seq && e.Hash != c.known.Hash:
		return &BreakError{want, fmt.Sprintf("expected the hash %v that was written down, found %v: the log was made anew", c.known.Hash, e.Hash)}
	}
	c.head = Head{e.Seq, e.Hash}
	return nil
}

// end takes the end of the log, and what the file says its end is.
func (c *checker) end(stored Head) error {
	if c.known.Seq > c.head.Seq {
		return &BreakError{c.head.Seq + 1, fmt.Sprintf("expected the log to reach entry %d that was written down, found its end: it was cut off", c.known.Seq)}
	}
	return compareHead(stored, c.head)
}

// report sorts what ended the way: a broken entry is part of the report.
func (c *checker) report(err error) (Report, error) {
	r := Report{Entries: c.head.Seq, Head: c.head}
	if errors.As(err, &r.FirstBroken) {
		return r, nil
	}
	return r, err
}
