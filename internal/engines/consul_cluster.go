package engines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// ConsulCluster is several Consul servers that form one datacenter. Each can be killed, paused and started again by itself.
type ConsulCluster struct {
	cluster[*Consul]
}

// StartConsulCluster starts n servers on loopback and returns when each of them serves. The options are those of StartConsul
// for every server: Name and Dir are continued with a number, "consul-1" and so on; nil is allowed. A Dir must not hold an
// earlier cluster: its servers would look for each other on the ports of then. Other errors are as with StartConsul.
func StartConsulCluster(ctx context.Context, n int, o *ConsulOptions) (*ConsulCluster, error) {
	if n < 1 {
		return nil, fmt.Errorf("start a consul cluster of %d servers", n)
	}
	if o == nil {
		o = &ConsulOptions{}
	}
	const attempts = 4
	for attempt := 1; ; attempt++ {
		c, err := startConsulCluster(ctx, n, o)
		// As with etcd: the others were told of a server's port, so all of them start again.
		if err == nil || attempt == attempts || !collided(err) || o.Dir != "" {
			return c, err
		}
	}
}

func startConsulCluster(ctx context.Context, n int, o *ConsulOptions) (*ConsulCluster, error) {
	ports, err := pickPorts(n * consulPorts)
	if err != nil {
		return nil, err
	}
	c := &ConsulCluster{}
	options := make([]*ConsulOptions, n)
	var gossip []string
	for i := range n {
		own := *o
		own.Name = fmt.Sprintf("%s-%d", cmp.Or(o.Name, "consul"), i+1)
		if o.Dir != "" {
			own.Dir = filepath.Join(o.Dir, own.Name)
			if exists(filepath.Join(own.Dir, "data", "raft")) {
				return nil, errors.Join(fmt.Errorf("start a consul cluster: %s holds an earlier one", own.Dir), c.Stop())
			}
		}
		m, err := newConsul(ctx, &own)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		m.setPorts(ports[i*consulPorts:(i+1)*consulPorts], &own)
		options[i] = &own
		c.members = append(c.members, m)
		gossip = append(gossip, m.serf)
	}
	for i, m := range c.members {
		if err := m.configure(ports[i*consulPorts:(i+1)*consulPorts], options[i], n, gossip); err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}
