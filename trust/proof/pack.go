package proof

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxReceipt bounds a receipt in bytes, unpacked. What it holds is bounded
// already: at most maxBundles verdicts with predicates of maxVerdict, and what is
// told of each; nearly all receipts have a few KiB.
const maxReceipt = 64 << 20

// packed compresses the text of a receipt. Most of it is names that repeat; a
// store of many receipts is read at each start of the program.
func packed(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, err := w.Write(text)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// packers are for use again: each has tables of about a megabyte, that would cost
// more to make than to use on one receipt.
var packers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one that there is
	}
	return w
}}

// unpacked is the text again, of at most limit bytes. gzip's own checksum is
// compared.
func unpacked(data []byte, limit int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("expected at most %d bytes, found more", limit)
	}
	return text, err
}
