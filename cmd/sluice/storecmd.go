package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/store/transfer"
)

func storeCommand() *cobra.Command {
	return group("store", "Move the placement table from one store to another", `  sluice store export --close table.jsonl
  sluice store import table.jsonl --config redis.yaml
  sluice doctor store`, storeExportCommand(), storeImportCommand(), storeReopenCommand())
}

// openDriver connects to the configured store without looking at the table's
// state. When the store is embedded and no process runs the member, this one does
// for the time of the command; create also where there is no data yet.
func openDriver(ctx context.Context, cfg *config.Config, create bool) (dialed, error) {
	if !cfg.Store.Embedded() {
		return dial(ctx, cfg, nil)
	}
	dir := cfg.Store.Etcd.Embedded.DataDir
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && !create {
		d, err := dial(ctx, cfg, nil) // a process with another directory may serve it
		if err == nil {
			return d, nil
		}
		return nil, &unreachableError{What: fmt.Sprintf("there is no table yet: nothing is in %s, which the first `sluice serve` makes, and nobody serves one at %s", dir, cfg.Store.Etcd.Embedded.ClientURL), Err: err}
	}
	m, err := startEmbedded(ctx, cfg, nil)
	if err == nil {
		return member{m.Store(), m.Close}, nil
	}
	// Another process has the directory or the address: it runs the member.
	var inv *placement.InvalidError
	if !errors.As(err, &inv) {
		return nil, err
	}
	d, derr := dial(ctx, cfg, nil)
	if derr != nil {
		return nil, errors.Join(err, derr)
	}
	return d, nil
}

// member is a driver whose end is the end of its etcd. It has the driver itself in it,
// so that nothing of what that can do is hidden.
type member struct {
	*etcdstore.Store
	close func() error
}

func (m member) Close() error { return m.close() }

// onDriver is a RunE that has the driver open.
func onDriver(create bool, run func(*cobra.Command, *config.Config, dialed, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, a []string) (err error) {
		cfg, err := storeConfig(c)
		if err != nil {
			return err
		}
		d, err := openDriver(c.Context(), cfg, create)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		return run(c, cfg, d, a)
	}
}

func storeExportCommand() *cobra.Command {
	var closing bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the table to a file, as lines of JSON; FILE or standard output",
		Long: `Write the table to a file: tenants, clusters, records of moves, and the processes whose end
is not accounted for. Not the sessions of running processes.

With --close the table is closed first: no process opens it any more, so what was
exported is the last word, and it can be imported into another store. It is refused
while processes have a session. sluice store reopen takes it back.

Without --close the file is a backup. Importing it elsewhere while this table is
served would make two fleets that each move tenants without the other's knowledge, so
an import wants to be told that this store is gone.`,
		Example: `  sluice store export --close table.jsonl
  sluice store export > backup.jsonl
  sluice store export --store.kind redis --store.redis.addresses redis-1:6379 backup.jsonl`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: onDriver(false, func(c *cobra.Command, cfg *config.Config, d dialed, a []string) error {
			out, file := io.Writer(c.OutOrStdout()), ""
			commit := func() error { return nil }
			if len(a) == 1 && a[0] != "-" {
				file = a[0]
				f, err := newFile(file)
				if err != nil {
					return err
				}
				defer f.discard()
				out, commit = f, f.commit
			}
			res, err := exportTable(c.Context(), d, out, &transfer.ExportOptions{Close: closing, Build: build(), Store: storeWhere(cfg.Store)}, wait)
			if err == nil {
				err = commit()
			}
			if err != nil {
				return err
			}
			say := c.ErrOrStderr()
			if file == "" {
				file = "standard output"
			}
			fmt.Fprintf(say, "exported %d records, %d of them tenants, from %s to %s\n", res.Records, res.Entries, res.Store, file)
			if res.Migrating > 0 {
				fmt.Fprintf(say, "%d of the tenants are moving: an import takes them with --allow-migrating only\n", res.Migrating)
			}
			if res.Closed {
				fmt.Fprintln(say, "the table is closed: import the file, or take it back with `sluice store reopen`")
			} else if res.Sessions > 0 {
				fmt.Fprintf(say, "%d process(es) serve the table: this is a backup, see --close\n", res.Sessions)
			}
			return nil
		}),
	}
	c.Flags().BoolVar(&closing, "close", false, "close the table, so that it can be imported elsewhere; refused while processes serve it")
	c.Flags().DurationVar(&wait, "wait", 0, "with --close: wait this long for sessions of killed processes to lapse")
	storeFlags(c)
	return c
}

