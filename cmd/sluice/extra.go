package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func extraCommands() []*cobra.Command                                             { return nil }
func clusterUnusedByMoves(ctx context.Context, s *store.Store, name string) error { return nil }
func tenantUnusedByMoves(ctx context.Context, s *store.Store, id placement.PartitionID) error {
	return nil
}
func isControlRefusal(error) bool { return false }
func isUnreachable(error) bool    { return false }
