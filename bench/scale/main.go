// Command scale calculates and simulates a fleet that no machine of ours can hold, from
// what was measured of smaller ones, and writes the tables of docs/scale.md:
//
//	go run ./bench/scale
//
// The simulation is of one cutover, or of many at the same time: a change reaches the
// instances one after the other, each writes its acknowledgement, and the store commits
// in groups. An instance that is writing when it hears of another change acknowledges
// that with its next write. It knows nothing else of Sluice; what it says of sizes that
// were measured is printed beside what was measured, so that a reader can judge it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// measured are the figures that everything starts from, with where they are from.
type measured struct {
	commit  time.Duration // a write by itself: results/stores-etcd.json, write p50
	perTxn  time.Duration // of each write in a group: the rate of 256 writers there, less the commit
	perHear time.Duration // between two watches that hear of a change: results/stores-etcd.json, the last of 100
}

// etcd is one member on a machine with two processors, which ran the clients as well.
var etcd = measured{commit: 2100 * time.Microsecond, perTxn: 66 * time.Microsecond, perHear: 18 * time.Microsecond}

func main() {
	f := flag.NewFlagSet("scale", flag.ExitOnError)
	m := etcd
	f.DurationVar(&m.commit, "commit", m.commit, "time that a store takes to commit one write")
	f.DurationVar(&m.perTxn, "txn", m.perTxn, "and for each further one in the same group")
	f.DurationVar(&m.perHear, "hear", m.perHear, "time between two instances that hear of a change")
	_ = f.Parse(os.Args[1:]) // it exits
	acknowledgements(os.Stdout, m)
	crowds(os.Stdout, m)
}

// acknowledgements is a table of single cutovers.
func acknowledgements(w io.Writer, m measured) {
	_, _ = fmt.Fprintln(w, "| instances that write to the store | all have acknowledged after | writes of the store |\n| --- | --- | --- |")
	for _, n := range []int{10, 100, 1000, 3000, 10_000} {
		took, writes := simulate(m, n, 1)
		_, _ = fmt.Fprintf(w, "| %d | %.0f ms | %d |\n", n, float64(took.Microseconds())/1000, writes)
	}
	_, _ = fmt.Fprintln(w)
}

// crowds is a table of cutovers at the same time.
func crowds(w io.Writer, m measured) {
	_, _ = fmt.Fprintln(w, "| instances | cutovers at the same time | all have acknowledged all after | writes per cutover |\n| --- | --- | --- | --- |")
	for _, n := range []int{100, 1000, 10_000} {
		for _, k := range []int{1, 8, 64} {
			took, writes := simulate(m, n, k)
			_, _ = fmt.Fprintf(w, "| %d | %d | %.0f ms | %.1f |\n", n, k, float64(took.Microseconds())/1000, float64(writes)/float64(k))
		}
	}
}
