package etcdstore

import (
	"log/slog"
	"net"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// SetPage changes how many records List reads at a time, for all Stores of the
// connection, before their first List.
func (s *Store) SetPage(n int64) { s.page = n }

func NewZap(to *slog.Logger, level zapcore.LevelEnabler) *zap.Logger { return newZap(to, level) }

// Listeners are all that the member listens with.
func (e *Embedded) Listeners() []net.Listener {
	all := append([]net.Listener(nil), e.etcd.Clients...)
	for _, p := range e.etcd.Peers {
		all = append(all, p.Listener)
	}
	return all
}
