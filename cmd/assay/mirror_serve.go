package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/urfave/cli/v2"

	"assay/internal/config"
	"assay/internal/systemd"
	"assay/mirror/admin"
	"assay/mirror/counters"
	"assay/mirror/metrics"
	"assay/mirror/serve"
	"assay/mirror/tracing"
)

const flagLogLevel = "log-level"

// errListen: the public side can't be opened.
var errListen = errors.New("the address can't be listened at")

func mirrorServeCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the mirror daemon",
		Description: "Serves what is proven, asks the upstreams by their schedules, and logs in JSON\n" +
			"on stderr. SIGHUP has it read the configuration anew; one that is bad is logged,\n" +
			"and the old one stays. SIGTERM and SIGINT let requests end, then it stops." +
			examples("assay mirror serve --config mirror.toml", "assay mirror serve --config mirror.toml --log-level warn"),
		Flags:  []cli.Flag{&cli.StringFlag{Name: flagLogLevel, Usage: "log from `LEVEL` on: debug, info, warn or error", Value: "info"}},
		Action: a.mirrorServe,
	}
}

// mirrorDaemon is a daemon at work.
type mirrorDaemon struct {
	a      *app
	c      *cli.Context
	log    *slog.Logger
	own    *ownMirror
	public *serve.Server
	admin  *admin.Server

	reloading sync.Mutex     // one at a time; guards cfg
	cfg       *config.Config // that counts
}

func (a *app) mirrorServe(c *cli.Context) (err error) {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	level, err := logLevel(c.String(flagLogLevel))
	if err != nil {
		return err
	}
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return err
	}
	d := &mirrorDaemon{a: a, c: c, log: a.mirrorLog(level), cfg: cfg}
	a.out.divert(logWriter{d.log})
	defer a.out.divert(nil)
	set := &counters.Set{}
	tracer, err := d.traces(c.Context)
	if err != nil {
		return err
	}
	defer func() { d.endTraces(tracer) }()
	// The storage's lock is the first: behind it nobody else is at work on the folder.
	d.own, err = a.openMirror(c.Context, cfg, mirrorOutside{
		log: d.log, counters: set, tracer: tracer, noteFailed: func(err error) { d.log.Error("an action could not be written down", "error", err.Error()) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.own.Close()) }()
	if err := d.servers(set, tracer); err != nil {
		return err
	}
	return d.run()
}

// servers makes the public and the administrator's side.
func (d *mirrorDaemon) servers(set *counters.Set, tracer *tracing.Tracer) (err error) {
	public := servingOf(d.cfg.Daemon)
	public.Library, public.Counters, public.Tracer, public.Log, public.Now = d.own.core, set, tracer, d.log, d.a.now
	if d.public, err = serve.New(public); err != nil {
		return mark(config.ErrConfig, err)
	}
	told, err := metrics.Handler(metrics.Config{Mirror: d.own.core, Counters: set, Version: buildVersion().Version})
	if err != nil {
		return err
	}
	d.admin, err = admin.New(admin.Config{
		Mirror: d.own.core, Metrics: told, Counters: set, Reload: d.reload, Note: d.own.note, Code: codeOf, TokenFile: d.cfg.Daemon.AdminTokens, Log: d.log,
	})
	return err
}

// run serves until it is told to stop, or until one of its parts fails.
func (d *mirrorDaemon) run() error {
	// What this ends, ends together.
	ctx, cancel := context.WithCancel(d.c.Context)
	defer cancel()
	parts, err := d.parts(ctx)
	if err != nil {
		return err
	}
	stop := d.reloadOnSignal(ctx)
	defer stop()
	defer cancel()
	parts = append(parts, d.keepNotified)
	failed := make(chan error, len(parts))
	for _, part := range parts {
		go func() {
			failed <- part(ctx)
			cancel()
		}()
	}
	var errs []error
	for range parts {
		// That it was told to stop is no failure of a part.
		if err := <-failed; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.Cause(ctx)) {
			errs = append(errs, err)
		}
	}
	d.log.Info("stopped", "cause", causeText(d.c.Context))
	return errors.Join(errs...)
}

