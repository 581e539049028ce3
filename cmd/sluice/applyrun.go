package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
	"github.com/sluiceproxy/sluice/placement"
)

// presentFleet reads a fleet in the order that fleetfile.Present asks for. A record that
// cannot be decoded is an error: it may be in anybody's way.
func presentFleet(ctx context.Context, f *fleet) (p fleetfile.Present, err error) {
	p.Waves = map[string]control.WaveState{}
	waves, unreadable, err := every[control.Wave](func(cursor *string) (*http.Response, error) {
		return f.ListWaves(ctx, &client.ListWavesParams{Limit: pageLimit, Cursor: cursor})
	})
	if err = errors.Join(append(unreadable, err)...); err != nil {
		return p, err
	}
	for _, w := range waves {
		if w.State.Ended() {
			continue
		}
		p.Waves[w.ID] = w.State
		items, unreadable, err := every[control.WaveItem](func(cursor *string) (*http.Response, error) {
			return f.ListWaveItems(ctx, w.ID, &client.ListWaveItemsParams{Limit: pageLimit, Cursor: cursor})
		})
		if err = errors.Join(append(unreadable, err)...); err != nil {
			return p, err
		}
		p.Items = append(p.Items, items...)
	}
	p.Moves, unreadable, err = every[control.Move](func(cursor *string) (*http.Response, error) {
		return f.ListMoves(ctx, &client.ListMovesParams{Active: new(true), Limit: pageLimit, Cursor: cursor})
	})
	if err = errors.Join(append(unreadable, err)...); err != nil {
		return p, err
	}
	p.Clusters, unreadable, err = every[placement.Cluster](func(cursor *string) (*http.Response, error) {
		return f.ListClusters(ctx, &client.ListClustersParams{Limit: pageLimit, Cursor: cursor})
	})
	if err = errors.Join(append(unreadable, err)...); err != nil {
		return p, err
	}
	p.Tenants, unreadable, err = every[control.TenantView](func(cursor *string) (*http.Response, error) {
		return f.ListTenants(ctx, &client.ListTenantsParams{Limit: pageLimit, Cursor: cursor})
	})
	return p, errors.Join(append(unreadable, err)...)
}

// applying makes the changes of a plan.
type applying struct {
	f     *fleet
	flags *applyFlags
	plan  *fleetfile.Plan
	c     *cobra.Command
	made  int
}

// all makes every change: moves after what is new, and removals last. Each may be
// repeated, so whoever is interrupted applies the same files again.
func (a *applying) all(ctx context.Context) error {
	for _, k := range a.plan.Changes { // what is out of date is refused before anything is changed
		if k.Epoch != 0 {
			if err := a.unchanged(ctx, k); err != nil {
				return err
			}
		}
	}
	var moves []*fleetfile.Change
	for _, late := range []bool{false, true} {
		for i := range a.plan.Changes {
			k := &a.plan.Changes[i]
			if k.Action == fleetfile.MoveTenant {
				if !late {
					moves = append(moves, k)
				}
				continue
			}
			if (k.Action == fleetfile.RemoveTenant) != late {
				continue
			}
			if err := a.one(ctx, k); err != nil {
				return a.interrupted(err)
			}
		}
		if late || len(moves) == 0 {
			continue
		}
		if err := a.moves(ctx, moves); err != nil {
			return a.interrupted(err)
		}
		warnWithoutController(a.c, a.f)
	}
	return nil
}

// interrupted says how to go on.
func (a *applying) interrupted(err error) error {
	if a.made == 0 {
		return err
	}
	return fmt.Errorf("%w; %d of %d changes were made before that, and applying the same again makes the rest", err, a.made, len(a.plan.Changes))
}

// outdated is a tenant that is another one than was compared.
func outdated(name, how string) error {
	return refused("tenant %q %s since it was compared; apply again to see the new difference", name, how)
}

// unchanged refuses a tenant that is another one than was compared.
func (a *applying) unchanged(ctx context.Context, k fleetfile.Change) error {
	v, err := client.Read[control.TenantView](a.f.GetTenant(ctx, k.Name, nil))
	switch {
	case isCode(err, api.CodeUnknownTenant):
		return outdated(k.Name, "was removed")
	case err != nil:
		return err
	case v.Epoch != k.Epoch:
		return outdated(k.Name, fmt.Sprintf("has changed (epoch %d, now %d)", k.Epoch, v.Epoch))
	}
	return nil
}

// asCompared is the precondition that the tenant is as it was compared.
func asCompared(k *fleetfile.Change) *string {
	return new(strconv.Quote(strconv.FormatUint(uint64(k.Epoch), 10)))
}

// one makes a change that is no move.
func (a *applying) one(ctx context.Context, k *fleetfile.Change) error {
	var err error
	switch k.Action {
	case fleetfile.AddCluster, fleetfile.ChangeCluster:
		if _, err = putCluster(a.c, a.f, *k.Cluster, a.flags.noCheck, k.Action == fleetfile.ChangeCluster); err == nil && k.Cluster.HasSecret() && credentials.InClear(k.Cluster.Endpoints) {
			fmt.Fprintf(a.c.ErrOrStderr(), "warning: the credentials of cluster %s cross the network in the clear: an endpoint begins with http://\n", k.Name)
		}
	case fleetfile.AddTenant:
		body := as[client.AddTenantInputBody](k.To)
		body.Tenant = k.Name
		if _, err = client.Read[control.TenantView](a.f.AddTenant(ctx, nil, body)); err == nil && len(k.Set) > 0 {
			err = a.label(ctx, k)
		}
	case fleetfile.LabelTenant:
		err = a.label(ctx, k)
	case fleetfile.RemoveTenant:
		if _, err = client.Read[client.Removed](a.f.RemoveTenant(ctx, k.Name, &client.RemoveTenantParams{IfMatch: asCompared(k)})); isCode(err, api.CodePrecondition) {
			err = outdated(k.Name, "has changed")
		}
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", strings.Split(string(k.Action), "_")[1], k.Name, err)
	}
	a.did(k, "")
	return nil
}

