package redisstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// A master with two replicas, of which both must have a change.
func ExampleOpen() {
	ctx := context.Background()
	s, err := redisstore.Open(ctx, redisstore.Config{
		Addresses: []string{"redis-1:6379", "redis-2:6379", "redis-3:6379"},
		Username:  "sluice", PasswordFile: "/etc/sluice/redis.password",
		TLS:          redisstore.TLS{Enabled: true, CAFile: "/etc/sluice/redis-ca.pem"},
		WaitReplicas: 2,
	}, nil)
	var setting *redisstore.SettingError
	if errors.As(err, &setting) {
		fmt.Printf("%s is %s: %s\n", setting.Setting, setting.Value, setting.Fix)
	}
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	_, err = s.Write(ctx, driver.Write{Key: driver.Key{Space: "entries", Name: "acme"}, Value: []byte("on cluster a")})
	if errors.Is(err, redisstore.ErrRewound) {
		panic(err) // start anew
	}
}
