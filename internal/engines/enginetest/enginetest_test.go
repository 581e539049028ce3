package enginetest_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// verdict is a test that takes note of how it ended.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper()                     {}
func (v *verdict) Skipf(f string, args ...any) { v.end("skip: " + fmt.Sprintf(f, args...)) }
func (v *verdict) Fatal(args ...any)           { v.end("fail: " + fmt.Sprint(args...)) }

func (v *verdict) end(s string) {
	v.said = s
	panic(v) // like the real ones, it does not return
}

func demand(err error) (said string) {
	v := &verdict{}
	defer func() {
		if recover() != nil {
			said = v.said
		}
	}()
	enginetest.Demand(v, err)
	return "ran"
}

func TestSkipOrFail(t *testing.T) {
	missing := fmt.Errorf("wrapped: %w", &engines.MissingError{Engine: "e", What: "a tool", Install: "apt-get install tool"})
	for _, test := range []struct {
		ci   string
		err  error
		want string
	}{
		{"", nil, "ran"},
		{"true", nil, "ran"},
		{"", missing, "skip: "},
		{"true", missing, "fail: "},
		{"", errors.New("broken"), "fail: "},
		{"true", errors.New("broken"), "fail: "},
	} {
		t.Setenv("CI", test.ci)
		got := demand(test.err)
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("CI=%q, %v: %q, want %q", test.ci, test.err, got, test.want)
		}
		if errors.Is(test.err, missing) && !strings.Contains(got, "apt-get install tool") {
			t.Errorf("CI=%q: %q does not say what to install", test.ci, got)
		}
	}
}

func TestSharedEnginesAreReusedAndMended(t *testing.T) {
	node := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	member := enginetest.SharedEtcd(t)
	nodePID, memberPID := node.PID(), member.PID()
	if err := node.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := member.Kill(); err != nil {
		t.Fatal(err)
	}
	t.Run("next test", func(t *testing.T) {
		if again := enginetest.SharedOpenSearch(t, engines.OpenSearch2); again != node || again.PID() != nodePID {
			t.Error("another OpenSearch")
		}
		if again := enginetest.SharedEtcd(t); again != member || again.PID() == 0 || again.PID() == memberPID {
			t.Error("etcd was not started again")
		}
		resp, err := http.Get(node.URL())
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v", resp.Status, err)
		}
	})
}

func TestAnEngineEndsWithItsTest(t *testing.T) {
	var member *engines.Etcd
	var cluster *engines.EtcdCluster
	t.Run("test", func(t *testing.T) {
		member = enginetest.Etcd(t)
		cluster = enginetest.EtcdCluster(t, 3)
	})
	for _, m := range append(cluster.Members(), member) {
		if pid := m.PID(); pid != 0 {
			t.Errorf("%s still runs as %d", m.Name(), pid)
		}
		if _, err := os.Stat(m.Dir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", m.Dir(), err)
		}
	}
}
