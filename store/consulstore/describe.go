package consulstore

import (
	"context"

	"github.com/hashicorp/consul/api"
)

// Describe tells the engine's name and version, for people. It needs agent:read.
func (s *Store) Describe(ctx context.Context) (engine, version string, settings map[string]string, err error) {
	var self struct{ Config struct{ Version string } }
	err = s.read(ctx, "ask for the version", func(ctx context.Context, a *agent) error {
		_, err := a.Raw().Query("/v1/agent/self", &self, new(api.QueryOptions).WithContext(ctx))
		return err
	})
	return "Consul", self.Config.Version, nil, err
}
