//go:build unix

package pinned

import (
	"os/exec"
	"syscall"
)

// apart gives a command a session of its own: no terminal on which a helper could
// ask, and a process group that ends as a whole, helpers and all.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
