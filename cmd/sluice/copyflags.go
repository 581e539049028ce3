package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// sizeFlag is a flag that takes a number of bytes such as 10GiB.
type sizeFlag struct{ n *int64 }

func (f sizeFlag) String() string {
	if f.n == nil || *f.n == 0 {
		return ""
	}
	return fmt.Sprint(*f.n)
}

func (f sizeFlag) Type() string { return "size" }

func (f sizeFlag) Set(text string) error {
	n, ok := config.ParseSize(text)
	if !ok || n <= 0 {
		return &placement.InvalidError{Field: "--snapshot-above", Value: text, Fix: "must be a size such as 512MiB or 10GiB"}
	}
	*f.n = n
	return nil
}

// copyFlags are the flags that say how to copy.
func copyFlags(c *cobra.Command, o *mover.CopyOptions) {
	f := c.Flags()
	f.StringVar((*string)(&o.Method), "copy", "", "how to copy: scan, snapshot, or auto for a snapshot if the source is large and it is possible (default scan)")
	f.StringVar(&o.Repository, "repository", "", "snapshot repository of --copy snapshot or auto: registered under this name on both clusters, the same place, at the target read-only")
	f.Var(sizeFlag{&o.SnapshotAbove}, "snapshot-above", "with --copy auto, take a snapshot of a source that is larger than this (default "+size(mover.DefaultSnapshotAbove)+")")
	var names []string
	for _, m := range mover.CopyMethods {
		names = append(names, string(m))
	}
	_ = c.RegisterFlagCompletionFunc("copy", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

// seeded is how far a step of a copy by snapshot is.
func seeded(p control.Progress) []string {
	text := fmt.Sprintf("%s %s / %s", p.Step, size(p.Bytes), size(p.TotalBytes))
	if p.TotalBytes > 0 {
		text += fmt.Sprintf(" (%d %%)", 100*p.Bytes/p.TotalBytes)
	}
	out := []string{text}
	if p.ETA > 0 {
		out = append(out, "ETA "+clock(p.ETA))
	}
	return out
}
