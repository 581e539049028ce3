package main

import (
	"testing"
	"time"
)

func TestSimulate(t *testing.T) {
	m := measured{commit: 2 * time.Millisecond, perTxn: 10 * time.Microsecond, perHear: time.Microsecond}
	took, writes := simulate(m, 1, 1)
	if writes != 2 || took != 2*m.commit+2*m.perTxn+m.perHear {
		t.Errorf("one instance, one cutover: %v, %d writes", took, writes)
	}
	for _, n := range []int{7, 100, 1000} {
		took, writes := simulate(m, n, 1)
		if writes != n+1 {
			t.Errorf("%d instances write %d times for one cutover; want once each, and the transition", n, writes)
		}
		if least := 2*m.commit + time.Duration(n)*m.perTxn; took < least {
			t.Errorf("%d instances in %v; a store that makes them one after the other needs %v", n, took, least)
		}
		many, all := simulate(m, n, 64)
		if all >= 64*writes/4 || all < n+64 {
			t.Errorf("%d instances write %d times for 64 cutovers at the same time, %d for one: that is no group commit", n, all, writes)
		}
		if many < took {
			t.Errorf("64 cutovers in %v, one in %v", many, took)
		}
	}
}
