package engines

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// OpenSearchOptions says what node to start. The zero value starts the 2.x version in a temporary directory.
type OpenSearchOptions struct {
	Version string // OpenSearch2 or OpenSearch3; empty is OpenSearch2
	Name    string // of the node and the cluster; empty is "opensearch"
	Dir     string // for data, logs and snapshots; empty is a temporary one that Stop removes
	HeapMB  int    // the JVM's largest heap in MiB; 0 is 512, 256 is enough for small indices
	// Processors are the only ones that the node may use, as taskset(1) names them, for example "2,3"; empty is all.
	Processors string
	Settings   map[string]string // settings of the node; they replace the defaults of this package, but not ports and paths
	Progress   io.Writer         // gets lines of text about downloads and builds; nil discards them
}

// OpenSearch is a cluster of one OpenSearch node on loopback.
type OpenSearch struct {
	*Process
	version   string
	classPath string
	java      string // the program
}

// Version returns the version of OpenSearch, for example "2.19.6".
func (o *OpenSearch) Version() string { return o.version }

// SnapshotDir returns the directory in which file system snapshot repositories may be registered, unless the setting
// path.repo was given.
func (o *OpenSearch) SnapshotDir() string { return filepath.Join(o.dir, "repo") }

// Keystore returns the command line of opensearch-keystore for this node, as the script of that name in a distribution has
// it: arguments follow. Of the versions here only OpenSearch3S3 has the tool. There is no keystore before "create".
func (o *OpenSearch) Keystore() []string {
	return []string{
		o.java, "-cp", o.classPath, "-XX:TieredStopAtLevel=1", "-Dopensearch.path.home=" + o.dir,
		"-Dopensearch.path.conf=" + filepath.Join(o.dir, "config"), "org.opensearch.tools.cli.keystore.KeyStoreCli",
	}
}

// StartOpenSearch starts a node and returns when its cluster health is at least yellow. The first start of a version
// prepares it (see PrepareOpenSearch); later ones take some seconds. The context bounds the start only: the node runs until
// Stop, or until this process ends. The error is a *MissingError when something has to be installed and a *StartError,
// with the last lines of the log, when the node did not come up.
func StartOpenSearch(ctx context.Context, o *OpenSearchOptions) (*OpenSearch, error) {
	if o == nil {
		o = &OpenSearchOptions{}
	}
	for _, key := range []string{"http.port", "transport.port", "path.home", "path.data", "path.logs"} {
		if _, ok := o.Settings[key]; ok {
			return nil, fmt.Errorf("start opensearch: setting %s is not for the caller to give", key)
		}
	}
	b, err := prepare(ctx, cmp.Or(o.Version, OpenSearch2), o.Progress)
	if err != nil {
		return nil, err
	}
	return startBuild(ctx, b, o, "-XX:SharedArchiveFile="+b.archive())
}

// startBuild starts a node from jars that are there, with one more flag for the JVM.
func startBuild(ctx context.Context, b *build, o *OpenSearchOptions, flag string) (*OpenSearch, error) {
	node, err := newOpenSearch(b, o)
	if err != nil {
		return nil, err
	}
	err = node.launch(ctx, openSearchPorts, func(ports []int) { node.setCommand(b, o, flag, ports) })
	if err != nil {
		return nil, err
	}
	return node, nil
}

// openSearchPorts is the number of ports of a node: clients, other nodes.
const openSearchPorts = 2

// newOpenSearch returns a node without ports and command.
func newOpenSearch(b *build, o *OpenSearchOptions) (*OpenSearch, error) {
	dir, temporary, err := directory(o.Dir, "opensearch", "config", "data", "repo", "tmp")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", b.engine, err)
	}
	node := &OpenSearch{version: b.version, java: b.java.tool("java"), Process: &Process{
		engine: b.engine, name: cmp.Or(o.Name, "opensearch"), dir: dir, temporary: temporary,
		startLim: 3 * time.Minute, stopLim: 20 * time.Second,
	}}
	if node.classPath, err = b.classPath(); err != nil {
		return nil, err
	}
	node.ready = node.healthy
	return node, nil
}

func (o *OpenSearch) setCommand(b *build, opt *OpenSearchOptions, flag string, ports []int) {
	args := slices.Concat(jvmFlags(opt, o.dir), b.flags, []string{flag, "-cp", o.classPath, "SluiceNode"},
		nodeSettings(opt, o.name, o.dir, ports[0], ports[1]))
	o.url = "http://" + loopback(ports[0])
	program := []string{o.java}
	if opt.Processors != "" {
		program = []string{"taskset", "-c", opt.Processors, o.java} // which becomes java
	}
	args = slices.Concat(program, args)
	o.command = func() *exec.Cmd { return exec.Command(args[0], args[1:]...) }
}

func jvmFlags(o *OpenSearchOptions, dir string) []string {
	return []string{
		fmt.Sprintf("-Xmx%dm", cmp.Or(o.HeapMB, 512)),
		"-XX:+UseSerialGC", // least memory, and no pause that matters with a heap this small
		"-XX:TieredStopAtLevel=1",
		"-XX:+ExitOnOutOfMemoryError",
		"-XX:-UsePerfData",
		"-XX:ErrorFile=" + filepath.Join(dir, "logs", "jvm-crash.log"),
		"-Djava.io.tmpdir=" + filepath.Join(dir, "tmp"), // native libraries are unpacked there; a kill leaves them behind
		"-Djava.awt.headless=true",
		"-Dlog4j.shutdownHookEnabled=false",
		"-Dlog4j2.disable.jmx=true",
	}
}

// nodeSettings returns the node's settings as "key=value", sorted.
func nodeSettings(o *OpenSearchOptions, name, dir string, httpPort, transportPort int) []string {
	s := map[string]string{
		"cluster.name":             name,
		"node.name":                name,
		"discovery.type":           "single-node",
		"network.host":             "127.0.0.1",
		"path.repo":                filepath.Join(dir, "repo"),
		"reindex.remote.allowlist": "127.0.0.1:*",
		// The disk of a developer's machine is often nearly full, and an engine that then refuses writes helps nobody.
		"cluster.routing.allocation.disk.threshold_enabled": "false",
	}
	if _, ok := o.Settings["discovery.seed_hosts"]; ok {
		delete(s, "discovery.type") // it is one of several
	}
	maps.Copy(s, o.Settings)
	maps.Copy(s, map[string]string{
		"http.port":      fmt.Sprint(httpPort),
		"transport.port": fmt.Sprint(transportPort),
		"path.home":      dir,
		"path.data":      filepath.Join(dir, "data"),
		"path.logs":      filepath.Join(dir, "logs"),
	})
	args := make([]string, 0, len(s))
	for k, v := range s {
		args = append(args, k+"="+v)
	}
	slices.Sort(args)
	return args
}

// healthy asks once whether every primary shard is there.
func (o *OpenSearch) healthy(ctx context.Context) error {
	url := o.url + "/_cluster/health?wait_for_status=yellow&timeout=2s"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return succeed(req)
}

// succeed sends a request, on a connection of its own so that none is left open, and demands a status of 2xx.
func succeed(req *http.Request) error {
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, body)
	}
	return nil
}
