package transfer

import (
	"net/url"
	"time"

	"assay/fetch/wire"
)

// Place is one of the places where the bytes of an object may lie. Those of an
// object are tried in their order; bytes from several of them may make up one
// object, as its digest decides.
type Place struct {
	URL   *url.URL
	Reach wire.Reach
	// Authorization is sent as the header of that name (RFC 9110, 11.6.2), to the
	// host of URL alone. It never is part of a message.
	Authorization string
	// IfMissing says what it means that there is no such file here; empty: nothing.
	IfMissing string
}

// Observation is what one request to a place has shown.
type Observation struct {
	URL     *url.URL
	Latency time.Duration // from the request to the head of the answer; 0: there was none
	Bytes   int64         // that came
	Took    time.Duration // for them, from the head of the answer on
	// Err is why the place was given up; nil: it did what it was asked for. Bytes
	// that were found to be wrong are ErrWrongBytes.
	Err error
}
