//go:build !unix

package pinned

import "os/exec"

// apart does nothing more where there are no process groups: the command itself
// ends with its context.
func apart(*exec.Cmd) {}
