package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// storeFlags adds the flags of the store to a command that reaches it.
func storeFlags(c *cobra.Command) { config.AddFlags(c.Flags(), "store") }

// configFile is --config, else $SLUICE_CONFIG, else sluice.yaml if it is here,
// else none.
func configFile(c *cobra.Command) string {
	if f, _ := c.Flags().GetString("config"); f != "" {
		return f
	}
	if f := os.Getenv("SLUICE_CONFIG"); f != "" {
		return f
	}
	if _, err := os.Stat("sluice.yaml"); err == nil {
		return "sluice.yaml"
	}
	return ""
}

func loadConfig(c *cobra.Command) (*config.Config, []string, error) {
	return config.Load(&config.Options{File: configFile(c), Flags: c.Flags()})
}

// openedStore is the table as a command uses it.
type openedStore struct {
	*store.Store
	cfg   *config.Config
	close func()
}

// openStore connects to the configured etcd, or to the embedded member of a
// process that runs on this machine.
func openStore(c *cobra.Command) (*openedStore, error) {
	cfg, _, err := loadConfig(c)
	if err != nil {
		return nil, err
	}
	d, err := dialEtcd(c.Context(), cfg, nil)
	if err != nil {
		return nil, err
	}
	return &openedStore{Store: store.New(d, nil), cfg: cfg, close: func() { _ = d.Close() }}, nil
}

// onStore is a RunE that has the store open. A command that can refuse its input
// without the store does so first, and calls openStore itself.
func onStore(run func(*cobra.Command, *openedStore, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, a []string) error {
		s, err := openStore(c)
		if err != nil {
			return err
		}
		defer s.close()
		return run(c, s, a)
	}
}

// dialEtcd connects as a client.
func dialEtcd(ctx context.Context, cfg *config.Config, log *slog.Logger) (*etcdstore.Store, error) {
	e := cfg.Store.Etcd
	endpoints := e.Endpoints
	if len(endpoints) == 0 {
		endpoints = []string{e.Embedded.ClientURL}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	d, err := etcdstore.Open(ctx, etcdstore.Config{
		Endpoints: endpoints, Prefix: e.Prefix, Username: e.Username, PasswordFile: e.PasswordFile,
		TLS: etcdstore.TLS{CAFile: e.TLS.CAFile, CertFile: e.TLS.CertFile, KeyFile: e.TLS.KeyFile},
	}, &etcdstore.Options{Logger: log})
	if err == nil {
		return d, nil
	}
	if exitCode(err) != exitFailure {
		return nil, err
	}
	what := "the placement table cannot be read"
	if len(e.Endpoints) == 0 {
		what += fmt.Sprintf(" (is `sluice serve` running here? else set store.etcd.endpoints, or %s)", config.EnvName("store.etcd.endpoints"))
	}
	return nil, &unreachableError{what, err}
}

// dialEtcdPatiently is dialEtcd for a process that starts: the store may be a
// moment behind it, as when a whole fleet is started at once. A wrong
// configuration is not waited for.
func dialEtcdPatiently(ctx context.Context, cfg *config.Config, log *slog.Logger) (*etcdstore.Store, error) {
	const patience = 60 * time.Second
	bound, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		d, err := dialEtcd(bound, cfg, log)
		if err == nil || exitCode(err) != exitUnavailable {
			return d, err
		}
		log.Warn("the store does not answer, trying again", "error", err)
		select {
		case <-bound.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, err
		case <-time.After(time.Second):
		}
	}
}
