package serve

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync/atomic"
)

// ids name requests: a text of this process, and a number. None is taken from a
// client, who might name its request as another's.
type ids struct {
	process string
	last    atomic.Uint64
}

func newIDs() *ids {
	var random [6]byte
	rand.Read(random[:]) // it never fails
	return &ids{process: hex.EncodeToString(random[:]) + "-"}
}

func (i *ids) next() string {
	var digits [20]byte
	return i.process + string(strconv.AppendUint(digits[:0], i.last.Add(1), 36))
}
