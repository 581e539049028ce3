package proxy_test

import (
	"errors"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// A cluster that nobody has told the directory of yet is read when it is asked for.
func TestDirectoryReadsWhatItDoesNotKnow(t *testing.T) {
	s := store.New(memstore.New(nil), nil)
	d := proxy.NewDirectory(s, nil) // and it is not run: it hears of nothing
	if _, err := d.Cluster("late"); !errors.Is(err, proxy.ErrUnknownCluster) {
		t.Errorf("a cluster that is not there: %v", err)
	}
	if _, err := s.Clusters().Put(t.Context(), "late", placement.Cluster{Name: "late", Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
		t.Fatal(err)
	}
	c, err := d.Cluster("late")
	if err != nil || c.Name() != "late" {
		t.Fatalf("%v, %v", c, err)
	}
	defer c.Close()
	if again, err := d.Cluster("late"); again != c || err != nil {
		t.Errorf("another client: %v", err)
	}
}
