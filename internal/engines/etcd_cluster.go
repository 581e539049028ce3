package engines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// EtcdCluster is several etcd members that form one cluster. Each can be killed, paused and started again by itself.
type EtcdCluster struct {
	members []*Etcd
}

// Members returns the members; the slice is the caller's.
func (c *EtcdCluster) Members() []*Etcd { return append([]*Etcd(nil), c.members...) }

// URLs returns the addresses of all members for clients, whether they run or not.
func (c *EtcdCluster) URLs() []string {
	urls := make([]string, len(c.members))
	for i, m := range c.members {
		urls[i] = m.URL()
	}
	return urls
}

// StartEtcdCluster starts n members on loopback and returns when each of them serves. The options are those of StartEtcd for
// every member: Name and Dir are continued with a number, "etcd-1" and so on; nil is allowed. A Dir must not hold an earlier
// cluster: its members would look for each other on the ports of then. Other errors are as with StartEtcd.
func StartEtcdCluster(ctx context.Context, n int, o *EtcdOptions) (*EtcdCluster, error) {
	if n < 1 {
		return nil, fmt.Errorf("start an etcd cluster of %d members", n)
	}
	if o == nil {
		o = &EtcdOptions{}
	}
	const attempts = 4
	for attempt := 1; ; attempt++ {
		c, err := startCluster(ctx, n, o)
		// A member cannot change its port alone: the others were told of it. So all of them start again, which is only
		// possible as long as there are no data to keep.
		if err == nil || attempt == attempts || !collided(err) || o.Dir != "" {
			return c, err
		}
	}
}

func startCluster(ctx context.Context, n int, o *EtcdOptions) (*EtcdCluster, error) {
	ports, err := pickPorts(n * etcdPorts)
	if err != nil {
		return nil, err
	}
	c := &EtcdCluster{}
	options := make([]*EtcdOptions, n)
	var initial []string
	for i := range n {
		own := *o
		own.Name = fmt.Sprintf("%s-%d", cmp.Or(o.Name, "etcd"), i+1)
		if o.Dir != "" {
			own.Dir = filepath.Join(o.Dir, own.Name)
			if exists(filepath.Join(own.Dir, "data", "member")) {
				return nil, errors.Join(fmt.Errorf("start an etcd cluster: %s holds an earlier one", own.Dir), c.Stop())
			}
		}
		m, err := newEtcd(ctx, &own)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		m.setPorts(ports[i*etcdPorts:(i+1)*etcdPorts], &own)
		options[i] = &own
		c.members = append(c.members, m)
		initial = append(initial, m.name+"="+m.peerURL)
	}
	for i, m := range c.members {
		m.setCommand(options[i], strings.Join(initial, ","))
	}
	// Members wait for each other: when one fails, the rest must not wait any longer, and its error is the one to tell.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err = c.each(func(m *Etcd) error {
		err := m.Restart(ctx)
		if err != nil {
			cancel(err) // of several calls the first counts
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(context.Cause(ctx), c.Stop())
	}
	return c, nil
}

// Restart starts all members that do not run, at the same time: a member is ready only when a majority is there, so that one
// after the other would wait for ever. Members that run are left alone.
func (c *EtcdCluster) Restart(ctx context.Context) error {
	return c.each(func(m *Etcd) error {
		if m.PID() != 0 {
			return nil
		}
		return m.Restart(ctx)
	})
}

// Stop stops all members at the same time, as Process.Stop does.
func (c *EtcdCluster) Stop() error {
	return c.each(func(m *Etcd) error { return m.Stop() })
}

func (c *EtcdCluster) each(f func(*Etcd) error) error {
	errs := make([]error, len(c.members))
	var wg sync.WaitGroup
	for i, m := range c.members {
		wg.Go(func() { errs[i] = f(m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Leader returns the member that leads the cluster. It asks again until one says so or the context ends. Members that do not
// answer within half a second are passed over.
func (c *EtcdCluster) Leader(ctx context.Context) (*Etcd, error) {
	for {
		var found *Etcd
		var mu sync.Mutex
		err := c.each(func(m *Etcd) error {
			ask, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
			defer cancel()
			leads, err := m.Leads(ask)
			if leads {
				mu.Lock()
				found = m
				mu.Unlock()
			}
			return err
		})
		if found != nil {
			return found, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("find the leader: %w", context.Cause(ctx)), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
