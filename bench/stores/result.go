package main

import (
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what was measured of one store. Times are in milliseconds, and of one
// process on the machine that runs the store as well.
type result struct {
	Store   string  `json:"store"`
	Version string  `json:"version"`
	Setup   string  `json:"setup"`
	When    string  `json:"when"` // UTC, at the start
	Machine machine `json:"machine"`
	Table   *table  `json:"table"`
	Fresh   []cell  `json:"fresh"`
	Phases  []phase `json:"phases"`
}

// machine is where it was measured.
type machine struct {
	CPUs   int    `json:"cpus"`
	System string `json:"system"`
	Go     string `json:"go"`
	Load   string `json:"load"` // averages over 1, 5 and 15 minutes before the start
}

func thisMachine() machine {
	m := machine{CPUs: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Load: "unknown"}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(b)); len(f) >= 3 {
			m.Load = strings.Join(f[:3], " ")
		}
	}
	return m
}

// phase is one step and how it ended.
type phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
}

// table is what was measured with the large table.
type table struct {
	Wanted    int    `json:"wanted"`
	Entries   int    `json:"entries"` // that were there
	Why       string `json:"why,omitempty"`
	EntrySize int    `json:"entry_bytes"` // name and value
	Filled    string `json:"filled"`      // how

	FillSeconds float64 `json:"fill_seconds"`
	ServerMB    int     `json:"server_rss_mb,omitempty"` // after filling

	ListMs    float64 `json:"list_ms"`              // decoded
	ListBytes int64   `json:"list_bytes,omitempty"` // both ways

	FirstWatch dist `json:"first_watch"` // from its start, with one change to report, until that is applied

	Write       dist    `json:"write"`         // of the steady state: until acknowledged
	AckToSeen   dist    `json:"ack_to_seen"`   // below zero: seen before its writer had the answer
	SentToSeen  dist    `json:"sent_to_seen"`  //
	EventBytes  float64 `json:"event_bytes"`   // both ways, per change, without what flows anyway
	QuietBytesS float64 `json:"quiet_bytes_s"` // of one watch of a table without changes, per second
	ReplicaMs   float64 `json:"replica_ms"`    // until a gate serves, its session included
	HeapPeak    float64 `json:"heap_peak_mb"`  // while it started, garbage included, beyond what was there before
	FanOut      *fan    `json:"fan_out,omitempty"`
}

// fan is one change seen by many watches.
type fan struct {
	Watches     int     `json:"watches"`
	Last        dist    `json:"ack_to_last"`
	Median      dist    `json:"ack_to_median"`
	WriteBytes  float64 `json:"write_bytes,omitempty"`   // from the server to all watches per change, without what flows anyway
	QuietBytesS float64 `json:"quiet_bytes_s,omitempty"` // both ways, all watches of a table without changes, per second
	OpenSeconds float64 `json:"open_seconds"`            // until all watched
	ProxiedLast dist    `json:"proxied_ack_to_last"`     // through the proxy that counts
}

// cell is one mode at one concurrency, all rounds together.
type cell struct {
	Mode       string  `json:"mode"`
	Concurrent int     `json:"concurrent"`
	Partitions int     `json:"partitions"` // that the requests are spread over
	Latency    dist    `json:"latency"`    // of Gate.Read and Done
	RequestsS  float64 `json:"requests_s"`
	CallsS     float64 `json:"store_calls_s"` // of the driver, those of the session and the watch included
}

// dist is a distribution of times.
type dist struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func distOf(d []time.Duration) dist {
	if len(d) == 0 {
		return dist{}
	}
	slices.Sort(d)
	at := func(q float64) float64 { return ms(d[int(math.Ceil(q*float64(len(d))))-1]) }
	return dist{N: len(d), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

func ms(d time.Duration) float64 { return round(float64(d)/1e6, 4) }

func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}
