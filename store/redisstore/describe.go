package redisstore

import (
	"context"
	"maps"
	"strings"
)

// Describe tells the engine's name and version, and the settings that durability
// depends on, for people.
func (s *Store) Describe(ctx context.Context) (engine, version string, values map[string]string, err error) {
	var info string
	_, err = s.call(ctx, "ask for the version", transient, func(ctx context.Context) (reply, error) {
		var err error
		info, err = s.client.Load().Do(ctx, "info", "server").Text()
		return reply{}, err
	})
	engine = "Redis"
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "valkey_version": // which also gives the version of Redis that it is compatible with
			return s.withSettings(ctx, "Valkey", value, err)
		case "redis_version":
			version = value
		}
	}
	return s.withSettings(ctx, engine, version, err)
}

func (s *Store) withSettings(ctx context.Context, engine, version string, err error) (string, string, map[string]string, error) {
	if err != nil || s.dialer.c.SkipSettingsCheck {
		return engine, version, nil, err
	}
	var values map[string]string
	_, err = s.call(ctx, "read the settings", transient, func(ctx context.Context) (reply, error) {
		found, err := read(ctx, s.client.Load())
		values = maps.Clone(found)
		return reply{}, err
	})
	return engine, version, values, err
}
