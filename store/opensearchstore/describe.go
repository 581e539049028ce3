package opensearchstore

import (
	"context"
	"net/http"
)

// Describe tells the engine's name and version, and the settings of the table's
// index that durability depends on, for people.
func (s *Store) Describe(ctx context.Context) (engine, version string, values map[string]string, err error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var hello struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	var found settings
	err = s.read(ctx, func(ctx context.Context, n *node) error {
		if err := n.send(ctx, request{http.MethodGet, "/", nil, nil}, &hello); err != nil {
			return err
		}
		found, err = s.settings(ctx, n)
		return err
	})
	values = map[string]string{"wait_for_active_shards": s.wait}
	for _, index := range found {
		for _, name := range []string{"index.number_of_shards", "index.number_of_replicas", "index.translog.durability"} {
			if v := index.Settings[name]; v != "" {
				values[name] = v
			}
		}
	}
	return "OpenSearch", hello.Version.Number, values, err
}
