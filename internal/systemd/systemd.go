// Package systemd talks to the service manager that has started this process, if one
// has: how the service stands, that it is alive, and the sockets that were opened for
// it. It is the only user of that library. Without a service manager, as on other
// systems, all of it does nothing.
package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// State is what is told; see sd_notify(3).
type State string

// The states.
const (
	Ready    State = daemon.SdNotifyReady
	Stopping State = daemon.SdNotifyStopping
	Watchdog State = daemon.SdNotifyWatchdog
)

// Reloading says that the configuration is read anew; Ready ends it.
func Reloading() (State, error) {
	now, err := monotonic()
	if err != nil {
		return "", err
	}
	return State(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Microseconds())), nil
}

// Status is a line for people, as `systemctl status` shows it.
func Status(text string) State {
	return State("STATUS=" + strings.Map(func(c rune) rune {
		if c < ' ' {
			return ' ' // a line feed would begin another assignment
		}
		return c
	}, text))
}

// Notify tells something; false: nobody asked for it.
func Notify(states ...State) (told bool, err error) {
	var lines []string
	for _, s := range states {
		lines = append(lines, string(s))
	}
	return daemon.SdNotify(false, strings.Join(lines, "\n"))
}

// Notified reports whether somebody asked to be told.
func Notified() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// WatchdogEvery is how often Watchdog has to be told lest the process be ended; 0: it
// need not.
func WatchdogEvery() (time.Duration, error) { return daemon.SdWatchdogEnabled(false) }

// Listeners are the sockets that were opened for this process, by the names that
// their unit gives them. They are handed over once: the variables that tell of them
// are gone from the environment afterwards.
func Listeners() (map[string][]net.Listener, error) {
	all := map[string][]net.Listener{}
	var errs []error
	for _, file := range activation.Files(true) {
		// The library's own way leaves out what is no listening socket, without a word.
		listener, err := net.FileListener(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %s: expected a listening socket: %w", ErrSocket, file.Name(), err))
		} else {
			all[file.Name()] = append(all[file.Name()], listener)
		}
		errs = append(errs, file.Close()) // the listener has its own
	}
	err := errors.Join(errs...)
	if err != nil {
		for _, list := range all {
			for _, listener := range list {
				err = errors.Join(err, listener.Close())
			}
		}
		return nil, err
	}
	return all, nil
}

// ErrSocket: what the service manager hands over is not what it should be.
var ErrSocket = errors.New("sockets of the service manager")
