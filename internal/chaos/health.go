package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// health waits, with every fault over, until everything is as it should be, and complains about what is not in time.
func (r *run) health(ctx context.Context, healed time.Time) error {
	checks := []struct {
		what string
		ok   func(context.Context) error
	}{
		{"processes", r.processesServe}, {"moves", r.movesEnded}, {"old copies", r.retired}, {"store", r.storeWell},
		{"indices", r.nothingLeft}, {"writes", r.writesFlow}, {"table and clusters", r.cured},
	}
	from := healed // when everything before was well
	for _, c := range checks {
		for {
			err := c.ok(ctx)
			if err == nil {
				r.say("%s: well %.1fs after the last fault", c.what, time.Since(healed).Seconds())
				from = time.Now()
				break
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if time.Since(from) > recovery {
				r.complain("%s are not well %v after the last fault: %v", c.what, time.Since(healed).Round(time.Second), err)
				from = time.Now()
				break
			}
			sleep(ctx, time.Second)
		}
	}
	return nil
}

func (r *run) processesServe(ctx context.Context) error {
	for _, p := range r.fleet.Processes() {
		if err := p.Ready(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// movesEnded asks for all moves that there ever were.
func (r *run) movesEnded(ctx context.Context) error {
	all, err := r.fleet.Moves(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !m.Finished() {
			return fmt.Errorf("move %s is still %s: %s", m.ID, m.Stage, m.Raw)
		}
	}
	return nil
}

// retired has the old copies removed that are still there. A controller that was killed while it read one has left a point in
// time open, which would keep it for minutes more: OpenSearch's clock is not what is tested here. All moves have ended, so
// nobody else reads by one.
func (r *run) retired(ctx context.Context) error {
	all, err := r.fleet.Moves(ctx)
	if err != nil {
		return err
	}
	var left []error
	for _, m := range all {
		if m.Stage == "flipped" || m.Stage == "retiring" {
			_, err = r.fleet.Run(ctx, nil, "moves", "retire", m.ID)
			left = append(left, fmt.Errorf("move %s is %s: %s", m.ID, m.Stage, m.Raw), err)
		}
	}
	if len(left) > 0 {
		for _, c := range r.engines.Clusters {
			_, err = request(ctx, http.MethodDelete, c.URL()+"/_search/point_in_time/_all", "")
			left = append(left, err)
		}
	}
	return errors.Join(left...)
}

// storeWell has sluice examine its store.
func (r *run) storeWell(ctx context.Context) error {
	out, err := r.fleet.Run(ctx, nil, "doctor", "store", "-o", "json")
	if err != nil {
		return err
	}
	var seen struct {
		Table struct{ Tenants, Migrating, Corrupt, Processes int }
	}
	if err := json.Unmarshal(out, &seen); err != nil {
		return err
	}
	want := seen.Table
	want.Tenants, want.Migrating, want.Corrupt, want.Processes = len(r.movers), 0, 0, len(r.fleet.Processes())
	if seen.Table != want {
		return fmt.Errorf("the table has %+v, and should have %+v", seen.Table, want)
	}
	return nil
}

// nothingLeft compares the indices of the clusters with what the tenants have: an aborted or retired copy is gone.
func (r *run) nothingLeft(ctx context.Context) error {
	var want, have []string
	for _, m := range r.movers {
		out, err := m.command(ctx, "tenant", "show", m.tenant, "-o", "json")
		if err != nil {
			return err
		}
		var at struct {
			Placement struct{ Cluster, Index string }
		}
		if err := json.Unmarshal(out, &at); err != nil {
			return err
		}
		want = append(want, at.Placement.Cluster+"/"+at.Placement.Index)
	}
	for i, c := range r.engines.Clusters {
		out, err := request(ctx, "GET", c.URL()+"/_cat/indices?format=json&h=index&expand_wildcards=all", "")
		if err != nil {
			return err
		}
		var all []struct{ Index string }
		if err := json.Unmarshal(out, &all); err != nil {
			return err
		}
		for _, x := range all {
			if !strings.HasPrefix(x.Index, ".") {
				have = append(have, clusterNames[i]+"/"+x.Index)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		return fmt.Errorf("the clusters have %v, and the tenants %v", have, want)
	}
	return nil
}

// writesFlow writes for each tenant through each proxy.
func (r *run) writesFlow(context.Context) error {
	for _, c := range r.clients {
		o := newOne(c, -2)
		for _, url := range c.urls {
			if err := o.probe(url); err != nil {
				return fmt.Errorf("tenant %s through %s: %w", c.tenant, url, err)
			}
		}
		o.http.CloseIdleConnections()
	}
	before := r.ledger.Counts().Acknowledged
	time.Sleep(time.Second)
	if r.ledger.Counts().Acknowledged == before {
		return fmt.Errorf("no write of tenant %s was acknowledged for a second", ledgerTenant)
	}
	return nil
}
