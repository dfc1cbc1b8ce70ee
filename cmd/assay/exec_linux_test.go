package main

import (
	"bufio"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waitingScript tells its own number and waits for a signal: SIGTERM ends it with 7, an
// interrupt with 8. What is left behind ends by itself.
const waitingScript = `#!/bin/sh
trap 'exit 7' TERM
trap 'exit 8' INT
echo $$
i=0
while [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done
`

// TestExecSignals shows that a program takes the process's place: its number is that of
// the process that was started, so that whoever signals that signals the program.
func TestExecSignals(t *testing.T) {
	m := helloMachine(t, waitingScript)
	for signal, code := range map[syscall.Signal]int{syscall.SIGTERM: 7, syscall.SIGINT: 8} {
		command := m.command("assay", "exec", "hello")
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(time.Minute, func() { command.Process.Kill() })
		line, err := bufio.NewReader(output).ReadString('\n')
		if err != nil {
			t.Errorf("%v: expected the program's number, found %v", signal, err)
		}
		if number, err := strconv.Atoi(strings.TrimSpace(line)); err != nil || number != command.Process.Pid {
			t.Errorf("expected the number %d of the process, found %q", command.Process.Pid, line)
		}
		if err := command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		err = command.Wait()
		late.Stop()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != code {
			t.Errorf("%v: expected the program's exit code %d, found %v", signal, code, err)
		}
	}
}
