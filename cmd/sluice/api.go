package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/console"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/proxy"
)

// startAPI serves the HTTP API, and the console that asks it, at its listener.
func (n *node) startAPI(secret []byte) error {
	c := n.cfg.API
	tls, err := serverTLS("api.tls", c.TLS, n.log)
	if err != nil {
		return err
	}
	token, err := adminToken(n.cfg)
	if err != nil {
		return err
	}
	a, err := api.New(n.store, &api.Options{
		Build: build(), Engine: n.cfg.Store.Kind, Where: n.storeName(), Auth: api.AuthConfig(c.Auth), AdminToken: token, AuditAge: c.AuditAge, Logger: n.log,
		URL: apiURL(c, n.api.Addr()), SessionToken: func(session string) string { return gate.SessionToken(secret, session) },
		Defaults: moveDefaults(n.cfg), CopyWorkers: n.cfg.Controller.CopyWorkers,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", a.Handler())
	mux.Handle(console.Path, console.Handler())
	server := proxy.NewServer(mux)
	server.TLSConfig, server.ErrorLog = tls, slog.NewLogLogger(n.log.Handler(), slog.LevelWarn)
	n.apiService = startService("API listener", n.failed, func(ctx context.Context) error {
		defer a.Close()
		within, cancel := context.WithCancel(ctx)
		swept := make(chan struct{})
		go func() {
			defer close(swept)
			_ = a.Run(within) // it only ends when it is told to
		}()
		defer func() { cancel(); <-swept }()
		return serveHTTP(ctx, server, n.api, 0, 2*time.Second)
	})
	return nil
}
