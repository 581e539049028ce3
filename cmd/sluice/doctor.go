package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/doctor"
	"github.com/sluiceproxy/sluice/store/driver"
)

// doctorView is the examination as JSON.
type doctorView struct {
	Store string     `json:"store"`
	Table *tableView `json:"table,omitempty"`
	*doctor.Report
}

type tableView struct {
	State     store.TableState `json:"state"`
	Base      placement.Epoch  `json:"base"`
	Tenants   int              `json:"tenants"`
	Migrating int              `json:"migrating"`
	Corrupt   int              `json:"corrupt"`
	Processes int              `json:"processes"`
}

func doctorStoreCommand() *cobra.Command {
	var slow bool
	var examine func(*cobra.Command, []string) error
	c := &cobra.Command{
		Use:   "store",
		Short: "Say of each guarantee that Sluice needs whether the configured store keeps it",
		Long: fmt.Sprintf(`Say of each guarantee that Sluice needs whether the configured store keeps it:

  holds    seen live just now, or shown by the driver's tests against real servers, or
           for the reason that is given
  weak     it can fail in some circumstance: why, what could happen, and what to set
  unknown  the store gave no answer
  broken   it was seen to fail: do not use this store

The probes work in a space of their own, which they clean up; the table is only read. It
is safe on a store that is in use.

Exit code %d when everything holds, %d when something is weak, %d when something is
broken, %d when something could not be examined.`, exitOK, exitWeak, exitBroken, exitUnavailable),
		Example: `  sluice doctor store
  sluice doctor store --slow                # waits for a session to end, too
  sluice doctor store --store.kind redis --store.redis.addresses redis-1:6379 -o json`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, a []string) error {
			if _, err := storeConfig(c); err != nil {
				return err // no store was asked
			}
			err := examine(c, a)
			switch exitCode(err) {
			case exitRefused, exitLost: // the driver does not open a store that is set up like this, or was replaced
				return &verdictError{exitBroken, "broken: " + err.Error()}
			}
			return err
		},
	}
	examine = onDriver(false, func(c *cobra.Command, cfg *config.Config, d dialed, _ []string) error {
		o := &doctor.Options{Slow: slow, SessionTTL: cfg.Proxy.SessionTTL}
		// Another client, as another process would be. The member inside this very
		// process has a listener, too.
		if other, err := dial(c.Context(), cfg, nil); err == nil {
			defer func() { _ = other.Close() }()
			o.Other = other
		}
		v := doctorView{Store: storeWhere(cfg.Store)}
		var err error
		if v.Table, err = readTable(c.Context(), d); err != nil {
			return err
		}
		v.Report, err = doctor.Examine(c.Context(), d, o)
		if v.Report == nil {
			return err
		}
		if forPrograms(c) {
			if werr := writeValue(c, v); werr != nil {
				return werr
			}
		} else if werr := v.write(c.OutOrStdout()); werr != nil {
			return werr
		}
		if err != nil {
			return &unreachableError{What: "the store does not tell its weaknesses", Err: err}
		}
		return v.verdict()
	})
	c.Flags().BoolVar(&slow, "slow", false, "also wait for a session to end by itself: up to three times proxy.session_ttl")
	storeFlags(c)
	config.AddFlags(c.Flags(), "proxy.session_ttl")
	outputFlag(c)
	return c
}

// readTable looks at the table without a change.
func readTable(ctx context.Context, d driver.Driver) (*tableView, error) {
	bound, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	t, err := store.ReadTable(bound, d)
	if err != nil {
		return nil, err
	}
	v := &tableView{State: t.State, Base: t.Base}
	if _, err := d.List(ctx, store.SpaceEntries, func(kv driver.KV) bool {
		v.Tenants++
		if e, err := store.DecodeEntry(kv); err != nil {
			v.Corrupt++
		} else if e.State.Migrating() {
			v.Migrating++
		}
		return true
	}); err != nil {
		return nil, &unreachableError{What: "list the tenants", Err: err}
	}
	if _, err := d.List(ctx, store.SpaceSessions, func(driver.KV) bool { v.Processes++; return true }); err != nil {
		return nil, &unreachableError{What: "list the processes", Err: err}
	}
	return v, nil
}

// verdictError is a store that is not as it should be; the report has said so.
type verdictError struct {
	code int
	msg  string
}

func (e *verdictError) Error() string { return e.msg }

func (e *verdictError) ErrorCode() string {
	switch e.code {
	case exitBroken:
		return "doctor_broken"
	case exitUnavailable:
		return "doctor_unknown"
	}
	return "doctor_weak"
}

func (v doctorView) verdict() error {
	n := 0
	for _, f := range v.Findings {
		if f.Verdict == v.Worst {
			n++
		}
	}
	switch {
	case v.Worst == doctor.Broken:
		return &verdictError{exitBroken, fmt.Sprintf("%d guarantee(s) are broken: do not use this store", n)}
	case v.Worst == doctor.Unknown:
		return &verdictError{exitUnavailable, fmt.Sprintf("%d guarantee(s) could not be examined", n)}
	case v.Worst == doctor.Weak:
		return &verdictError{exitWeak, fmt.Sprintf("%d guarantee(s) are weak", n)}
	}
	return nil
}

func (v doctorView) write(w io.Writer) error {
	var b strings.Builder
	server := strings.TrimSpace(v.Server.Engine + " " + v.Server.Version)
	if server != "" {
		server = " (" + server + ")"
	}
	fmt.Fprintf(&b, "store    %s%s\n", v.Store, server)
	var settings []string
	for name, value := range v.Server.Settings {
		settings = append(settings, name+" "+value)
	}
	if slices.Sort(settings); len(settings) > 0 {
		fmt.Fprintf(&b, "settings %s\n", strings.Join(settings, ", "))
	}
	fmt.Fprintf(&b, "table    %s, %d tenants, %d of them moving, %d unreadable; %d processes; epochs go on from %d\n",
		v.Table.State, v.Table.Tenants, v.Table.Migrating, v.Table.Corrupt, v.Table.Processes, v.Table.Base)
	l := v.Latency
	fmt.Fprintf(&b, "latency  write %s, get %s", l.Write.Round(time.Microsecond), l.Get.Round(time.Microsecond))
	if l.Head > 0 {
		fmt.Fprintf(&b, ", head %s", l.Head.Round(time.Microsecond))
	}
	fmt.Fprintf(&b, ", watch %s\n\n", l.Watch.Round(time.Microsecond))
	for _, f := range v.Findings {
		how := "by the driver's tests"
		if f.Probed {
			how = "probed"
		} else if f.Reason != "" {
			how = "no test can show it; " + f.Reason
		}
		if f.Verdict != doctor.Holds {
			how = f.Statement
		}
		fmt.Fprintf(&b, "%-8s %s: %s\n", f.Verdict, f.Guarantee, how)
		for _, line := range [][2]string{{"why", f.Why}, {"could", f.Risk}, {"set", f.Remedy}} {
			if line[1] != "" {
				fmt.Fprintf(&b, "         %-6s %s\n", line[0], printable(line[1]))
			}
		}
	}
	for _, name := range v.Left {
		fmt.Fprintf(&b, "\nnot removed: %s in the space %s\n", printable(name), doctor.Space)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
