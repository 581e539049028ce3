package engines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// RedisReplicated is a master with replicas. Each replica reaches the master through a proxy of its own, so that the
// replication can be cut while clients go on.
type RedisReplicated struct {
	master   *Redis
	replicas []*Redis
	links    []*faultproxy.Proxy
}

// Master returns the server that was started as master, whatever it is now.
func (r *RedisReplicated) Master() *Redis { return r.master }

// Replicas returns the servers that were started as replicas; the slice is the caller's.
func (r *RedisReplicated) Replicas() []*Redis { return append([]*Redis(nil), r.replicas...) }

// Addrs returns the addresses of all servers for clients, the master's first.
func (r *RedisReplicated) Addrs() []string {
	addrs := []string{r.master.Addr()}
	for _, s := range r.replicas {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// StartRedisReplicated starts a master and n replicas, and returns when the master counts all of them. The options are those
// of StartRedis for every server: Name is continued with a number, and Dir must be empty.
func StartRedisReplicated(ctx context.Context, n int, o *RedisOptions) (*RedisReplicated, error) {
	if o == nil {
		o = &RedisOptions{}
	}
	if n < 1 || o.Dir != "" || o.ReplicaOf != "" {
		return nil, errors.New("start redis with replicas: at least one, without Dir and ReplicaOf")
	}
	own := *o
	own.Name = cmp.Or(o.Name, "redis") + "-0"
	master, err := StartRedis(ctx, &own)
	if err != nil {
		return nil, err
	}
	r := &RedisReplicated{master: master}
	for i := range n {
		link, err := faultproxy.New(master.Addr())
		if err != nil {
			return nil, errors.Join(err, r.Stop())
		}
		r.links = append(r.links, link)
		own.Name = cmp.Or(o.Name, "redis") + "-" + strconv.Itoa(i+1)
		own.ReplicaOf = link.Addr()
		replica, err := StartRedis(ctx, &own)
		if err != nil {
			return nil, errors.Join(err, r.Stop())
		}
		r.replicas = append(r.replicas, replica)
	}
	if err := r.AwaitLinked(ctx); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// AwaitLinked waits until the master counts all replicas, with acknowledgements that are new.
func (r *RedisReplicated) AwaitLinked(ctx context.Context) error {
	for {
		good := 0
		for i := range r.replicas {
			line, err := r.master.Info(ctx, "slave"+strconv.Itoa(i))
			if err != nil {
				return err
			}
			if online(line) {
				good++
			}
		}
		if good == len(r.replicas) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d replicas, %d are there: %w", len(r.replicas), good, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// CutReplication breaks the link of every replica, or heals it.
func (r *RedisReplicated) CutReplication(cut bool) {
	for _, l := range r.links {
		if cut {
			l.Refuse()
		} else {
			l.Pass()
		}
	}
}

// SilenceReplication makes the links carry nothing while nobody is told, until CutReplication: the master takes its
// replicas for present until their lag is too long.
func (r *RedisReplicated) SilenceReplication() {
	for _, l := range r.links {
		l.Blackhole()
	}
}

// Stop stops all servers.
func (r *RedisReplicated) Stop() error {
	errs := []error{r.master.Stop()}
	for _, s := range r.replicas {
		errs = append(errs, s.Stop())
	}
	for _, l := range r.links {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// online reads "ip=...,port=...,state=online,offset=...,lag=0".
func online(line string) bool {
	return strings.Contains(line, "state=online") && strings.Contains(line, ",lag=0")
}
