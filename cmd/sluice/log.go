package main

import (
	"io"
	"log/slog"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/proxy"
)

// newLogger logs to w as the configuration says. Level and format were validated.
func newLogger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level))
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// accessLog returns the log of requests, or nil.
func accessLog(c config.Access, w io.Writer) *proxy.AccessLog {
	if !c.Enabled {
		return nil
	}
	return &proxy.AccessLog{Logger: slog.New(slog.NewJSONHandler(w, nil)), Sample: c.Sample, Slow: c.Slow}
}
