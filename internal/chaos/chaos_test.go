package chaos_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/chaos"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

var (
	lasts = flag.Duration("chaos.for", 4*time.Minute, "how long things go wrong")
	seed  = flag.Uint64("chaos.seed", uint64(time.Now().Unix()), "what goes wrong, and when; another one each time")
	into  = flag.String("chaos.receipt", "", "file for the receipt, as JSON")
	keep  = flag.String("chaos.dir", "", "directory for configuration and logs, which are kept; default a temporary one")
)

// TestChaos breaks everything for four minutes, or as long as -chaos.for says. It prints what it does as it does it, because
// whoever waits for so long wants to see something.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which process has opened a connection, which the test needs to cut single pairs off")
	}
	network := chaos.NewNetwork()
	t.Cleanup(func() { // after the engines have stopped
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	e := chaos.Engines{
		Network: network, Etcd: enginetest.EtcdClusterWith(t, chaos.Members, &engines.EtcdOptions{AdvertisePeer: network.AdvertisePeer}),
	}
	for i := range e.Clusters {
		e.Clusters[i] = enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{
			Version: engines.OpenSearch2, Name: []string{"a", "b"}[i], HeapMB: 384,
			Settings: map[string]string{"action.auto_create_index": "false"},
		})
	}
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	receipt, err := chaos.Run(t.Context(), enginetest.Sluice(t), dir, e, chaos.Options{Seed: *seed, For: *lasts}, os.Stdout)
	if receipt != nil {
		if err := receipt.Write(os.Stdout); err != nil {
			t.Error(err)
		}
		b, err := json.MarshalIndent(receipt, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if *into != "" {
			if err := os.WriteFile(*into, append(b, '\n'), 0o644); err != nil {
				t.Error(err)
			}
		}
		for _, a := range receipt.Anomalies {
			t.Error(a)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if t.Failed() {
		showLogs(t, dir)
		fmt.Printf("again: go test ./internal/chaos -run TestChaos -timeout 0 -v -chaos.seed=%d -chaos.for=%v\n", *seed, *lasts)
	}
}

// showLogs puts the end of every process's log into the test's.
func showLogs(t *testing.T, dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			t.Logf("%s:\n%s", filepath.Base(file), b[max(0, len(b)-4000):])
		}
	}
}
