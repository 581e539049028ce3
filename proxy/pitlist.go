package proxy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
	"unicode/utf16"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/placement"
)

// allPITs lists or closes the points in time of the tenant's indices. Those of a
// move are on the same indices and look like any other. A move opens none before
// every instance has seen it begin; so if the entry is the same before and after the
// list was made, none of them is in it.
func (q *request) allPITs() error {
	t, err := q.enterRead()
	if err != nil {
		return err
	}
	defer t.Done()
	at := origin{q.entry.State.From, q.entry.Incarnation}
	if err := q.supported(at.place); err != nil {
		return err
	}
	epoch := q.entry.Epoch
	pits, err := q.listPITs(at)
	if err != nil {
		return err
	}
	again, err := q.enterRead()
	if err != nil {
		return err
	}
	again.Done()
	if q.entry.State.Migrating() || q.entry.Epoch != epoch {
		return fail(http.StatusConflict, TypeMoving, "the tenant is being moved to another cluster, and points in time of the move are among its own; close yours by their ids, or repeat the request when it has ended")
	}
	if q.r.Method == http.MethodGet {
		for i := range pits {
			q.keepAlive = time.Duration(pits[i].KeepAlive) * time.Millisecond
			pits[i].ID = q.wrap(at, affinity.PIT, pits[i].ID)
		}
		return q.answerJSON(http.StatusOK, map[string]any{"pits": pits})
	}
	type one struct {
		Successful bool   `json:"successful"`
		ID         string `json:"pit_id"`
	}
	out := []one{}
	if len(pits) > 0 {
		ids := make([]string, len(pits))
		for i, p := range pits {
			ids[i] = p.ID
		}
		c, err := q.closeAt(at, "/_search/point_in_time", "pit_id", ids)
		if err != nil {
			return err
		}
		for _, p := range c.PITs {
			out = append(out, one{p.Successful, q.wrap(at, affinity.PIT, p.PITID)})
			if p.Successful {
				q.release(p.PITID)
			}
		}
	}
	return q.answerJSON(http.StatusOK, map[string]any{"pits": out})
}

// openPIT is one of a cluster's list.
type openPIT struct {
	ID        string `json:"pit_id"`
	Created   int64  `json:"creation_time"`
	KeepAlive int64  `json:"keep_alive"` // ms
}

// listPITs returns the points in time that are of the tenant's indices and of no
// other.
func (q *request) listPITs(at origin) ([]openPIT, error) {
	ctx, cancel := context.WithTimeout(q.r.Context(), q.p.o.ReadTimeout)
	defer cancel()
	resp, err := q.sendRead(ctx, at.place.Cluster, http.MethodGet, "/_search/point_in_time/_all", q.query, &payload{})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return nil, q.readFailure(at.place.Cluster, err)
	}
	if err := upstreamStatus(resp, at.place.Cluster); err != nil {
		return nil, err
	}
	var all struct {
		PITs []openPIT `json:"pits"`
	}
	if err := json.Unmarshal(raw, &all); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fail(http.StatusBadGateway, TypeUpstream, "cluster %s does not list its points in time (status %d)", at.place.Cluster, resp.StatusCode)
	}
	own := []openPIT{}
	for _, p := range all.PITs {
		if at.place.Kind == placement.DedicatedIndex {
			indices, err := pitIndices(p.ID)
			if err != nil {
				return nil, fail(http.StatusBadGateway, TypeUpstream, "cluster %s writes ids of points in time in a way that is not known; close yours by their ids", at.place.Cluster)
			}
			if !only(indices, at.place) {
				continue
			}
		}
		own = append(own, p)
	}
	return own, nil
}

func only(names []string, pl placement.Placement) bool {
	for _, n := range names {
		if !pl.Matches(n) {
			return false
		}
	}
	return len(names) > 0
}

var errPITID = errors.New("not an id of a point in time")

// pitIndices reads the names of the indices out of an id: it holds a version, and
// then for each shard the index with its UUID, the number of the shard, and the node
// and the context there.
func pitIndices(id string) ([]string, error) {
	b, err := base64.URLEncoding.DecodeString(id)
	if err != nil {
		return nil, errPITID
	}
	r := wire{b: b}
	r.vint()
	var out []string
	for range r.vint() {
		name := r.text()
		r.text() // UUID
		r.vint() // shard
		r.text() // node
		if r.byte() != 0 {
			r.text() // of another cluster
		}
		r.skip(8)
		r.text() // session
		if r.bad {
			return nil, errPITID
		}
		out = append(out, name)
	}
	if r.bad {
		return nil, errPITID
	}
	return out, nil
}

// wire reads what OpenSearch's nodes write for each other. Behind the end all is
// zero, and bad is set.
type wire struct {
	b   []byte
	bad bool
}

func (r *wire) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *wire) skip(n int) {
	for range n {
		r.byte()
	}
}

// vint is a number in groups of seven bits, the lowest first.
func (r *wire) vint() int {
	n := 0
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.bad = true
	return 0
}

// text is a number of UTF-16 units, and each of them in one to three bytes.
func (r *wire) text() string {
	n := r.vint()
	if n > len(r.b) {
		r.bad = true
		return ""
	}
	units := make([]uint16, n)
	for i := range units {
		c := r.byte()
		switch {
		case c < 0x80:
			units[i] = uint16(c)
		case c>>5 == 6:
			units[i] = uint16(c&0x1f)<<6 | uint16(r.byte()&0x3f)
		case c>>4 == 14:
			units[i] = uint16(c&0x0f)<<12 | uint16(r.byte()&0x3f)<<6 | uint16(r.byte()&0x3f)
		default:
			r.bad = true
		}
	}
	return string(utf16.Decode(units))
}
