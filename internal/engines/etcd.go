package engines

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// EtcdOptions says what etcd to start. The zero value starts one member in a temporary directory.
type EtcdOptions struct {
	Name      string    // of the member; empty is "etcd"
	Dir       string    // for data and logs; empty is a temporary one that Stop removes
	ExtraArgs []string  // flags after the ones of this package, which they replace, for example "--cert-file=server.pem"
	Env       []string  // "KEY=value", on top of this process's environment without its ETCD_ variables
	Progress  io.Writer // gets lines of text about the build; nil discards them
	// AdvertisePeer returns the address, host:port, at which the other members of a cluster are told to reach one, given its
	// name and where it listens for them; nil is the latter. It may be called for a name again, when a port was taken.
	AdvertisePeer func(member, listens string) (string, error)
}

// Etcd is one etcd member on loopback, as a process of its own. Writes are synced to disk as in production.
type Etcd struct {
	*Process
	version string
	program string // path
	peers   string // base URL where it listens for other members
	peerURL string // where they are told to reach it
	metrics string // base URL of the plain HTTP listener for health and metrics, whatever clients must use
}

// Version returns the version of etcd, for example "3.7.3".
func (e *Etcd) Version() string { return e.version }

// PeerURL returns the address that other members use.
func (e *Etcd) PeerURL() string { return e.peerURL }

// StartEtcd starts a cluster of one member and returns when it takes writes. The first start builds the program (see
// PrepareEtcd); later ones take a second at most. With --cert-file or --auto-tls among ExtraArgs its URL is https. The
// context bounds the start only. The error is a *MissingError when the program cannot be built here and a *StartError, with
// the last lines of the log, when the member did not come up.
func StartEtcd(ctx context.Context, o *EtcdOptions) (*Etcd, error) {
	if o == nil {
		o = &EtcdOptions{}
	}
	e, err := newEtcd(ctx, o)
	if err != nil {
		return nil, err
	}
	err = e.launch(ctx, etcdPorts, func(ports []int) {
		e.setPorts(ports, o)
		e.setCommand(o, e.name+"="+e.peerURL)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// etcdPorts is the number of ports of a member: clients, peers, metrics.
const etcdPorts = 3

// newEtcd returns a member without ports and command. The program comes from the cache.
func newEtcd(ctx context.Context, o *EtcdOptions) (*Etcd, error) {
	program, version, err := prepareEtcd(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	dir, temporary, err := directory(o.Dir, "etcd", "data")
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	e := &Etcd{program: program, version: version, Process: &Process{
		engine: "etcd " + version, name: cmp.Or(o.Name, "etcd"), dir: dir, temporary: temporary,
		startLim: time.Minute, stopLim: 15 * time.Second,
	}}
	if temporary {
		e.stopLim = 2 * time.Second // etcd waits for its clients to leave, and nobody will miss the data
	}
	e.ready = e.healthy
	return e, nil
}

func (e *Etcd) setPorts(ports []int, o *EtcdOptions) {
	scheme := "http://"
	if slices.ContainsFunc(o.ExtraArgs, func(arg string) bool {
		arg = strings.TrimLeft(arg, "-")
		return strings.HasPrefix(arg, "cert-file") || strings.HasPrefix(arg, "auto-tls")
	}) {
		scheme = "https://"
	}
	e.url = scheme + loopback(ports[0])
	e.peers = "http://" + loopback(ports[1])
	e.peerURL = e.peers
	e.metrics = "http://" + loopback(ports[2])
}

// setCommand fixes the command line. The cluster is the list of all members, "name=peer URL" each.
func (e *Etcd) setCommand(o *EtcdOptions, cluster string) {
	args := append([]string{
		"--name=" + e.name,
		"--data-dir=" + filepath.Join(e.dir, "data"),
		"--listen-client-urls=" + e.url,
		"--advertise-client-urls=" + e.url,
		"--listen-peer-urls=" + e.peers,
		"--initial-advertise-peer-urls=" + e.peerURL,
		"--initial-cluster=" + cluster,
		"--listen-metrics-urls=" + e.metrics,
		"--log-level=info",
	}, o.ExtraArgs...)
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "ETCD_") })
	env = append(env, o.Env...)
	e.command = func() *exec.Cmd {
		cmd := exec.Command(e.program, args...)
		cmd.Env = env
		return cmd
	}
}

// healthy asks once whether the member has a leader and can read through it.
func (e *Etcd) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.metrics+"/health", nil)
	if err != nil {
		return err
	}
	return succeed(req)
}

// Leads asks the member whether it believes to be its cluster's leader.
func (e *Etcd) Leads(ctx context.Context) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.metrics+"/metrics", nil)
	if err != nil {
		return false, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask etcd member %s whether it leads: %w", e.name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "etcd_server_is_leader "); ok {
			return value == "1", nil
		}
	}
	return false, fmt.Errorf("ask etcd member %s whether it leads: status %s without an answer", e.name, resp.Status)
}
