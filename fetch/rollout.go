package fetch

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"assay/artifact/release"
)

// cohorts is how finely machines are told apart in a rollout: a hundredth of a
// percent.
const cohorts = 10_000

// cohort is a machine's place in a rollout, from 0 to cohorts-1. It is the
// first eight bytes of SHA-256(salt, NUL, machine), big-endian, modulo cohorts:
// stable for one rollout, independent between two with different salts.
func cohort(salt string, machine [16]byte) int {
	sum := sha256.Sum256(append(append([]byte(salt), 0), machine[:]...))
	return int(binary.BigEndian.Uint64(sum[:8]) % cohorts)
}

// percentAt is the share of machines that a rollout has reached at a time.
func percentAt(r *release.Rollout, at time.Time) int {
	percent := 0
	for _, step := range r.Steps {
		if !step.At.After(at) {
			percent = step.Percent
		}
	}
	return percent
}

// reachedAt is when a rollout reaches a place; zero if no step announces it.
func reachedAt(r *release.Rollout, place int) time.Time {
	for _, step := range r.Steps {
		if place < step.Percent*cohorts/100 {
			return step.At
		}
	}
	return time.Time{}
}
