package soak_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

var (
	lasts = flag.Duration("soak.for", 20*time.Second, "how long the load lasts")
	into  = flag.String("soak.receipt", "", "file for the receipt, as JSON")
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// full is a run that is long enough to hold the proxy to the bounds that are meant; a shorter one sees gross leaks only.
const full = 5 * time.Minute

// sample is one look at the proxy.
type sample struct {
	At         time.Duration `json:"at_ns"`
	RSS        float64       `json:"rss_bytes"`
	Heap       float64       `json:"heap_live_bytes"` // after the newest collection
	Goroutines float64       `json:"goroutines"`
	Files      float64       `json:"file_descriptors"`
}

// receipt is what a run has measured.
type receipt struct {
	Duration   time.Duration     `json:"duration_ns"`
	WarmUp     time.Duration     `json:"warm_up_ns"`
	Build      string            `json:"go"`
	CPUs       int               `json:"cpus"`
	Requests   map[string]int    `json:"requests"` // by what clients did
	Answers    map[string]int    `json:"answers"`  // by status
	Moves      int               `json:"moves_flipped"`
	GaveUp     int               `json:"moves_that_gave_up"`
	Cuts       int               `json:"cuts_of_upstream_connections"`
	Growth     map[string]growth `json:"growth"`
	Before     sample            `json:"before_the_load"`
	After      *sample           `json:"after_the_load,omitempty"` // when its connections have ended
	Samples    []sample          `json:"samples"`
	Anomalies  []string          `json:"anomalies"`
	Controller []float64         `json:"controller_rss_first_and_last_bytes"`
}

// fleet is a controller, a proxy, and two clusters behind links that can be cut.
type fleet struct {
	*demo.Fleet
	admin string // of the proxy
	links []*faultproxy.Proxy
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{}
	dir := t.TempDir()
	var err error
	f.Fleet, err = demo.NewFleet(enginetest.Sluice(t), dir, &demo.FleetOptions{
		Proxies:   1,
		Advertise: func(_, listens string) (string, error) { f.admin = "http://" + listens; return listens, nil },
		Extra: map[string][]string{
			"proxy":      {"upstream_write_timeout: 3s", "drain_barrier: 4s"},
			"controller": {"drain_barrier: 4s", "pause_budget: 3s", "cutover_deadline: 4s"},
			"log":        {"access: {enabled: true, sample: 0.05}"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]*engines.OpenSearch{}
	for _, name := range []string{"a", "b"} {
		nodes[name] = enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: engines.OpenSearch2, Name: name, HeapMB: 384})
	}
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			files, _ := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
			for _, file := range files {
				if b, err := os.ReadFile(file); err == nil {
					t.Logf("%s:\n%s", filepath.Base(file), b[max(0, len(b)-4000):])
				}
			}
		}
	})
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		link, err := faultproxy.New(strings.TrimPrefix(nodes[name].URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = link.Close() })
		f.links = append(f.links, link)
		f.sluice(t, "cluster", "add", name, "http://"+link.Addr())
	}
	req, err := http.NewRequest("PUT", nodes["a"].URL()+"/acme-docs", strings.NewReader(`{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"integer"},"t":{"type":"keyword","index":false}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("create the tenant's index: %v, %v", resp, err)
	}
	resp.Body.Close()
	f.sluice(t, "tenant", "add", tenant, "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	return f
}

func (f *fleet) sluice(t *testing.T, args ...string) {
	t.Helper()
	if _, err := f.Run(t.Context(), nil, args...); err != nil {
		t.Fatal(err)
	}
}

// look takes a sample. The process is asked for what it knows, the kernel for the rest.
func (f *fleet) look(began time.Time) (sample, error) {
	s := sample{At: time.Since(began)}
	resp, err := http.Get(f.admin + "/metrics")
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	goal, percent := 0.0, 0.0
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		v, _ := strconv.ParseFloat(text, 64) // comments are none of these
		switch name {
		case "go_goroutines":
			s.Goroutines = v
		case "go_memstats_next_gc_bytes":
			goal = v
		case "go_gc_gogc_percent":
			percent = v
		case "sluice_proxy_panics_total":
			if v > 0 {
				return s, fmt.Errorf("%v panics", v)
			}
		}
	}
	if percent > 0 {
		s.Heap = goal / (1 + percent/100) // what the last collection left: the next is at so many percent more
	}
	p := f.Proxies[0]
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		return s, err
	}
	s.Files = float64(len(files))
	s.RSS, err = rss(p.PID())
	if err == nil && (s.Goroutines == 0 || s.Heap == 0 || s.RSS == 0) {
		err = fmt.Errorf("the sample is not whole: %+v", s)
	}
	return s, err
}

func rss(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, errors.New("statm has no resident pages")
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()), err
}

// move moves the tenant back and forth, and removes what a move leaves behind.
func (f *fleet) move(ctx context.Context, r *receipt) {
	for to := "b"; ctx.Err() == nil; {
		m, err := f.Move(ctx, tenant, to, nil)
		if err == nil {
			r.Moves++
			_ = f.Retire(ctx, m.ID, nil) // a cut may keep it from that; the next copy has another name
			to = map[string]string{"a": "b", "b": "a"}[to]
		} else if ctx.Err() == nil {
			r.GaveUp++
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // for the next one
		}
	}
}

// cut breaks the connections to the clusters, now and then, in two ways.
func (f *fleet) cut(ctx context.Context, every time.Duration, r *receipt) {
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		for _, l := range f.links {
			if n%2 == 0 {
				l.Refuse()
			} else {
				l.DropReplies()
			}
		}
		r.Cuts++
		time.Sleep(200 * time.Millisecond) // how long it is cut
		for _, l := range f.links {
			l.Pass()
		}
	}
}

// bounds of the growth in the measured part of a run.
func bounds(long bool) map[string]bound {
	b := map[string]bound{
		"rss_bytes": {0.10, 8 << 20}, "heap_live_bytes": {0.15, 4 << 20}, "goroutines": {0.10, 20}, "file_descriptors": {0.10, 20},
	}
	if !long { // seconds are the beginning of everything
		b = map[string]bound{"rss_bytes": {1, 128 << 20}, "heap_live_bytes": {2, 64 << 20}, "goroutines": {1, 300}, "file_descriptors": {1, 200}}
	}
	return b
}

func TestSoak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells of another process's memory and files in /proc")
	}
	f := newFleet(t)
	long := *lasts >= full
	every, warmUp := time.Second, *lasts/3
	if long {
		every, warmUp = 10*time.Second, *lasts/4
	}
	saw := &tally{kinds: map[string]int{}, statuses: map[string]int{}}
	r := &receipt{Duration: *lasts, WarmUp: warmUp, Build: runtime.Version(), CPUs: runtime.NumCPU(), Growth: map[string]growth{}}
	began := time.Now()
	var err error
	if r.Before, err = f.look(began); err != nil {
		t.Fatal(err)
	}
	first, err := rss(f.Controllers[0].PID())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i := range 12 {
		c := &client{tally: saw, base: f.URLs()[0], http: &http.Client{Transport: &http.Transport{}}, random: rand.New(rand.NewPCG(7, uint64(i)))}
		running.Go(func() { c.run(ctx) })
	}
	running.Go(func() { f.move(ctx, r) })
	running.Go(func() { f.cut(ctx, max(*lasts/40, 5*time.Second), r) })
	for time.Since(began) < *lasts {
		time.Sleep(every) // the interval of the samples
		s, err := f.look(began)
		if err != nil {
			saw.bad("sample: %v", err)
			break
		}
		r.Samples = append(r.Samples, s)
		if long {
			t.Logf("%s: rss %.1f MB, heap %.1f MB, %v goroutines, %v files", s.At.Round(time.Second), s.RSS/1e6, s.Heap/1e6, s.Goroutines, s.Files)
		}
	}
	stop()
	running.Wait()
	last, err := rss(f.Controllers[0].PID())
	if err != nil {
		t.Error(err)
	}
	r.Controller = []float64{first, last}
	r.Requests, r.Answers = saw.kinds, saw.statuses
	judge(r, long)
	if long {
		settle(t, f, r, began)
	}
	r.Anomalies = append(r.Anomalies, saw.wrong...)
	report(t, r, long)
}

// judge holds the samples after the warm-up against the bounds.
func judge(r *receipt, long bool) {
	var at []time.Duration
	series := map[string][]float64{}
	for _, s := range r.Samples {
		if s.At < r.WarmUp {
			continue
		}
		at = append(at, s.At)
		for name, v := range map[string]float64{"rss_bytes": s.RSS, "heap_live_bytes": s.Heap, "goroutines": s.Goroutines, "file_descriptors": s.Files} {
			series[name] = append(series[name], v)
		}
	}
	if len(at) < 8 {
		r.Anomalies = append(r.Anomalies, fmt.Sprintf("only %d samples after the warm-up", len(at)))
		return
	}
	for name, b := range bounds(long) {
		g := grown(at, series[name], b)
		r.Growth[name] = g
		if g.tooMuch() {
			r.Anomalies = append(r.Anomalies, fmt.Sprintf("%s grows: by %.0f, and %.0f is allowed", name, g.Growth, g.Allowed))
		}
	}
	slices.Sort(r.Anomalies)
}

// settle waits until what clients had open has ended, the pooled connections to clusters too, and compares with the beginning.
func settle(t *testing.T, f *fleet, r *receipt, began time.Time) {
	const more = 30 // what a proxy that has served keeps beyond one that has not
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		s, err := f.look(began)
		if err != nil {
			t.Fatal(err)
		}
		if r.After = &s; s.Goroutines <= r.Before.Goroutines+more && s.Files <= r.Before.Files+more {
			return
		}
		if time.Now().After(end) {
			r.Anomalies = append(r.Anomalies, fmt.Sprintf("after the load %v goroutines and %v files stay, of %v and %v before", s.Goroutines, s.Files, r.Before.Goroutines, r.Before.Files))
			return
		}
	}
}

func report(t *testing.T, r *receipt, long bool) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *into != "" {
		if err := os.WriteFile(*into, append(b, '\n'), 0o644); err != nil {
			t.Error(err)
		}
	}
	total := 0
	for _, n := range r.Requests {
		total += n
	}
	t.Logf("%d turns of clients %v, answers %v, %d moves (%d gave up), %d cuts, growth %+v, before %+v, after %+v", total, r.Requests, r.Answers, r.Moves, r.GaveUp, r.Cuts, r.Growth, r.Before, r.After)
	if least := map[bool]int{true: 2000, false: 200}[long]; total < least || r.Answers["200"] == 0 || r.Cuts == 0 || long && r.Moves < 2 {
		t.Errorf("%d turns, %d moves and %d cuts are too few to mean anything", total, r.Moves, r.Cuts)
	}
	for _, a := range r.Anomalies {
		t.Error(a)
	}
}