// label changes labels. They are no part of the entry, so no epoch is asked for.
func (a *applying) label(ctx context.Context, k *fleetfile.Change) error {
	body := client.LabelTenantInputBody{Set: (*map[string]string)(&k.Set), Remove: &k.Remove}
	if len(k.Set) == 0 {
		body.Set = nil
	}
	if len(k.Remove) == 0 {
		body.Remove = nil
	}
	_, err := client.Read[control.Labels](a.f.LabelTenant(ctx, k.Name, nil, body))
	return err
}

// did tells of a change that was made.
func (a *applying) did(k *fleetfile.Change, more string) {
	a.made++
	if !forPrograms(a.c) {
		x := actions[k.Action]
		fmt.Fprintf(a.c.OutOrStdout(), "%s %s %s%s\n", x.what, printable(k.Name), x.done, more)
	}
}

// moves asks for the moves: those with the same options as a wave, one alone by itself.
func (a *applying) moves(ctx context.Context, moves []*fleetfile.Change) error {
	var groups []string
	of := map[string][]*fleetfile.Change{}
	for _, k := range moves {
		given, err := json.Marshal(k.Options)
		if err != nil {
			return err
		}
		if of[string(given)] == nil {
			groups = append(groups, string(given))
		}
		of[string(given)] = append(of[string(given)], k)
	}
	for _, g := range groups {
		all := of[g]
		o, err := declaredOptions(all[0].Options)
		if err != nil {
			return err
		}
		if len(all) == 1 && len(a.flags.hours) == 0 {
			err = a.move(ctx, all[0], o)
		} else {
			err = a.wave(ctx, all, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// declaredOptions are options for a request: those that are given, also as 0 or false, and
// no others. Both have the names of control.MoveOptions.
func declaredOptions(m *fleetfile.Move) (*client.GivenOptions, error) {
	if m == nil {
		return nil, nil
	}
	o, err := m.Over(control.MoveOptions{})
	if err != nil {
		return nil, err
	}
	given, all := as[map[string]json.RawMessage](m), as[map[string]json.RawMessage](o)
	for name := range all {
		if _, there := given[name]; !there {
			delete(all, name)
		}
	}
	return new(as[client.GivenOptions](all)), nil
}

func (a *applying) move(ctx context.Context, k *fleetfile.Change, o *client.GivenOptions) error {
	body := client.MoveRequest{Tenant: k.Name, To: k.To.Cluster, Kind: (*client.MoveRequestKind)(given(string(k.To.Kind))), Index: given(k.To.Index), PartitionField: given(k.To.PartitionField), Options: o}
	m, err := client.Read[control.Move](a.f.RequestMove(ctx, &client.RequestMoveParams{IfMatch: asCompared(k)}, body))
	switch {
	case isCode(err, api.CodePrecondition):
		return outdated(k.Name, "has changed")
	case err != nil:
		return fmt.Errorf("tenant %q: %w", k.Name, err)
	}
	k.Move = m.ID
	a.did(k, fmt.Sprintf(" to %s: move %s", m.To, m.ID))
	return nil
}

func (a *applying) wave(ctx context.Context, all []*fleetfile.Change, o *client.GivenOptions) error {
	var items []client.WaveItemRequest
	for _, k := range all {
		if err := a.unchanged(ctx, *k); err != nil { // the changes before it took their time
			return err
		}
		items = append(items, client.WaveItemRequest{Tenant: k.Name, To: k.To.Cluster, Kind: (*client.WaveItemRequestKind)(given(string(k.To.Kind))), Index: given(k.To.Index), PartitionField: given(k.To.PartitionField)})
	}
	plan := "apply " + strings.Join(a.flags.files, " ")
	body := client.RequestWaveInputBody{Plan: new(plan[:min(len(plan), 256)]), Items: &items, Options: o}
	if a.flags.limits != (control.WaveLimits{}) {
		body.Limits = new(givenLimits(a.flags.limits))
	}
	if len(a.flags.hours) > 0 {
		body.Windows = new(as[[]client.GivenWindow](a.flags.hours))
	}
	w, err := client.Read[control.Wave](a.f.RequestWave(ctx, nil, body))
	if err != nil {
		return fmt.Errorf("%d moves: %w", len(all), err)
	}
	for _, k := range all {
		k.Wave = w.ID
		a.did(k, fmt.Sprintf(" to %s: wave %s", k.To, w.ID))
	}
	return nil
}

// watch watches what was asked for, and what was under way before, until it has ended.
func (a *applying) watch() error {
	var errs []error
	seen := map[string]bool{}
	look := func(move, wave string) {
		switch {
		case wave != "" && !seen[wave]:
			seen[wave] = true
			errs = append(errs, watchWave(a.c, a.f, wave))
		case wave == "" && move != "" && !seen[move]:
			seen[move] = true
			errs = append(errs, watchMove(a.c, a.f, move))
		}
	}
	for _, u := range a.plan.UnderWay {
		look(u.Move, u.Wave)
	}
	for _, k := range a.plan.Changes {
		look(k.Move, k.Wave)
	}
	return errors.Join(errs...)
}
