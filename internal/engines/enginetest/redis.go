package enginetest

import (
	"context"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// Redis starts a server for this test alone, which may kill and pause it. It is stopped when the test ends.
func Redis(t testing.TB) *engines.Redis {
	t.Helper()
	return RedisWith(t, nil)
}

// RedisWith is Redis with options.
func RedisWith(t testing.TB, o *engines.RedisOptions) *engines.Redis {
	t.Helper()
	server, err := engines.StartRedis(t.Context(), o)
	demand(t, err)
	stopAfter(t, server)
	return server
}

// RedisReplicated starts a master and n replicas for this test alone. They are stopped when the test ends.
func RedisReplicated(t testing.TB, n int, o *engines.RedisOptions) *engines.RedisReplicated {
	t.Helper()
	all, err := engines.StartRedisReplicated(t.Context(), n, o)
	demand(t, err)
	stopAfter(t, all)
	return all
}

// SharedRedis returns the Redis that all tests of the package use, with the same rules as SharedOpenSearch. Tests use key
// prefixes of their own.
func SharedRedis(t testing.TB) *engines.Redis {
	t.Helper()
	return share(t, "redis", func(ctx context.Context) (*engines.Redis, error) { return engines.StartRedis(ctx, nil) })
}
