package tenancy_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

// region is a rule of one's own: each customer has a tenant in each region, and
// the request names both. Whoever implements Resolver fails closed, too, and
// removes what it has used.
type region struct {
	customers tenancy.Resolver
	regions   map[string]bool
}

func (x region) Resolve(r *http.Request) (tenancy.Identity, error) {
	customer, err := x.customers.Resolve(r)
	if err != nil {
		return tenancy.Identity{}, err
	}
	at := r.Header.Get("X-Region")
	if !x.regions[at] {
		return tenancy.Identity{}, errors.Join(tenancy.ErrNoTenant, errors.New("X-Region must be eu or us"))
	}
	r.Header.Del("X-Region")
	id := placement.PartitionID(at + "/" + string(customer.Tenant))
	return tenancy.Identity{Tenant: id, Role: customer.Role}, id.Validate()
}

// A proxy takes any Resolver: proxy.New(gate, clusters, region{...}, nil).
func ExampleResolver() {
	customers, err := tenancy.New(tenancy.Config{Header: "X-Customer"}, nil)
	if err != nil {
		panic(err)
	}
	var rule tenancy.Resolver = region{customers, map[string]bool{"eu": true, "us": true}}
	r := httptest.NewRequest("GET", "/docs/_search", nil)
	r.Header.Set("X-Customer", "acme")
	r.Header.Set("X-Region", "eu")
	id, err := rule.Resolve(r)
	fmt.Println(id.Tenant, id.Role, err)
	r.Header.Set("X-Customer", "acme")
	_, err = rule.Resolve(r)
	fmt.Println(errors.Is(err, tenancy.ErrNoTenant))
	// Output:
	// eu/acme admin <nil>
	// true
}
