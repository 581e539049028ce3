package engines

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// makeArchive has a node write down the classes it loaded, in a form later ones map into memory: a start then takes half
// the time on an idle machine and a sixth on a busy one. The archive holds the paths of the jars, so it can only be made
// when they are in their place.
func (b *build) makeArchive(ctx context.Context, say reporter) error {
	say("starting it once to archive its classes")
	part := b.archive() + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	o, err := startBuild(ctx, b, &OpenSearchOptions{Name: "archive"}, "-XX:ArchiveClassesAtExit="+part)
	if err != nil {
		return err
	}
	err = o.exercise(ctx)
	o.stopLim = 2 * time.Minute // writing the archive is part of its end
	if stopErr := o.Stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return fmt.Errorf("archive classes: %w", err)
	}
	if err := os.Rename(part, b.archive()); err != nil {
		return fmt.Errorf("archive classes: the JVM wrote none: %w", err)
	}
	say("ready")
	return nil
}

// exercise sends a few requests of each common kind, so that the classes behind them are in the archive as well.
func (o *OpenSearch) exercise(ctx context.Context) error {
	const index = "/exercise"
	for _, r := range []struct{ method, path, body string }{
		{"PUT", index, `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}}}`},
		{"POST", index + "/_bulk?refresh=true", `{"index":{"_id":"1"}}` + "\n" + `{"k":"a","t":"some text","n":1}` + "\n"},
		{"PUT", index + "/_doc/2?refresh=true", `{"k":"b","t":"other text","n":2}`},
		{"GET", index + "/_doc/2", ""},
		{"POST", index + "/_search", `{"query":{"bool":{"must":[{"match":{"t":"text"}}],"filter":[{"term":{"k":"a"}}]}},` +
			`"sort":[{"n":"asc"}],"aggs":{"k":{"terms":{"field":"k"}}}}`},
		{"POST", index + "/_update/2", `{"script":{"source":"ctx._source.n += 1"}}`},
		{"POST", index + "/_update_by_query?conflicts=proceed&refresh=true", ""},
		{"GET", "/_cat/indices", ""},
		{"GET", index + "/_stats?level=shards", ""},
		{"DELETE", index, ""},
	} {
		req, err := http.NewRequestWithContext(ctx, r.method, o.URL()+r.path, bytes.NewBufferString(r.body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		if err := succeed(req); err != nil {
			return err
		}
	}
	return nil
}
