package etcdstore

import (
	"context"
	"log/slog"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// bridge is a zap core that writes to a slog.Logger: etcd logs with the former.
type bridge struct {
	to    *slog.Logger
	level zapcore.LevelEnabler
}

// newZap returns the logger for a member: warnings and worse, as level allows.
//
// etcd calls Fatal when it cannot go on, for example when the disk fails, which
// by default exits the process. Here it panics: in StartEmbedded's goroutine that
// becomes its error; elsewhere the process ends as it would have, with what was
// logged.
func newZap(to *slog.Logger, level zapcore.LevelEnabler) *zap.Logger {
	return zap.New(&bridge{to, level}, zap.WithFatalHook(zapcore.WriteThenPanic))
}

// Enabled implements zapcore.LevelEnabler.
func (b *bridge) Enabled(l zapcore.Level) bool { return b.level.Enabled(l) }

// With implements zapcore.Core.
func (b *bridge) With(fields []zapcore.Field) zapcore.Core {
	return &bridge{b.to.With(attributes(fields)...), b.level}
}

// Check implements zapcore.Core.
func (b *bridge) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) && !expected(e.Message) {
		return c.AddCore(e, b)
	}
	return c
}

// Write implements zapcore.Core.
func (b *bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level := slog.LevelError
	if e.Level <= zapcore.WarnLevel {
		level = slog.LevelWarn
	}
	b.to.Log(context.Background(), level, "etcd: "+e.Message, attributes(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (b *bridge) Sync() error { return nil }

func attributes(fields []zapcore.Field) []any {
	enc := zapcore.NewMapObjectEncoder()
	args := make([]any, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
		if v, ok := enc.Fields[f.Key]; ok {
			args = append(args, slog.Any(f.Key, v))
		}
	}
	return args
}

// expected reports whether etcd says what is on purpose here, or what every first
// start goes through.
func expected(message string) bool {
	for _, m := range []string{
		"Running http and grpc server on single port",  // for a handful of clients on one machine
		"simple token is not cryptographically signed", // there are no users, hence no tokens
		// A member that is milliseconds old: it looks for the schema's version before
		// the first term is on disk, and for the leader before it is one itself.
		"Failed to detect schema version",
		"failed to update storage version",
		"since there are still pending configuration changes to apply",
	} {
		if strings.Contains(message, m) {
			return true
		}
	}
	return false
}
