package transfer

import "errors"

// ErrWrongBytes: a place sent other bytes than are promised.
var ErrWrongBytes = errors.New("sent other bytes than promised")