// parts opens all that is listened at, and tells where, and gives what is to be run
// at the same time.
func (d *mirrorDaemon) parts(ctx context.Context) (parts []func(context.Context) error, err error) {
	var open []io.Closer
	defer func() {
		if err != nil {
			for _, listener := range open {
				err = errors.Join(err, listener.Close())
			}
		}
	}()
	// The sockets that the service manager has opened, or else those of the configuration.
	public, err := systemd.Listeners(publicSockets)
	if err != nil {
		return nil, withHint(mark(errListen, err), "set FileDescriptorName="+publicSockets+" in the socket unit; the administrator's socket is the daemon's own")
	}
	handed := len(public) > 0
	if !handed {
		if public, err = serve.ListenAll(ctx, d.cfg.Daemon.Listen); err != nil {
			return nil, withHint(mark(errListen, err), "mirror.listen names the addresses; `assay config show` tells where")
		}
	}
	for _, listener := range public {
		open = append(open, listener)
	}
	var addresses []string
	for _, listener := range public {
		if handed {
			if err := serve.Adopt(listener); err != nil {
				return nil, mark(errListen, err)
			}
		}
		addresses = append(addresses, listener.Addr().String())
		parts = append(parts, func(ctx context.Context) error { return d.public.Serve(ctx, listener) })
	}
	listener, err := admin.Listen(adminAddress(d.cfg.Daemon))
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		d.tellAddress(address)
	}
	return append(parts, func(ctx context.Context) error { return d.admin.Serve(ctx, listener) }, d.own.core.Run), nil
}

// tellAddress says where the mirror listens.
func (d *mirrorDaemon) tellAddress(address string) {
	scheme := "http"
	if d.cfg.Daemon.Certificate != "" {
		scheme = "https"
	}
	base := (&url.URL{Scheme: scheme, Host: address, Path: "/r/"}).String()
	d.log.Info("listening", "url", base, "admin", adminAddress(d.cfg.Daemon))
	d.a.out.line("listening on %sREPO/", base)
}

func causeText(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil {
		return cause.Error()
	}
	return "a part of it failed"
}

// reloadOnSignal has SIGHUP read the configuration anew, until stop.
func (d *mirrorDaemon) reloadOnSignal(ctx context.Context) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				d.own.note(ctx, "mirror.reload", "asked by SIGHUP")
				// A failure is logged, and the old configuration stays.
				_ = d.reload(ctx)
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		<-ended
	}
}

// reload reads the configuration anew. All of it is checked before any of it counts.
func (d *mirrorDaemon) reload(ctx context.Context) (err error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	d.notifyReloading()
	defer d.notify(systemd.Ready)
	defer func() {
		if err != nil {
			d.log.Error("the configuration was not taken over; the old one stays", "error", err.Error())
		}
	}()
	cfg, err := d.a.mirrorConfig(d.c)
	if err != nil {
		return err
	}
	if fixed := fixedKeys(d.cfg.Daemon, cfg.Daemon); len(fixed) > 0 {
		return withHint(mark(config.ErrConfig, fmt.Errorf("%v: expected as before, found changed: these take a new start", fixed)), "stop the daemon and start it again")
	}
	// Files of tokens and certificates: each side takes its own over whole or not at
	// all, and each that it takes is good.
	if err := errors.Join(d.public.Reload(), d.admin.ReloadTokens()); err != nil {
		return mark(config.ErrConfig, err)
	}
	if err := d.own.configure(ctx, cfg); err != nil {
		return err
	}
	d.cfg = cfg
	d.log.Info("the configuration was read anew", "upstreams", len(cfg.Daemon.Upstreams))
	return nil
}

// fixedKeys are those that differ, and that a daemon can't change at work.
func fixedKeys(old, new *config.Daemon) (keys []string) {
	for _, one := range []struct {
		key  string
		same bool
	}{
		{"dir", old.Dir == new.Dir},
		{"listen", slices.Equal(old.Listen, new.Listen)},
		{"admin", adminAddress(old) == adminAddress(new) && old.AdminTokens == new.AdminTokens},
		{"tls_certificate, tls_key, client_ca", old.Certificate == new.Certificate && old.Key == new.Key && old.ClientCA == new.ClientCA},
		{"tokens_file", old.Tokens == new.Tokens},
		{"otlp_endpoint", old.OTLP == new.OTLP},
		{"rate, burst, connections, max_connections, min_rate, stop_grace", servingOf(old).Limits == servingOf(new).Limits && old.StopGrace == new.StopGrace},
	} {
		if !one.same {
			keys = append(keys, config.KeyMirror+"."+one.key)
		}
	}
	return keys
}
