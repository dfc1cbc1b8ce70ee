package main

import (
	"log/slog"
	"strings"
)

// levelNone is above all levels: nothing is logged.
const levelNone = slog.Level(100)

// mirrorLog logs in JSON, a line for each record, on stderr.
func (a *app) mirrorLog(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}

// logLevel reads a level by its name.
func logLevel(text string) (slog.Level, error) {
	switch text {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, usagef("--%s: expected debug, info, warn or error, found %q", flagLogLevel, clip(text))
}

// logWriter logs each line that is written to it: what the parts that a daemon shares
// with other commands have to tell.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(text []byte) (int, error) {
	w.log.Warn(strings.TrimPrefix(strings.TrimSpace(string(text)), "assay: warning: "))
	return len(text), nil
}
