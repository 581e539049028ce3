package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/internal/load"
)

// Options of a run.
type Options struct {
	Seed uint64        // of what goes wrong, and when
	For  time.Duration // how long things go wrong; longer until each kind of fault has happened
}

// extra bounds by how much a run may be longer than it was asked to, for the sake of faults that have not happened yet.
const extra = 75 * time.Second

// recovery is how long everything may take to be well again after the last fault.
const recovery = 3 * time.Minute

// The load of package load has the first tenant for itself; the others have clients that write the same documents.
const (
	ledgerTenant = "acme"
	corpus       = 4000
	spare        = corpus / 20
	ledgerRate   = 60
	clientRate   = 25
	clientNumber = 5
)

var registerTenants = []string{"globex", "initech"}

// run is a world with its clients.
type run struct {
	*world
	o       Options
	ledger  *load.Load
	history []history.Op // of the ledger's clients
	clients []*clients
	movers  []*mover
	doctor  Doctor
}

// Run breaks a fleet of the program on these engines, which it kills and starts again, for as long as the options say. Dir
// must exist and is for configuration and logs. What happens goes to out. The error says that something could not be set
// up or examined; what was found is in the receipt.
func Run(ctx context.Context, program, dir string, e Engines, o Options, out io.Writer) (receipt *Receipt, err error) {
	w, err := newWorld(program, dir, e, out)
	if err != nil {
		return nil, err
	}
	r := &run{world: w, o: o}
	defer func() {
		if e := w.fleet.Stop(); e != nil {
			w.complain("%v", e)
			if receipt != nil {
				receipt.Anomalies = w.complaints()
			}
		}
	}()
	if err := r.setUp(ctx); err != nil {
		return nil, err
	}
	defer r.ledger.Close()
	return r.chaos(ctx)
}

// setUp starts the fleet and gives it tenants.
func (r *run) setUp(ctx context.Context) error {
	var urls [2]string
	for i, c := range r.engines.Clusters {
		at, err := r.network.add("cluster "+clusterNames[i], strings.TrimPrefix(c.URL(), "http://"))
		if err != nil {
			return err
		}
		urls[i] = "http://" + at
	}
	if err := r.fleet.Start(ctx); err != nil {
		return err
	}
	for i, c := range clusterNames {
		if _, err := r.fleet.Run(ctx, nil, "cluster", "add", c, urls[i]); err != nil {
			return err
		}
	}
	for i, tenant := range append([]string{ledgerTenant}, registerTenants...) {
		mapping := registerMapping
		if tenant == ledgerTenant {
			mapping = load.Mapping
		}
		if err := r.durable(ctx, r.engines.Clusters[i%2].URL(), tenant+"-0", mapping); err != nil {
			return err
		}
		if _, err := r.fleet.Run(ctx, nil, "tenant", "add", tenant, "--cluster", clusterNames[i%2], "--index", tenant+"-0", "--as", index); err != nil {
			return err
		}
		r.movers = append(r.movers, &mover{fleet: r.fleet, tenant: tenant, random: rand.New(rand.NewPCG(r.o.Seed, uint64(100+i))), say: r.say})
	}
	for _, tenant := range registerTenants {
		r.clients = append(r.clients, newClients(tenant, r.doors))
	}
	docs, err := load.Corpus(ctx, corpus+spare)
	if err != nil {
		return err
	}
	r.ledger, err = load.New(load.Target{URLs: r.doors, Header: demo.TenantHeader, Tenant: ledgerTenant, Index: index}, docs, corpus,
		&load.Options{Rate: ledgerRate, GiveUp: 20 * time.Second, Starting: r.starting, Observe: func(o history.Op) { r.history = append(r.history, o) }})
	if err != nil {
		return err
	}
	return r.ledger.Seed(ctx, nil)
}

// durable creates a tenant's first index and makes sure that the cluster answers a write after it is on disk: were it
// not so, a killed node would lose what it had acknowledged, whatever Sluice does.
func (r *run) durable(ctx context.Context, url, name, mapping string) error {
	if _, err := request(ctx, http.MethodPut, url+"/"+name, mapping); err != nil {
		return err
	}
	b, err := request(ctx, http.MethodGet, url+"/"+name+"/_settings?include_defaults&flat_settings", "")
	if err != nil {
		return err
	}
	var all map[string]struct{ Settings, Defaults map[string]any }
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	const key = "index.translog.durability"
	at := all[name]
	if v := fmt.Sprint(at.Settings[key], at.Defaults[key]); !strings.Contains(strings.ToLower(v), "request") {
		return fmt.Errorf("%s of index %s is %s: a cluster that is killed would lose acknowledged writes", key, name, v)
	}
	return nil
}

func request(ctx context.Context, method, url, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s %s", method, url, resp.Status, text)
	}
	return text, err
}

// chaos lets everything loose, ends it, and judges.
func (r *run) chaos(ctx context.Context) (*Receipt, error) {
	r.world.began = time.Now()
	r.say("seed %d: things go wrong for %v", r.o.Seed, r.o.For)
	stopClients, stopMoves := make(chan struct{}), make(chan struct{})
	var clients, movers, watch sync.WaitGroup
	loaded := make(chan error, 1)
	go func() { loaded <- r.ledger.Run(ctx, stopClients) }()
	for i, c := range r.clients {
		clients.Go(func() { c.run(r.o.Seed+uint64(i), clientNumber, clientRate, stopClients) })
	}
	moving, endMoves := context.WithCancel(ctx)
	defer endMoves()
	for _, m := range r.movers {
		movers.Go(func() { m.run(moving, stopMoves) })
	}
	watching, endWatch := context.WithCancel(ctx)
	watch.Go(func() { r.watch(watching) })

	leave := r.visiting(ctx)
	r.shake(ctx)
	leave()
	r.network.heal()
	r.say("the last fault is over")
	healed := time.Now()
	close(stopMoves)
	timer := time.AfterFunc(recovery, endMoves) // what has not ended by then is found below
	movers.Wait()
	timer.Stop()
	err := r.health(ctx, healed)
	healthy := time.Since(healed)
	close(stopClients)
	clients.Wait()
	endWatch()
	watch.Wait()
	if err := errors.Join(err, <-loaded); err != nil {
		return nil, err
	}
	return r.judge(ctx, healthy)
}

// shake makes things go wrong for the time of the run, and until each kind of fault has happened.
func (r *run) shake(ctx context.Context) {
	over := func() bool {
		took := time.Since(r.world.began)
		return took > r.o.For+extra || took > r.o.For && len(r.missing()) == 0
	}
	var lanes sync.WaitGroup
	for i, l := range []*lane{
		{faults: r.processFaults(), gap: 3 * time.Second}, {faults: r.networkFaults(), gap: 3 * time.Second}, {faults: r.outerFaults(), gap: 5 * time.Second},
	} {
		l.random = rand.New(rand.NewPCG(r.o.Seed, uint64(i)))
		lanes.Go(func() { r.world.run(ctx, l, over) })
	}
	lanes.Wait()
}

// counts adds what clients did to what was done to the processes.
func (r *run) counts() map[string]int {
	all := r.world.counts()
	for _, c := range r.clients {
		c.mu.Lock()
		all[clientLeaves] += c.left
		c.mu.Unlock()
	}
	return all
}

// missing returns the kinds of fault that have not happened.
func (r *run) missing() []string {
	counts := r.counts()
	var none []string
	for _, k := range Kinds() {
		if counts[k] == 0 {
			none = append(none, k)
		}
	}
	return none
}
