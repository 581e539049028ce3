package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/store"
)

// storeFlags adds the flags of the store to a command that reaches it. All keys
// are flags; the help shows those that say which store.
func storeFlags(c *cobra.Command) {
	config.AddFlags(c.Flags(), "store")
	contextFlag(c)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "store.kind", "store.etcd.endpoints", "store.consul.addresses", "store.redis.addresses", "store.opensearch.addresses":
		default:
			f.Hidden = f.Hidden || isStoreFlag(f.Name)
		}
	})
}

func isStoreFlag(name string) bool { return strings.HasPrefix(name, "store.") }

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
	return loadFile(c, configFile(c))
}

// loadFile loads a configuration and has the chosen driver check its part.
func loadFile(c *cobra.Command, file string) (*config.Config, []string, error) {
	cfg, warnings, err := config.Load(&config.Options{File: file, Flags: c.Flags()})
	if err != nil {
		return nil, warnings, err
	}
	if err := checkStore(cfg); err != nil {
		return nil, warnings, err
	}
	if err := api.AuthConfig(cfg.API.Auth).Validate(); err != nil {
		return nil, warnings, err
	}
	return cfg, warnings, nil
}

// openedStore is the table as a command uses it.
type openedStore struct {
	*store.Store
	cfg   *config.Config
	close func()
}

// storeConfig is the configuration of a command that reaches the store itself.
func storeConfig(c *cobra.Command) (*config.Config, error) {
	name, x, err := chosenContext(c)
	if err != nil {
		return nil, err
	}
	file := x.Config
	if x.API != "" {
		return nil, refused("%s needs the store itself, and context %s is the API of a controller; give --config, or a context with a configuration file", c.CommandPath(), name)
	}
	if file == "" {
		file = configFile(c)
	}
	cfg, _, err := loadFile(c, file)
	return cfg, err
}

// openStore connects to the configured store and reads whether the table may be
// used.
func openStore(c *cobra.Command) (*openedStore, error) {
	cfg, err := storeConfig(c)
	if err != nil {
		return nil, err
	}
	d, err := dial(c.Context(), cfg, nil)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(c.Context(), d, nil)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &openedStore{Store: s, cfg: cfg, close: func() { _ = d.Close() }}, nil
}

// dial connects to the configured store as a client.
func dial(ctx context.Context, cfg *config.Config, log *slog.Logger) (dialed, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d, err := backends[cfg.Store.Kind].open(ctx, cfg.Store, log)
	if err == nil {
		return d, nil
	}
	if exitCode(err) != exitFailure {
		return nil, err
	}
	what := "the placement table cannot be read"
	if cfg.Store.Embedded() {
		what += fmt.Sprintf(" (is `sluice serve` running here? else set store.etcd.endpoints, or %s)", config.EnvName("store.etcd.endpoints"))
	}
	return nil, &unreachableError{What: what, Err: err}
}

// dialPatiently is dial for a process that starts: the store may be a moment
// behind it, as when a whole fleet is started at once. A wrong configuration is
// not waited for.
func dialPatiently(ctx context.Context, cfg *config.Config, log *slog.Logger) (dialed, error) {
	const patience = 60 * time.Second
	bound, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		d, err := dial(bound, cfg, log)
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
