package engines

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Errors come back to whoever asked; the client library would write them to standard error as well.
func init() { logging.Disable() }

// RedisEnv names the environment variable that says which program to start as Redis, a path or a name on PATH. Without it
// the first of redis-server and valkey-server is taken.
const RedisEnv = "SLUICE_REDIS_SERVER"

// RedisOptions says what Redis to start. The zero value starts a master in a temporary directory that syncs every write.
type RedisOptions struct {
	Name               string   // empty is "redis"
	Dir                string   // for data and logs; empty is a temporary one that Stop removes
	AppendFsync        string   // always, everysec or no; empty is always
	MinReplicasToWrite int      // writes are refused with fewer
	ReplicaOf          string   // "host:port" of a master; empty starts a master
	Username           string   // a user besides the default one, with the rights of Rules
	Password           string   // of Username, or with an empty one of the default user; without blanks
	Rules              string   // of Username in the language of ACL SETUSER, for example "~{sluice}:* +@all"
	CertFile           string   // with KeyFile and CAFile: clients must use TLS
	KeyFile            string   //
	CAFile             string   //
	SentinelOf         string   // "host:port" of a master that a sentinel by itself watches as "mymaster"; empty starts a server
	Cluster            bool     // a node of a cluster, which it is not a member of yet
	Config             []string // lines of redis.conf after the ones of this package, which they replace
	MovableClock       bool     // MoveClock works; it needs Linux and a C compiler
	PowerCuts          bool     // Kill takes what was not synced with it, as a power cut does; it needs Linux and a C compiler
}

// Redis is one Redis or Valkey server on loopback, as a process of its own, with an append-only file.
type Redis struct {
	*Process
	addr  string
	admin *redis.Options
}

// Addr returns the address for clients, "127.0.0.1:port".
func (r *Redis) Addr() string { return r.addr }

// StartRedis starts a server and returns when it answers: tens of milliseconds. The context bounds the start only. The error
// is a *MissingError when there is no such program on this machine and a *StartError, with the last lines of the log, when
// the server did not come up.
func StartRedis(ctx context.Context, o *RedisOptions) (*Redis, error) {
	if o == nil {
		o = &RedisOptions{}
	}
	program, err := redisProgram()
	if err != nil {
		return nil, err
	}
	dir, temporary, err := directory(o.Dir, "redis", "data")
	if err != nil {
		return nil, fmt.Errorf("start redis: %w", err)
	}
	r := &Redis{Process: &Process{
		engine: "redis", name: cmp.Or(o.Name, "redis"), dir: dir, temporary: temporary,
		startLim: time.Minute, stopLim: 5 * time.Second,
	}}
	r.ready = r.answers
	env := append(os.Environ(), "SLUICE_CLOCK="+r.clockFile())
	var preload []string
	for _, own := range []struct {
		wanted bool
		build  func(context.Context) (string, error)
	}{{o.MovableClock, r.ownClock}, {o.PowerCuts, r.ownDisk}} {
		if !own.wanted {
			continue
		}
		library, err := own.build(ctx)
		if err != nil {
			return nil, errors.Join(err, r.Stop())
		}
		preload = append(preload, library)
	}
	if len(preload) > 0 {
		env = append(env, "LD_PRELOAD="+strings.Join(preload, ":"))
	}
	r.command = func() *exec.Cmd {
		cmd := exec.Command(program, r.configFile())
		if o.SentinelOf != "" {
			cmd.Args = append(cmd.Args, "--sentinel")
		}
		cmd.Env = env
		return cmd
	}
	var written error
	err = r.launch(ctx, 1, func(ports []int) { written = errors.Join(written, r.configure(ports[0], o)) })
	var failed *StartError
	if o.CertFile != "" && errors.As(err, &failed) && strings.Contains(strings.Join(failed.Log, "\n"), "Failed finding TLS support") {
		err = &MissingError{Engine: "redis with TLS", What: "a server that was built with it, unlike " + program, Install: "build it with `make BUILD_TLS=yes`, or take Debian's", Err: err}
	}
	if err = errors.Join(written, err); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// redisProgram returns the path of the program.
func redisProgram() (string, error) {
	names := []string{"redis-server", "valkey-server"}
	if own := os.Getenv(RedisEnv); own != "" {
		names = []string{own}
	}
	var errs []error
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
		errs = append(errs, err)
	}
	return "", &MissingError{
		Engine: "redis", What: "redis-server 7.0 or newer, or valkey-server",
		Install: "Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis; or point " + RedisEnv + " at one", Err: errors.Join(errs...),
	}
}

