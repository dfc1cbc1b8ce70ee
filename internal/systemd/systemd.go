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

// Listeners are the sockets that were opened for this process; none: there are none.
// Their unit must name them so, and no others: the error wraps ErrSocket. They are
// handed over once: the variables that tell of them are gone from the environment
// afterwards.
func Listeners(name string) ([]net.Listener, error) {
	var all []net.Listener
	var errs []error
	for _, file := range activation.Files(true) {
		if file.Name() != name {
			errs = append(errs, fmt.Errorf("%w: expected them to be named %q, found %.80q", ErrSocket, name, file.Name()))
		}
		// The library's own way leaves out what is no listening socket, without a word.
		if listener, err := net.FileListener(file); err != nil {
			errs = append(errs, fmt.Errorf("%w: %.80q: expected a listening socket: %w", ErrSocket, file.Name(), err))
		} else {
			all = append(all, listener)
		}
		errs = append(errs, file.Close()) // the listener has its own
	}
	err := errors.Join(errs...)
	if err == nil {
		return all, nil
	}
	for _, listener := range all {
		err = errors.Join(err, listener.Close())
	}
	return nil, err
}

// ErrSocket: what the service manager hands over is not what it should be.
var ErrSocket = errors.New("sockets of the service manager")
