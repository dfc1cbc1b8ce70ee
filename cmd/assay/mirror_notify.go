package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"assay/internal/systemd"
	"assay/mirror"
	"assay/mirror/tracing"
)

// publicSockets is the name that a socket unit gives to those of the public side.
const publicSockets = "public"

// statusEvery is how often the service manager is told how the mirror stands.
const statusEvery = 30 * time.Second

// endTime is how long the collector of traces may take to get the last ones.
const endTime = 5 * time.Second

// notify tells the service manager something. That it can't be told is logged.
func (d *mirrorDaemon) notify(states ...systemd.State) {
	if _, err := systemd.Notify(states...); err != nil {
		d.log.Warn("the service manager could not be told", "error", err.Error())
	}
}

func (d *mirrorDaemon) notifyReloading() {
	if !systemd.Notified() {
		return
	}
	state, err := systemd.Reloading()
	if err != nil {
		d.log.Warn("the service manager could not be told", "error", err.Error())
		return
	}
	d.notify(state)
}

// keepNotified tells the service manager that the mirror serves, how it stands, that
// it is alive, and that it stops.
func (d *mirrorDaemon) keepNotified(ctx context.Context) error {
	if !systemd.Notified() {
		<-ctx.Done()
		return nil
	}
	every := statusEvery
	watched, err := systemd.WatchdogEvery()
	if err != nil {
		d.log.Warn("the watchdog is not told", "error", err.Error())
	}
	if watched > 0 {
		every = min(every, watched/2)
	}
	d.notify(systemd.Ready, d.statusLine())
	defer d.notify(systemd.Stopping)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		// Where the locks of the mirror are held for ever, this does not come to its end,
		// and the watchdog starts it anew.
		line := d.statusLine()
		if watched > 0 {
			d.notify(systemd.Watchdog, line)
		} else {
			d.notify(line)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// statusLine says in a line how the mirror stands.
func (d *mirrorDaemon) statusLine() systemd.State {
	all := d.own.core.Statuses()
	served, bad := 0, []string{}
	for _, st := range all {
		if st.Serving {
			served++
		}
		if !st.Good {
			bad = append(bad, st.Repository)
		}
	}
	line := fmt.Sprintf("serving %d of %d repositories", served, len(all))
	if len(bad) > 0 {
		line += "; not good: " + strings.Join(bad, ", ")
	}
	if next := mirror.NextExpiries(all); len(next) > 0 {
		line += fmt.Sprintf("; next to expire: %s, the %s, at %s", next[0].Repository, next[0].Role, next[0].Expires.UTC().Format(time.RFC3339))
	}
	return systemd.Status(line)
}

// traces makes the tracer that the configuration asks for; nil: it asks for none.
func (d *mirrorDaemon) traces(ctx context.Context) (*tracing.Tracer, error) {
	if d.cfg.Daemon.OTLP == "" {
		return nil, nil
	}
	return tracing.New(ctx, tracing.Config{Endpoint: d.cfg.Daemon.OTLP, Version: buildVersion().Version, Log: d.log})
}

// endTraces sends the last ones. A collector that hangs does not keep the daemon.
func (d *mirrorDaemon) endTraces(tracer *tracing.Tracer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.c.Context), endTime)
	defer cancel()
	if err := tracer.Close(ctx); err != nil {
		d.log.Warn("spans were lost", "error", err.Error())
	}
}