func (r *Redis) configFile() string { return filepath.Join(r.dir, "redis.conf") }

// configure writes the configuration file, and prepares the way for this package's own questions.
func (r *Redis) configure(port int, o *RedisOptions) error {
	r.addr = loopback(port)
	r.url = "redis://" + r.addr
	r.admin = &redis.Options{
		Addr: r.addr, MaxRetries: -1, DialerRetries: 1, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	lines := []string{
		"bind 127.0.0.1", "protected-mode no", "daemonize no", `save ""`, "dir " + strconv.Quote(filepath.Join(r.dir, "data")),
		"appendonly yes", "appendfsync " + cmp.Or(o.AppendFsync, "always"), "min-replicas-to-write " + strconv.Itoa(o.MinReplicasToWrite),
		"repl-diskless-sync-delay 0", "repl-ping-replica-period 1",
	}
	if o.SentinelOf != "" {
		host, master, err := net.SplitHostPort(o.SentinelOf)
		if err != nil {
			return fmt.Errorf("start redis: SentinelOf: %w", err)
		}
		lines = append(lines[:3], "dir "+strconv.Quote(filepath.Join(r.dir, "data")),
			"sentinel monitor mymaster "+host+" "+master+" 1", "sentinel down-after-milliseconds mymaster 2000", "sentinel failover-timeout mymaster 5000")
	}
	if o.CertFile == "" {
		lines = append(lines, "port "+strconv.Itoa(port))
	} else {
		ca, err := os.ReadFile(o.CAFile)
		if err != nil {
			return fmt.Errorf("start redis: %w", err)
		}
		r.url = "rediss://" + r.addr
		r.admin.TLSConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		r.admin.TLSConfig.RootCAs.AppendCertsFromPEM(ca)
		lines = append(lines, "port 0", "tls-port "+strconv.Itoa(port), "tls-cert-file "+strconv.Quote(o.CertFile),
			"tls-key-file "+strconv.Quote(o.KeyFile), "tls-ca-cert-file "+strconv.Quote(o.CAFile), "tls-auth-clients no")
	}
	switch {
	case o.Username != "":
		lines = append(lines, "user "+o.Username+" on >"+o.Password+" "+o.Rules)
	case o.Password != "":
		r.admin.Password = o.Password
		lines = append(lines, "requirepass "+strconv.Quote(o.Password), "masterauth "+strconv.Quote(o.Password))
	}
	if o.ReplicaOf != "" {
		host, port, err := net.SplitHostPort(o.ReplicaOf)
		if err != nil {
			return fmt.Errorf("start redis: ReplicaOf: %w", err)
		}
		lines = append(lines, "replicaof "+host+" "+port)
	}
	if o.Cluster {
		lines = append(lines, "cluster-enabled yes", "cluster-port "+strconv.Itoa(port+10_000))
	}
	lines = append(append(lines, o.Config...), "")
	return os.WriteFile(r.configFile(), []byte(strings.Join(lines, "\n")), 0o600)
}

// Do sends one command as an administrator and returns the answer.
func (r *Redis) Do(ctx context.Context, args ...any) (any, error) {
	c := redis.NewClient(r.admin)
	defer func() { _ = c.Close() }()
	v, err := c.Do(ctx, args...).Result()
	if err != nil {
		return nil, fmt.Errorf("ask redis %s: %w", r.name, err)
	}
	return v, nil
}

// answers asks once whether the server has loaded its data.
func (r *Redis) answers(ctx context.Context) error {
	_, err := r.Do(ctx, "ping")
	return err
}

// Info returns the value of one line of INFO, empty if there is none.
func (r *Redis) Info(ctx context.Context, field string) (string, error) {
	v, err := r.Do(ctx, "info")
	if err != nil {
		return "", err
	}
	text, _ := v.(string)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), field+":"); ok {
			return value, nil
		}
	}
	return "", nil
}

// Follow makes the server a replica of the one at an address; whatever it has that the other lacks is lost.
func (r *Redis) Follow(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("follow %s: %w", addr, err)
	}
	_, err = r.Do(ctx, "replicaof", host, port)
	return err
}

// Promote makes a replica the master of what it has.
func (r *Redis) Promote(ctx context.Context) error {
	_, err := r.Do(ctx, "replicaof", "no", "one")
	return err
}
