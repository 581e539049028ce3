package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/store"
)

func newDataPlane(cfg *config.Config, s *store.Store, g *gate.Gate, secret []byte, r *prometheus.Registry, log *slog.Logger) (http.Handler, func(context.Context) error, error) {
	return nil, nil, errors.New("no proxy")
}

func newController(cfg *config.Config, s *store.Store, secret []byte, log *slog.Logger) (func(context.Context) error, error) {
	return func(ctx context.Context) error { <-ctx.Done(); return nil }, nil
}
