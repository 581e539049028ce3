package engines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// EtcdCluster is several etcd members that form one cluster. Each can be killed, paused and started again by itself.
type EtcdCluster struct {
	cluster[*Etcd]
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
		c, err := startEtcdCluster(ctx, n, o)
		// A member cannot change its port alone: the others were told of it. So all of them start again, which is only
		// possible as long as there are no data to keep.
		if err == nil || attempt == attempts || !collided(err) || o.Dir != "" {
			return c, err
		}
	}
}

func startEtcdCluster(ctx context.Context, n int, o *EtcdOptions) (*EtcdCluster, error) {
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
		if o.AdvertisePeer != nil {
			at, err := o.AdvertisePeer(m.name, strings.TrimPrefix(m.peers, "http://"))
			if err != nil {
				return nil, errors.Join(err, c.Stop())
			}
			m.peerURL = "http://" + at
		}
		options[i] = &own
		c.members = append(c.members, m)
		initial = append(initial, m.name+"="+m.peerURL)
	}
	for i, m := range c.members {
		m.setCommand(options[i], strings.Join(initial, ","))
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}
