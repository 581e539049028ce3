package mover_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// Why no move fences its source for a moment instead of waiting out the drain of
// a proxy that vanished: a write block ends what OpenSearch has begun, and
// refuses what comes while it stands. What was on its way all the time is
// applied once it is lifted.
func TestLiftedBlockIsNoProof(t *testing.T) {
	for _, v := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(v, func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, v)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL(), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			body := `{"n":1,"of":"a proxy that is slow, or was stopped while it sent"}`
			if _, err := fmt.Fprintf(conn, "PUT /%s/_doc/late HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", r.a, len(body), body[:10]); err != nil {
				t.Fatal(err)
			}
			r.call(r.src, "PUT", "/"+r.a+"/_block/write", "", "", nil)
			if code := r.try(r.src, "PUT", "/"+r.a+"/_doc/other", `{"n":1}`); code != http.StatusForbidden {
				t.Fatalf("a write to the blocked index: %d", code)
			}
			r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.blocks.write":null}`, nil)
			if r.get(r.src, r.a, "late", "").Found {
				t.Fatal("half a body was applied")
			}
			if _, err := conn.Write([]byte(body[10:])); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusCreated || !r.get(r.src, r.a, "late", "").Found {
				t.Errorf("the late write was answered %d: then a fence that is lifted would be a proof, and a drain could be cut short by one", resp.StatusCode)
			}
		})
	}
}
