package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// clustersCommand returns `sluice demo clusters`.
func clustersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clusters",
		Short: "Start two OpenSearch clusters on this machine, to try Sluice on; they end with this command",
		Long: `Start two OpenSearch clusters of one node each on this machine, to try Sluice on. It prints
their addresses and runs until it is interrupted; what they hold is gone then. It needs a
JDK and Maven. The first run downloads about 75 MB.`,
		Example: "  sluice demo clusters",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runClusters(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
}

// runClusters starts the clusters, prints them, and stops them when ctx ends.
func runClusters(ctx context.Context, out, progress io.Writer) error {
	var nodes [2]*engines.OpenSearch
	var errs [2]error
	each := func(do func(i int)) {
		var wg sync.WaitGroup
		for i := range nodes {
			wg.Go(func() { do(i) })
		}
		wg.Wait()
	}
	shared := &lockedWriter{w: progress}
	each(func(i int) {
		nodes[i], errs[i] = engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Name: names[i], Progress: shared})
	})
	err := errors.Join(errs[:]...)
	if err == nil {
		for i, n := range nodes {
			if _, e := fmt.Fprintf(out, "%s  %s  OpenSearch %s\n", names[i], n.URL(), n.Version()); err == nil {
				err = e
			}
		}
	}
	if err == nil {
		_, err = fmt.Fprintln(out, "they run until this is interrupted")
	}
	if err == nil {
		<-ctx.Done()
	}
	each(func(i int) {
		errs[i] = nil
		if nodes[i] != nil {
			errs[i] = nodes[i].Stop()
		}
	})
	if ctx.Err() != nil {
		err = nil // told to stop, also while they started
	}
	return errors.Join(append(errs[:], err)...)
}
