//go:build !linux

package systemd

import "time"

// monotonic: there is no service manager of this kind.
func monotonic() (time.Duration, error) { return 0, nil }