// exportTable exports, and waits for the sessions of processes that are gone.
func exportTable(ctx context.Context, d dialed, out io.Writer, o *transfer.ExportOptions, wait time.Duration) (*transfer.ExportResult, error) {
	bound, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		res, err := transfer.Export(ctx, d, out, o)
		var serving *transfer.ServingError
		if !errors.As(err, &serving) {
			return res, err
		}
		// Nothing was written yet. Each try closes the table for a moment, in which a
		// process that starts is refused.
		select {
		case <-time.After(time.Second):
		case <-bound.Done():
			return nil, err
		}
	}
}

func storeImportCommand() *cobra.Command {
	var o transfer.ImportOptions
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring an exported table into the configured store",
		Long: `Bring a table that sluice store export wrote into the configured store. All of the file is
checked before anything is changed.

Epochs do not go back: the store's own count may begin at 1, so the table records what
to add to it, and every epoch is above those of the source.

It is refused while processes serve the target, and when the source was not closed:
two fleets on two tables each move a tenant without the other's knowledge, and writes
are lost. An import that is interrupted leaves a table that nothing serves; the same
command again goes on where it stopped.`,
		Example: `  sluice store import table.jsonl --store.kind consul --store.consul.addresses http://127.0.0.1:8500
  sluice store import backup.jsonl --source-gone --replace`,
		Args: args(cobra.ExactArgs(1)),
		RunE: onDriver(true, func(c *cobra.Command, cfg *config.Config, d dialed, a []string) error {
			f, err := os.Open(a[0])
			if err != nil {
				return &usageError{err}
			}
			defer f.Close()
			if o.Progress = nil; !forPrograms(c) {
				o.Progress = func(done, all int) { fmt.Fprintf(c.ErrOrStderr(), "%d of %d records\n", done, all) }
			}
			res, err := transfer.Import(c.Context(), d, f, &o)
			if err != nil {
				return err
			}
			if forPrograms(c) {
				return writeValue(c, res)
			}
			if res.Already {
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s was imported into %s already; nothing was done\n", a[0], storeWhere(cfg.Store))
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "imported %d records into %s: %d written, %d there already, %d others removed; epochs go on from %d\n",
				res.Records, storeWhere(cfg.Store), res.Written, res.Records-res.Written, res.Removed, res.Base)
			return err
		}),
	}
	c.Flags().BoolVar(&o.Replace, "replace", false, "remove what the target holds and the file does not")
	c.Flags().BoolVar(&o.AllowMigrating, "allow-migrating", false, "take tenants that are moving; a controller resumes their moves")
	c.Flags().BoolVar(&o.SourceGone, "source-gone", false, "the source was not closed, and will never be served again")
	storeFlags(c)
	outputFlag(c)
	return c
}

func storeReopenCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reopen",
		Short: "Take a table back that was closed by an export",
		Long: `Take a table back that was closed by sluice store export --close. Do so only if nothing
serves the table that was imported elsewhere.`,
		Example: "  sluice store reopen",
		Args:    args(cobra.NoArgs),
		RunE: onDriver(false, func(c *cobra.Command, cfg *config.Config, d dialed, _ []string) error {
			was, err := transfer.Reopen(c.Context(), d)
			if err != nil {
				return err
			}
			text := "the table at %s is open again\n"
			if !was {
				text = "the table at %s was not closed; nothing was done\n"
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), text, storeWhere(cfg.Store))
			return err
		}),
	}
	storeFlags(c)
	return c
}

// newFile returns a file that appears under its name when it is complete and on
// disk.
func newFile(name string) (*atomicFile, error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return &atomicFile{f, name}, nil
}

type atomicFile struct {
	*os.File
	name string
}

func (f *atomicFile) commit() error {
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.File.Name(), f.name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	return nil
}

// discard does nothing after commit.
func (f *atomicFile) discard() {
	_ = f.Close()
	_ = os.Remove(f.File.Name())
}
