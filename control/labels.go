package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Labels are an operator's own words about a tenant, by key. Nothing in Sluice
// decides by them; lists and waves can be chosen by them.
type Labels map[string]string

// TenantLabels are the labels of all tenants that have some, by tenant.
func TenantLabels(s *store.Store) store.Records[Labels] {
	return store.RecordsOf[Labels](s, store.SpaceLabels)
}

const maxLabels = 32

var labelKey = regexp.MustCompile(`^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$`)

// Matches reports whether the tenant has all of some labels.
func (l Labels) Matches(want Labels) bool {
	for k, v := range want {
		if has, ok := l[k]; !ok || has != v {
			return false
		}
	}
	return true
}

// Sorted are the labels as key=value, in order.
func (l Labels) Sorted() []string {
	out := []string{}
	for _, k := range slices.Sorted(maps.Keys(l)) {
		out = append(out, k+"="+l[k])
	}
	return out
}

// Validate returns a *placement.InvalidError that names the label and the fix.
func (l Labels) Validate() error {
	if len(l) > maxLabels {
		return &placement.InvalidError{Field: "labels", Value: fmt.Sprint(len(l)), Fix: fmt.Sprintf("must be at most %d", maxLabels)}
	}
	for k, v := range l {
		if !labelKey.MatchString(k) {
			return &placement.InvalidError{Field: "label", Value: k, Fix: "must be 1 to 63 of a-z, 0-9, dot, dash, underscore and slash, and begin and end with a letter or a digit"}
		}
		if len(v) > 255 || !utf8.ValidString(v) {
			return &placement.InvalidError{Field: "label " + k, Value: v, Fix: "must be at most 255 bytes of UTF-8"}
		}
	}
	return nil
}

// ReadLabels are a tenant's labels; none is no error.
func ReadLabels(ctx context.Context, s *store.Store, id placement.PartitionID) (Labels, error) {
	r, err := TenantLabels(s).Get(ctx, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return Labels{}, nil
	}
	return r.Value, err
}

// ChangeLabels sets and removes labels of a tenant, by compare-and-swap. It returns
// what it has then.
func ChangeLabels(ctx context.Context, s *store.Store, id placement.PartitionID, set Labels, remove []string) (Labels, error) {
	if _, err := s.State(ctx, id); err != nil {
		return nil, err
	}
	for {
		r, err := TenantLabels(s).Get(ctx, string(id))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		next := Labels{}
		maps.Copy(next, r.Value)
		maps.Copy(next, set)
		for _, k := range remove {
			delete(next, k)
		}
		if err := next.Validate(); err != nil {
			return nil, err
		}
		if len(next) == 0 {
			if r.Version == 0 {
				return next, nil
			}
			err = TenantLabels(s).Delete(ctx, string(id), r.Version)
		} else {
			_, err = TenantLabels(s).Put(ctx, string(id), next, r.Version)
		}
		if err == nil || !errors.Is(err, store.ErrConflict) {
			return next, err
		}
	}
}

// AllLabels are the labels of all tenants that have some.
func AllLabels(ctx context.Context, s *store.Store) (map[placement.PartitionID]Labels, error) {
	all, _, err := TenantLabels(s).List(ctx)
	if err != nil {
		return nil, err
	}
	out := map[placement.PartitionID]Labels{}
	for _, r := range all {
		out[placement.PartitionID(r.Name)] = r.Value
	}
	return out, nil
}

// forgetLabels removes what a tenant that is gone had.
func forgetLabels(ctx context.Context, s *store.Store, id placement.PartitionID) error {
	for {
		r, err := TenantLabels(s).Get(ctx, string(id))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		var corrupt *store.CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			return err
		}
		if err = TenantLabels(s).Delete(ctx, string(id), r.Version); err == nil || !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
