package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// dialed is a driver that is connected.
type dialed interface {
	driver.Driver
	Close() error
}

// backend is one kind of store. This table is the only place of the program
// where a driver is chosen.
type backend struct {
	// validate asks the driver whether the section can be used. It reads no file.
	validate func(config.Store) error
	open     func(context.Context, config.Store, *slog.Logger) (dialed, error)
	// where is for people.
	where func(config.Store) string
}

var backends = map[string]backend{
	"etcd": {
		validate: func(s config.Store) error {
			if s.Embedded() {
				return etcdstore.EmbeddedConfig{DataDir: s.Etcd.Embedded.DataDir, ClientURL: s.Etcd.Embedded.ClientURL, Prefix: s.Etcd.Prefix}.Validate()
			}
			return etcdConfig(s.Etcd).Validate()
		},
		open: func(ctx context.Context, s config.Store, log *slog.Logger) (dialed, error) {
			return opened(etcdstore.Open(ctx, etcdConfig(s.Etcd), &etcdstore.Options{Logger: log}))
		},
		where: func(s config.Store) string {
			if s.Embedded() {
				return "etcd at " + s.Etcd.Embedded.ClientURL
			}
			return "etcd at " + strings.Join(s.Etcd.Endpoints, ", ")
		},
	},
	"consul": {
		validate: func(s config.Store) error { return consulConfig(s.Consul).Validate() },
		open: func(ctx context.Context, s config.Store, log *slog.Logger) (dialed, error) {
			return opened(consulstore.Open(ctx, consulConfig(s.Consul), &consulstore.Options{Logger: log}))
		},
		where: func(s config.Store) string { return "Consul at " + strings.Join(s.Consul.Addresses, ", ") },
	},
	"opensearch": {
		validate: func(s config.Store) error { return opensearchConfig(s.OpenSearch).Validate() },
		open: func(ctx context.Context, s config.Store, log *slog.Logger) (dialed, error) {
			return opened(opensearchstore.Open(ctx, opensearchConfig(s.OpenSearch), &opensearchstore.Options{Logger: log}))
		},
		where: func(s config.Store) string {
			return "index " + s.OpenSearch.Index + " of OpenSearch at " + strings.Join(s.OpenSearch.Addresses, ", ")
		},
	},
	"redis": {
		validate: func(s config.Store) error { return redisConfig(s.Redis).Validate() },
		open: func(ctx context.Context, s config.Store, log *slog.Logger) (dialed, error) {
			return opened(redisstore.Open(ctx, redisConfig(s.Redis), &redisstore.Options{Logger: log}))
		},
		where: func(s config.Store) string { return "Redis at " + strings.Join(s.Redis.Addresses, ", ") },
	},
}

// opened keeps a nil pointer from becoming an interface that is not nil.
func opened[T dialed](d T, err error) (dialed, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// etcdConfig is how the cluster, or the member of another process, is reached.
func etcdConfig(e config.Etcd) etcdstore.Config {
	c := etcdstore.Config{Endpoints: e.Endpoints, Prefix: e.Prefix, Username: e.Username, PasswordFile: e.PasswordFile, TLS: etcdstore.TLS(e.TLS)}
	if len(c.Endpoints) == 0 {
		c.Endpoints = []string{e.Embedded.ClientURL}
	}
	return c
}

func consulConfig(c config.Consul) consulstore.Config {
	return consulstore.Config{Addresses: c.Addresses, Datacenter: c.Datacenter, Prefix: c.Prefix, Node: c.Node, TokenFile: c.TokenFile, TLS: consulstore.TLS(c.TLS)}
}

func opensearchConfig(o config.OpenSearch) opensearchstore.Config {
	return opensearchstore.Config{
		Addresses: o.Addresses, Index: o.Index, Replicas: &o.Replicas, WaitForActiveShards: o.WaitForActiveShards,
		Username: o.Username, PasswordFile: o.PasswordFile, TLS: opensearchstore.TLS(o.TLS),
	}
}

func redisConfig(r config.Redis) redisstore.Config {
	return redisstore.Config{
		Addresses: r.Addresses, Sentinel: redisstore.Sentinel(r.Sentinel), Username: r.Username, PasswordFile: r.PasswordFile,
		TLS: redisstore.TLS{Enabled: r.TLSEnabled, CAFile: r.TLS.CAFile, CertFile: r.TLS.CertFile, KeyFile: r.TLS.KeyFile, ServerName: r.TLS.ServerName},
		DB:  r.DB, Prefix: r.Prefix, WaitReplicas: r.WaitReplicas, AllowWeakDurability: r.AllowWeakDurability, SkipSettingsCheck: r.SkipSettingsCheck,
	}
}

// checkStore refuses a section that the chosen driver cannot use, before
// anything is reached.
func checkStore(cfg *config.Config) error {
	b, ok := backends[cfg.Store.Kind]
	if !ok {
		return &placement.InvalidError{Field: "store.kind", Value: cfg.Store.Kind, Fix: "is not built into this program"}
	}
	return b.validate(cfg.Store)
}

// storeWhere names the store for people.
func storeWhere(s config.Store) string {
	if b, ok := backends[s.Kind]; ok {
		return b.where(s)
	}
	return s.Kind
}

// needSecret refuses a fleet without a secret where none can be generated: only
// the embedded etcd has a directory that the processes of the machine share.
func needSecret(cfg *config.Config) error {
	if cfg.Fleet.SecretFile != "" || cfg.Store.Kind == "etcd" {
		return nil
	}
	return &placement.InvalidError{Field: "fleet.secret_file", Value: "",
		Fix: fmt.Sprintf("must name a file with the fleet's secret, the same on every machine: with store.kind %s there is no data directory to generate one in; "+
			"`openssl rand -hex 32 > fleet.secret` makes one", cfg.Store.Kind)}
}
