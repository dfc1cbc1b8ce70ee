package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"assay/artifact"
	"assay/mirror"
)

// The bounds of an answer with attestations.
const (
	maxBundles     = 64
	maxBundleBytes = 8 << 20 // in all
)

// answerStatus tells how a repository stands. Why something failed may name hosts of
// the operator's, and is for the admin's side.
func (x *exchange) answerStatus() {
	status, err := x.s.library.Status(x.route.repository)
	if err != nil {
		x.refuse(err)
		return
	}
	x.tally = x.s.count.of(x.route.repository)
	if status.LastRun != nil {
		run := *status.LastRun
		run.Reason, run.Err = "", nil
		run.Faults = make([]mirror.Fault, len(status.LastRun.Faults))
		for i, fault := range status.LastRun.Faults {
			fault.Reason = ""
			run.Faults[i] = fault
		}
		status.LastRun = &run
	}
	data, err := json.Marshal(status)
	if err != nil {
		x.refuse(fmt.Errorf("status: %w", err))
		return
	}
	x.sendDocument(append(data, '\n'))
}

// answerAttestations sends the bundles about a digest, as far as the bounds go.
func (x *exchange) answerAttestations() {
	files, err := x.s.library.Attestations(x.route.digest)
	if err == nil && len(files) == 0 {
		err = mirror.ErrNoFile
	}
	if err != nil {
		x.refuse(err)
		return
	}
	x.tally = x.s.count.of(files[0].Repository)
	type attestation struct {
		Bundle json.RawMessage `json:"bundle"`
	}
	var answer struct {
		Attestations []attestation `json:"attestations"`
		Truncated    bool          `json:"truncated,omitempty"` // there are more than an answer may have
	}
	left := int64(maxBundleBytes)
	for _, f := range files {
		if left -= f.Length; left < 0 || len(answer.Attestations) == maxBundles {
			answer.Truncated = true
			break
		}
		bundle, err := x.read(f)
		if err != nil {
			x.refuse(err)
			return
		}
		answer.Attestations = append(answer.Attestations, attestation{bundle})
	}
	data, err := json.Marshal(answer)
	if err != nil {
		x.refuse(fmt.Errorf("attestations: %w", err)) // a bundle that is no JSON
		return
	}
	x.sendDocument(append(data, '\n'))
}

// read reads a file that is bounded by its length.
func (x *exchange) read(f mirror.File) ([]byte, error) {
	o, err := x.s.library.Open(x.r.Context(), f)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	data := make([]byte, f.Length)
	if _, err := io.ReadFull(o, data); err != nil {
		return nil, fmt.Errorf("%w: expected %d bytes: %w", errDamaged, f.Length, err)
	}
	return data, nil
}

// sendDocument sends JSON that was made for this request.
func (x *exchange) sendDocument(data []byte) {
	x.file = mirror.File{Length: int64(len(data)), Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}}
	x.size = x.file.Length
	known := fixedOf(&x.file)
	if x.r.Method == http.MethodHead {
		x.r.Header.Del("Range")
		x.sendHead(known)
		return
	}
	if x.unchanged(known) {
		return
	}
	h := x.w.Header()
	setFile(h, &x.file, known)
	if x.special() {
		x.serveSpecial(bytes.NewReader(data))
		return
	}
	h["Content-Length"] = known.length
	x.WriteHeader(http.StatusOK)
	_, x.err = x.Write(data)
}
