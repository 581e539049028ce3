package engines

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ConsulOptions says what Consul to start. The zero value starts one server in a temporary directory.
type ConsulOptions struct {
	Name string // of the node; empty is "consul"
	Dir  string // for data and logs; empty is a temporary one that Stop removes

	// Token switches access control on, with everything denied that is not allowed: it is the token that may do everything,
	// with which others are made. Empty: everybody may do everything.
	Token string
	// CertFile and KeyFile, in PEM form, make clients' URLs https. With CAFile clients must show a certificate that it signed.
	CertFile, KeyFile, CAFile string

	Settings map[string]any // of Consul's configuration, in place of the ones of this package with the same name
	Progress io.Writer      // gets lines of text about the build; nil discards them
}

// Consul is one Consul server on loopback, as a process of its own, with its data synced to disk as in production.
type Consul struct {
	*Process
	program string // path
	raft    string // address for other servers
	serf    string // address of the gossip
	plain   string // base URL without TLS, for this package
	token   string
}

// Version returns the version of Consul, for example "1.14.11".
func (c *Consul) Version() string { return consulVersion }

// StartConsul starts a datacenter of one server and returns when it takes writes. The first start builds the program (see
// PrepareConsul); later ones take some seconds. The context bounds the start only. The error is a *MissingError when the
// program cannot be built here and a *StartError, with the last lines of the log, when the server did not come up.
func StartConsul(ctx context.Context, o *ConsulOptions) (*Consul, error) {
	if o == nil {
		o = &ConsulOptions{}
	}
	c, err := newConsul(ctx, o)
	if err != nil {
		return nil, err
	}
	var configured error
	err = c.launch(ctx, consulPorts, func(ports []int) {
		c.setPorts(ports, o)
		configured = c.configure(ports, o, 1, nil)
	})
	if configured != nil {
		err = configured
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// consulPorts is the number of ports of a server: HTTP, HTTPS, servers, gossip.
const consulPorts = 4

// newConsul returns a server without ports and command. The program comes from the cache.
func newConsul(ctx context.Context, o *ConsulOptions) (*Consul, error) {
	program, err := prepareConsul(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	dir, temporary, err := directory(o.Dir, "consul", "data")
	if err != nil {
		return nil, fmt.Errorf("start consul: %w", err)
	}
	c := &Consul{program: program, token: o.Token, Process: &Process{
		engine: "consul " + consulVersion, name: cmp.Or(o.Name, "consul"), dir: dir, temporary: temporary,
		startLim: 2 * time.Minute, stopLim: 10 * time.Second,
	}}
	if temporary {
		c.stopLim = 2 * time.Second
	}
	c.ready = c.healthy
	return c, nil
}

func (c *Consul) setPorts(ports []int, o *ConsulOptions) {
	c.plain = "http://" + loopback(ports[0])
	c.url = c.plain
	if o.CertFile != "" {
		c.url = "https://" + loopback(ports[1])
	}
	c.raft, c.serf = loopback(ports[2]), loopback(ports[3])
}

// configure writes the server's configuration and fixes the command line. others are the gossip addresses to join.
func (c *Consul) configure(ports []int, o *ConsulOptions, servers int, others []string) error {
	httpsPort := -1
	if o.CertFile != "" {
		httpsPort = ports[1]
	}
	settings := map[string]any{
		"server": true, "bootstrap_expect": servers, "node_name": c.name, "data_dir": filepath.Join(c.dir, "data"),
		"bind_addr": "127.0.0.1", "advertise_addr": "127.0.0.1", "client_addr": "127.0.0.1",
		"ports": map[string]any{
			"http": ports[0], "https": httpsPort, "server": ports[2], "serf_lan": ports[3],
			"serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1,
		},
		"retry_join": others, "retry_interval": "1s", "rejoin_after_leave": true,
		"disable_update_check": true, "disable_host_node_id": true, "disable_remote_exec": true,
		"connect": map[string]any{"enabled": false}, "peering": map[string]any{"enabled": false},
		"ui_config": map[string]any{"enabled": false}, "telemetry": map[string]any{"disable_hostname": true},
		"performance": map[string]any{"raft_multiplier": 1}, // as Consul advises for production
		"log_level":   "INFO", "leave_on_terminate": false, "skip_leave_on_interrupt": true,
		// All clients are on one address here.
		"limits": map[string]any{"http_max_conns_per_client": 10_000},
	}
	if o.Token != "" {
		settings["acl"] = map[string]any{
			"enabled": true, "default_policy": "deny", "enable_token_persistence": true,
			"tokens": map[string]any{"initial_management": o.Token, "agent": o.Token},
		}
	}
	if o.CertFile != "" {
		settings["tls"] = map[string]any{"https": map[string]any{
			"cert_file": o.CertFile, "key_file": o.KeyFile, "ca_file": o.CAFile, "verify_incoming": o.CAFile != "",
		}}
	}
	maps.Copy(settings, o.Settings)
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return fmt.Errorf("start consul: settings: %w", err)
	}
	file := filepath.Join(c.dir, "consul.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("start consul: %w", err)
	}
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "CONSUL_") })
	c.command = func() *exec.Cmd {
		cmd := exec.Command(c.program, "agent", "-config-file="+file)
		cmd.Env = env
		return cmd
	}
	return nil
}

// healthy asks once whether there is a leader that can read, through this server. A key that is not there is an answer.
func (c *Consul) healthy(ctx context.Context) error {
	resp, err := c.get(ctx, "/v1/kv/ready?consistent")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotFound {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("status %s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return nil
}

func (c *Consul) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.plain+path, nil)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("X-Consul-Token", c.token)
	}
	req.Close = true
	return http.DefaultClient.Do(req)
}

// Leads asks the server whether it believes to be its datacenter's leader.
func (c *Consul) Leads(ctx context.Context) (bool, error) {
	resp, err := c.get(ctx, "/v1/status/leader")
	if err != nil {
		return false, fmt.Errorf("ask consul server %s whether it leads: %w", c.name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var leader string
	if err := json.NewDecoder(resp.Body).Decode(&leader); err != nil || resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("ask consul server %s whether it leads: status %s, %w", c.name, resp.Status, err)
	}
	return leader == c.raft, nil
}
