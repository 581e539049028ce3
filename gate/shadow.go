package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// MaxShadowReads is how many searches of a partition an instance samples at most.
const MaxShadowReads = 1000

// A Shadow samples the searches of a partition that moves, and compares what its two
// clusters answer to them. It keeps the searches to itself: what leaves it are counts,
// times and the places in which answers differ.
type Shadow interface {
	// Sample keeps up to n of the searches that the partition makes during a move, from
	// now on and until it has not been called for a while; 0 forgets them at once.
	Sample(id placement.PartitionID, move string, n int) ShadowSample
	// Compare sends samples, by number from 0, to both clusters. It ends early when it has
	// taken long: what it has not compared is not among the results. The sample is not
	// added to any more.
	Compare(ctx context.Context, id placement.PartitionID, move string, samples []int) ([]ShadowResult, error)
}

// ErrNoShadow: the instance samples no searches, or not of this move.
var ErrNoShadow = catalog.New("shadow_unavailable", "no searches are sampled there")

// ShadowSample says what an instance has sampled.
type ShadowSample struct {
	Kept int   `json:"kept"`
	Seen int64 `json:"seen"` // searches, of which Kept are a fair sample
}

// Outcomes of a ShadowResult.
const (
	ShadowEqual        = "equal"         // both refused the search alike, perhaps
	ShadowScores       = "scores"        // equal but for the scores
	ShadowDiffers      = "differs"       // see Parts
	ShadowFailedSource = "failed_source" // the source did not answer, or in part
	ShadowFailedTarget = "failed_target" // only the target did not
	ShadowSkipped      = "skipped"       // the answer is too large to be compared
)

// ShadowResult is one comparison.
type ShadowResult struct {
	Sample   int    `json:"sample"`
	Endpoint string `json:"endpoint"` // such as _search
	Outcome  string `json:"outcome"`
	// Changed: an answer is not what the same cluster gave to the sample before. It says
	// nothing then that the other cluster's differs from it.
	Changed bool `json:"changed,omitempty"`
	Item    int  `json:"item,omitempty"` // of a multi-search, the search that differs, from 1
	// Parts are those that differ: total, hits, order, documents, aggregations, suggest.
	Parts []string `json:"parts,omitempty"`
	// Positions are the first places of the hits, from 1, that differ.
	Positions []int        `json:"positions,omitempty"`
	Source    ShadowAnswer `json:"source"`
	Target    ShadowAnswer `json:"target"`
}

// ShadowAnswer is one cluster's part of a ShadowResult.
type ShadowAnswer struct {
	Total  int64         `json:"total"`            // hits, or -1 if the answer does not tell
	Capped bool          `json:"capped,omitempty"` // the total is where counting has ended
	Failed string        `json:"failed,omitempty"` // why there is no whole answer: a status, or an error's type
	Took   time.Duration `json:"took"`             // as the cluster says
	Wall   time.Duration `json:"wall"`             // as the instance has seen
}

// SetShadow makes s answer the controllers that ask for shadow reads. Without it this
// instance has none.
func (g *Gate) SetShadow(s Shadow) { g.shadow.Store(&s) }

// maxCompare bounds the samples of one call.
const maxCompare = 100

// compareRequest is the body of a call.
type compareRequest struct {
	Partition placement.PartitionID `json:"partition"`
	Move      string                `json:"move"`
	Samples   []int                 `json:"samples"`
}

// shadowRoutes adds the endpoints; who calls them is authenticated already.
func (g *Gate) shadowRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST "+fleetPath+"shadow/sample", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		n, err := strconv.Atoi(q.Get("n"))
		if err != nil || n < 0 || n > MaxShadowReads {
			http.Error(w, fmt.Sprintf("n must be a number from 0 to %d", MaxShadowReads), http.StatusBadRequest)
			return
		}
		s := g.shadow.Load()
		if s == nil {
			http.Error(w, ErrNoShadow.Error(), http.StatusNotFound)
			return
		}
		writeJSON(w, (*s).Sample(placement.PartitionID(q.Get("partition")), q.Get("move"), n))
	})
	mux.HandleFunc("POST "+fleetPath+"shadow/compare", func(w http.ResponseWriter, r *http.Request) {
		var in compareRequest
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in)
		if err != nil || len(in.Samples) > maxCompare {
			http.Error(w, fmt.Sprintf("the body must name a partition, a move and %d samples at most", maxCompare), http.StatusBadRequest)
			return
		}
		s := g.shadow.Load()
		if s == nil {
			http.Error(w, ErrNoShadow.Error(), http.StatusNotFound)
			return
		}
		out, err := (*s).Compare(r.Context(), in.Partition, in.Move, in.Samples)
		switch {
		case errors.Is(err, ErrNoShadow):
			http.Error(w, ErrNoShadow.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, "the instance cannot compare: "+err.Error(), http.StatusServiceUnavailable)
		default:
			writeJSON(w, out)
		}
	})
}

// Sample has an instance sample searches, see Shadow. ErrNoShadow: it is none that can.
func (p *Peers) Sample(ctx context.Context, info store.Info, id placement.PartitionID, move string, n int) (ShadowSample, error) {
	q := url.Values{"partition": {string(id)}, "move": {move}, "n": {strconv.Itoa(n)}}
	var s ShadowSample
	if err := p.call(ctx, http.MethodPost, info, "shadow/sample", q, &s); err != nil {
		return ShadowSample{}, err
	}
	if s.Kept < 0 || s.Kept > n || s.Seen < int64(s.Kept) {
		return ShadowSample{}, fmt.Errorf("shadow/sample of %s: the answer makes no sense", info.Name)
	}
	return s, nil
}

// Compare has an instance compare samples, see Shadow; 100 at most are asked for. Only
// ctx bounds how long it takes.
func (p *Peers) Compare(ctx context.Context, info store.Info, id placement.PartitionID, move string, samples []int) ([]ShadowResult, error) {
	samples = samples[:min(len(samples), maxCompare)]
	body, err := json.Marshal(compareRequest{id, move, samples})
	if err != nil {
		return nil, fmt.Errorf("shadow/compare of %s: %w", info.Name, err)
	}
	patient := *p.client
	patient.Timeout = 0
	var out []ShadowResult
	if err := p.callWith(ctx, &patient, http.MethodPost, info, "shadow/compare", nil, bytes.NewReader(body), &out); err != nil {
		return nil, err
	}
	for i, r := range out {
		again := slices.ContainsFunc(out[:i], func(o ShadowResult) bool { return o.Sample == r.Sample })
		if again || !slices.Contains(samples, r.Sample) {
			return nil, fmt.Errorf("shadow/compare of %s: the answer is about what was not asked", info.Name)
		}
	}
	return out, nil
}
