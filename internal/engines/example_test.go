//go:build unix

package engines_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/sluiceproxy/sluice/internal/engines"
)

func ExampleStartOpenSearch() {
	ctx := context.Background()
	node, err := engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{
		Version:  engines.OpenSearch3,
		Name:     "blue",
		Progress: os.Stderr,
	})
	if err != nil {
		fmt.Println(err) // says what to install, or quotes the node's log
		return
	}
	defer func() { _ = node.Stop() }()

	resp, err := http.Get(node.URL() + "/_cat/indices")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()

	_ = node.Kill() // a power cut
	if err := node.Restart(ctx); err != nil {
		fmt.Println(err)
	}
}
