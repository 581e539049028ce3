package mover_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// What the settings of a repository tell of its place, for every type that OpenSearch has,
// on two clusters that are not one.
func TestRepositoriesThatCannotBeOnePlace(t *testing.T) {
	type registered struct{ kind, settings string }
	const some, whole = `{"snapshots":[]}`, `{"snapshots":[{"snapshot":"nightly","uuid":"u1","state":"SUCCESS"}]}`
	for name, tt := range map[string]struct {
		a, b     registered
		holds    string // what both see there
		refused  string // empty: it may be one place
		warnings int
	}{
		"s3, one place":                      {registered{"s3", `"bucket":"x","base_path":"p"`}, registered{"s3", `"bucket":"x","base_path":"p","readonly":"true"`}, some, "", 1},
		"s3, two endpoints of one bucket":    {registered{"s3", `"bucket":"x","client":"inside"`}, registered{"s3", `"bucket":"x","client":"outside","readonly":true`}, some, "", 1},
		"s3, another bucket":                 {registered{"s3", `"bucket":"x"`}, registered{"s3", `"bucket":"y"`}, some, `bucket "x" and "y"`, 0},
		"s3, another path":                   {registered{"s3", `"bucket":"x","base_path":"p"`}, registered{"s3", `"bucket":"x"`}, some, `base_path "p" and ""`, 0},
		"s3, a slash":                        {registered{"s3", `"bucket":"x","base_path":"p/"`}, registered{"s3", `"bucket":"x","base_path":"p","readonly":"true"`}, some, "", 1},
		"s3, two names, and a snapshot":      {registered{"s3", `"bucket":"x"`}, registered{"s3", `"bucket":"x-alias-s3alias","readonly":"true"`}, whole, "", 0},
		"s3, the target may write":           {registered{"s3", `"bucket":"x"`}, registered{"s3", `"bucket":"x"`}, whole, "", 1},
		"s3, the source may not":             {registered{"s3", `"bucket":"x","readonly":"true"`}, registered{"s3", `"bucket":"x"`}, some, "it is read-only on a", 0},
		"azure, another container":           {registered{"azure", `"container":"x"`}, registered{"azure", `"container":"y"`}, some, `container "x" and "y"`, 0},
		"azure, one place":                   {registered{"azure", `"container":"x","client":"a"`}, registered{"azure", `"container":"x","client":"b","readonly":"true"`}, some, "", 1},
		"gcs, another path":                  {registered{"gcs", `"bucket":"x","base_path":"p"`}, registered{"gcs", `"bucket":"x","base_path":"q"`}, some, `base_path "p" and "q"`, 0},
		"hdfs, another server":               {registered{"hdfs", `"uri":"hdfs://a:8020/","path":"p"`}, registered{"hdfs", `"uri":"hdfs://b:8020/","path":"p"`}, some, `uri "hdfs://a:8020" and "hdfs://b:8020"`, 0},
		"file systems, mounted under two":    {registered{"fs", `"location":"/mnt/a"`}, registered{"fs", `"location":"/mnt/b","readonly":"true"`}, some, "", 1},
		"two types":                          {registered{"fs", `"location":"/mnt"`}, registered{"s3", `"bucket":"x"`}, some, `type "fs" and "s3"`, 0},
		"read over HTTP":                     {registered{"fs", `"location":"/mnt"`}, registered{"url", `"url":"https://files/"`}, some, "", 1},
		"of a type that nobody here has met": {registered{"swift", `"container":"x"`}, registered{"swift", `"container":"y","readonly":"true"`}, some, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := func(name string, r registered) *upstream.Client {
				c, err := upstream.New(placement.Cluster{Name: name, Endpoints: []string{"http://x"}}, &upstream.Options{Transport: answered{
					"/":            fmt.Sprintf(`{"cluster_uuid":%q,"version":{"distribution":"opensearch","number":"2.19.6"}}`, name),
					"/other":       `{}`,
					"/docs":        `{"docs":{"aliases":{},"mappings":{},"settings":{"index.uuid":"u","index.number_of_shards":"1","index.version.created":"136408427"}}}`,
					"/_snapshot/r": fmt.Sprintf(`{"r":{"type":%q,"settings":{%s}}}`, r.kind, r.settings), "/_snapshot/r/_verify": `{}`, "/_snapshot/r/_all": tt.holds,
					"/docs/_stats/store": `{}`, "/docs/_count": `{"count":1}`, "/_nodes/data:true/stats/fs": `{"nodes":{"n":{"fs":{"total":{"available_in_bytes":1000}}}}}`,
					"/_index_template/_simulate_index/other": `{}`,
				}})
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			m, err := mover.New(mover.Spec{Move: "m", Partition: "t",
				From: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "docs", Logical: "docs"},
				To:   placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "other", Logical: "docs"},
			}, cluster("a", tt.a), cluster("b", tt.b), &mover.Options{Copy: mover.CopyOptions{Method: mover.CopySnapshot, Repository: "r"}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Choose(t.Context())
			if tt.refused == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			var refused *mover.RefusedError
			if tt.refused != "" && (!errors.As(err, &refused) || refused.Code != mover.CodeRepository || !strings.Contains(err.Error(), tt.refused)) {
				t.Errorf("%v, want %q", err, tt.refused)
			}
			rep, err := m.Precheck(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			warnings := 0
			for _, c := range rep.Checks {
				if c.Name == "repository" && c.Verdict == mover.Warn {
					warnings++
				}
			}
			if rep.Failed() != (tt.refused != "") || warnings != tt.warnings {
				t.Errorf("%d warnings, want %d: %+v", warnings, tt.warnings, rep.Checks)
			}
		})
	}
}

func TestSnapshotMove(t *testing.T) {
	for name, want := range map[string]string{
		"sluice-m1-2-1": "m1", "sluice-m1-x-2-1": "m1-x", "sluice-m1-4294967295-1": "m1",
		"sluice-m1-2-1-x": "", "sluice-m1-2": "", "sluice-2-1": "", "sluice--2-1": "", "sluice-m1-2-": "", "sluice-m1--1": "", "sluice-m1-4294967296-1": "", "nightly-m1-2-1": "", "": "",
	} {
		if got, ok := mover.SnapshotMove(name); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t, want %q", name, got, ok, want)
		}
	}
	if mover.OwnSnapshot("m1", nil) || mover.OwnSnapshot("m1", map[string]any{"taken_by": "me"}) || !mover.OwnSnapshot("m1", map[string]any{"taken_by": "sluice move m1, which deletes it"}) {
		t.Error("whose a snapshot is")
	}
}
