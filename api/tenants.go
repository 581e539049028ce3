package api

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// TenantPath is a path with a tenant.
type TenantPath struct {
	Tenant string `path:"tenant" maxLength:"256" doc:"Its name, percent-encoded."`
}

func (p TenantPath) id() placement.PartitionID { return placement.PartitionID(p.Tenant) }

type tenantsInput struct {
	PageQuery
	Cluster string   `query:"cluster" doc:"Only tenants that are on this cluster, or moving to it."`
	Label   []string `query:"label,explode" doc:"Only tenants with this label, KEY=VALUE; given several times, with all of them."`
}

type tenantInput struct {
	TenantPath
	IfNoneMatch string `header:"If-None-Match" doc:"An ETag: the answer is 304 while it fits."`
}

type tenantOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"The entry's epoch, and after a dash what its labels are, if it has some. If-Match takes it with either."`
	Body   control.TenantView
}

// tenantReaders are the operations that read tenants.
func (a *API) tenantReaders() {
	handle(a, huma.Operation{OperationID: "listTenants", Method: http.MethodGet, Path: "/tenants", Tags: []string{"tenants"}, Summary: "List tenants, in the order of their names"},
		Viewer, a.listTenants)
	handle(a, huma.Operation{OperationID: "getTenant", Method: http.MethodGet, Path: "/tenants/{tenant}", Tags: []string{"tenants"}, Summary: "Get a tenant",
		Responses: map[string]*huma.Response{"304": {Description: "It is as If-None-Match says."}}},
		Viewer, a.getTenant)
}

// scanned is how many entries a page with a filter looks at, for each that it may
// have; a filter that fits few gives pages with few, and not long waits.
const scanned = 10

func (a *API) listTenants(ctx context.Context, in *tenantsInput) (*pageOutput[control.TenantView], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	want, err := labelsWanted(in.Label)
	if err != nil {
		return nil, err
	}
	out := &pageOutput[control.TenantView]{Body: page[control.TenantView]{Items: []control.TenantView{}}}
	limit := in.Limit
	if in.Cluster != "" || len(want) > 0 {
		limit = min(scanned*limit, 1000)
	}
	entries, more, err := a.s.EntryPage(ctx, placement.PartitionID(after), limit)
	if err != nil {
		return nil, err
	}
	of, err := a.labelsOf(ctx, after, entries)
	if err != nil {
		return nil, err
	}
	for n, c := range entries {
		if len(out.Body.Items) == in.Limit { // the page is full before what was read ends
			entries, more = entries[:n], true
			break
		}
		e := c.Entry
		switch {
		case c.Err != nil:
			out.Body.unreadable(c.Err)
		case in.Cluster != "" && e.State.From.Cluster != in.Cluster && e.State.To.Cluster != in.Cluster:
		case of[e.Partition].Matches(want):
			out.Body.Items = append(out.Body.Items, control.ViewTenant(e, of[e.Partition]))
		}
	}
	if n := len(entries); more && n > 0 {
		out.Body.Next = cursorOf(string(entries[n-1].Entry.Partition))
	}
	return out, nil
}

// labelsOf are the labels of the tenants of a page: of the records of labels those in
// the same stretch of names.
func (a *API) labelsOf(ctx context.Context, after string, entries []store.Change) (map[placement.PartitionID]control.Labels, error) {
	out := map[placement.PartitionID]control.Labels{}
	if len(entries) == 0 {
		return out, nil
	}
	last := string(entries[len(entries)-1].Entry.Partition)
	for more := true; more; {
		var records []store.RecordChange[control.Labels]
		var err error
		// No more than these can be theirs, but for labels of tenants that are gone.
		if records, more, err = control.TenantLabels(a.s).Page(ctx, after, len(entries)); err != nil {
			return nil, err
		}
		for _, r := range records {
			if r.Name > last {
				return out, nil
			}
			if r.Err == nil { // sluice doctor tells of the others
				out[placement.PartitionID(r.Name)] = r.Value
			}
			after = r.Name
		}
	}
	return out, nil
}

func (a *API) getTenant(ctx context.Context, in *tenantInput) (*tenantOutput, error) {
	out, err := a.readTenant(ctx, in.id())
	if err != nil {
		return nil, control.UnknownTenant(in.Tenant, err)
	}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// readTenant reads a tenant and its ETag.
func (a *API) readTenant(ctx context.Context, id placement.PartitionID) (*tenantOutput, error) {
	e, err := a.s.State(ctx, id)
	if err != nil {
		return nil, err
	}
	labels, err := control.ReadLabels(ctx, a.s, id)
	if err != nil {
		return nil, err
	}
	return &tenantOutput{Status: http.StatusOK, ETag: etag(e.Epoch, labels), Body: control.ViewTenant(e, labels)}, nil
}

// etag is the epoch of an entry, and what the labels are: they are a record of their own,
// whose versions are the engine's.
func etag(epoch placement.Epoch, labels control.Labels) string {
	if len(labels) == 0 {
		return fmt.Sprintf(`"%d"`, epoch)
	}
	h := fnv.New64a()
	for _, l := range labels.Sorted() {
		_, _ = fmt.Fprintf(h, "%s\n", l) // never fails
	}
	return fmt.Sprintf(`"%d-%016x"`, epoch, h.Sum64())
}

// matches reports whether a list of ETags, or a star, has one of some.
func matches(list string, tags ...string) bool {
	for t := range strings.SplitSeq(list, ",") {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		if t == "*" || t != "" && slices.Contains(tags, t) {
			return true
		}
	}
	return false
}

// labelsWanted reads filters of the form KEY=VALUE.
func labelsWanted(words []string) (control.Labels, error) {
	out := control.Labels{}
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			return nil, &placement.InvalidError{Field: "label", Value: w, Fix: "must be KEY=VALUE"}
		}
		out[k] = v
	}
	return out, out.Validate()
}
