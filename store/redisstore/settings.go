package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// SettingError is a server that does not promise enough.
type SettingError struct {
	Setting string // of the server, as in its configuration file
	Value   string // what it is
	Fix     string // what to do about it
}

// Error names the setting, its value and the fix.
func (e *SettingError) Error() string {
	return fmt.Sprintf("the server's %s is %q: %s", e.Setting, e.Value, e.Fix)
}

// ErrorCode is its code in the catalogue of errors.
func (e *SettingError) ErrorCode() string { return "store_setting" }

// errNotMaster is a connection that reached a replica. A failover may be under way.
var errNotMaster = errors.New("the server is not a master")

// settings are what is looked at.
var settings = []string{"appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy", "min-replicas-to-write"}

// greet looks at the server of each new connection: after a failover it is
// another one, which must promise the same.
func greet(ctx context.Context, cn *redis.Conn, c Config) error {
	role, err := cn.Do(ctx, "role").Slice()
	if err != nil {
		return fmt.Errorf("ask for the role: %w", err)
	}
	if len(role) == 0 || role[0] != "master" {
		return errNotMaster
	}
	if c.SkipSettingsCheck {
		return nil
	}
	values, err := read(ctx, cn)
	if err != nil {
		return err
	}
	return judge(values, c.AllowWeakDurability)
}

// doer is a client, or one connection of it.
type doer interface {
	Do(ctx context.Context, args ...any) *redis.Cmd
}

func read(ctx context.Context, c doer) (map[string]string, error) {
	args := []any{"config", "get"}
	for _, name := range settings {
		args = append(args, name)
	}
	pairs, err := c.Do(ctx, args...).StringSlice()
	var said redis.Error
	if errors.As(err, &said) && !refused(err) {
		return nil, &SettingError{Setting: "configuration", Value: said.Error(), Fix: "allow the user `+config|get`; " +
			"where CONFIG is not to be had, as at most managed services, make sure of appendonly yes, appendfsync always, maxmemory-policy noeviction and, " +
			"with replicas, min-replicas-to-write there, and set store.redis.skip_settings_check: true and store.redis.wait_replicas"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	out := map[string]string{}
	for i := 1; i < len(pairs); i += 2 {
		out[pairs[i-1]] = pairs[i]
	}
	return out, nil
}

// judge refuses a server that may lose what it has acknowledged.
func judge(values map[string]string, weak bool) error {
	set := func(name, to string) string {
		return fmt.Sprintf("set it to %s (CONFIG SET %s %s, and `%s %s` in its configuration file)", to, name, to, name, to)
	}
	bad := func(name, to, more string) error {
		return &SettingError{Setting: name, Value: values[name], Fix: set(name, to) + more}
	}
	fsync := values["appendfsync"]
	switch {
	case values["appendonly"] != "yes":
		return bad("appendonly", "yes", "")
	case fsync != "always" && fsync != "everysec":
		return bad("appendfsync", "always", "")
	case fsync == "everysec" && !weak:
		return bad("appendfsync", "always", ", or set store.redis.allow_weak_durability: true to accept that a power cut loses up to two seconds of acknowledged changes")
	case values["no-appendfsync-on-rewrite"] == "yes" && !weak:
		return bad("no-appendfsync-on-rewrite", "no", ", or set store.redis.allow_weak_durability: true to accept that a power cut during a rewrite loses what was acknowledged since it began")
	case values["maxmemory-policy"] != "noeviction":
		return bad("maxmemory-policy", "noeviction", "; with any other, Redis may delete the table to make room")
	}
	return nil
}

// examine returns how many replicas must have a change before it counts as
// written.
func examine(ctx context.Context, c *redis.Client, cfg Config) (int, error) {
	info, err := c.Info(ctx, "server", "replication").Result()
	if err != nil {
		return 0, fmt.Errorf("read INFO: %w", err)
	}
	version := field(info, "redis_version")
	if major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0]); err != nil || major < 7 {
		return 0, &SettingError{Setting: "redis_version", Value: version, Fix: "use Redis 7.0, Valkey 7.2 or newer"}
	}
	replicas, err := strconv.Atoi(field(info, "connected_slaves"))
	if err != nil {
		return 0, fmt.Errorf("read INFO: connected_slaves is %q", field(info, "connected_slaves"))
	}
	if cfg.SkipSettingsCheck {
		if replicas > 0 && cfg.WaitReplicas == 0 {
			return 0, invalid("wait_replicas", "0", fmt.Sprintf("must be set, best to the number of replicas, %d: min-replicas-to-write is not read when skip_settings_check is set", replicas))
		}
		return cfg.WaitReplicas, nil
	}
	values, err := read(ctx, c)
	if err != nil {
		return 0, err
	}
	least, err := strconv.Atoi(values["min-replicas-to-write"])
	if err != nil {
		return 0, fmt.Errorf("read the setting min-replicas-to-write: %w", err)
	}
	if replicas > 0 && least == 0 {
		return 0, &SettingError{Setting: "min-replicas-to-write", Value: "0", Fix: fmt.Sprintf(
			"the server has %d replicas, and a failover would lose what they lack: set it to %d on every server (CONFIG SET min-replicas-to-write %d, and in the configuration files)", replicas, replicas, replicas)}
	}
	if cfg.WaitReplicas > 0 {
		return cfg.WaitReplicas, nil
	}
	return least, nil
}

// field returns one line's value of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimRight(v, "\r\n")
		}
	}
	return ""
}
