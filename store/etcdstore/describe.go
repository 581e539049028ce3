package etcdstore

import "context"

// Describe tells the engine's name and version, for people. An etcd syncs what it
// acknowledges unless it was started to be unsafe, which it does not tell.
func (s *Store) Describe(ctx context.Context) (engine, version string, settings map[string]string, err error) {
	endpoint := "" // of the member in this process
	if all := s.c.Endpoints(); len(all) > 0 {
		endpoint = all[0]
	}
	err = s.call(ctx, "ask for the version", transient, func(ctx context.Context) error {
		r, err := s.c.Status(ctx, endpoint)
		if err == nil {
			version = r.Version
		}
		return err
	})
	return "etcd", version, nil, err
}
