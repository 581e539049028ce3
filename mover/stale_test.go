package mover_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
)

// A mover that sleeps between looking at its lease and blocking the target, in
// either place where it drains, must not block one that has flipped meanwhile.
func TestStaleTakeDoesNotBlockALiveTarget(t *testing.T) {
	for _, v := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(v, func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, v)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			r.fill(20)
			first := r.taken(nil)
			r.copyAll(first)
			looks, asleep, awake := 0, make(chan struct{}), make(chan struct{})
			r.spec.Attempt = 2
			stale := r.mover(&mover.Options{Lease: func() error {
				if looks++; looks == 2 { // after the aliases of others were dropped, before the block
					close(asleep)
					<-awake
				}
				return nil // as it was when it was looked at
			}})
			stale.Use(first.Indexes())
			ended := make(chan error, 1)
			go func() { ended <- stale.Take(t.Context(), true) }()
			<-asleep
			r.spec.Attempt = 3
			heir := r.mover(nil)
			heir.Use(first.Indexes())
			if err := heir.Take(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			if err := heir.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			close(awake)
			if err := <-ended; !errors.Is(err, mover.ErrFenced) {
				t.Errorf("the stale mover took the target: %v", err)
			}
			var settings map[string]any
			r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &settings)
			if b := strings.Contains(fmt.Sprint(settings), "index.blocks.write"); b {
				t.Errorf("the live target is blocked: %v", settings)
			}
			if code := r.try(r.dst, "PUT", "/"+r.b+"/_doc/live", `{"n":1}`); code/100 != 2 {
				t.Errorf("a live write was answered %d", code)
			}
			var aliases map[string]any
			r.call(r.dst, "GET", "/"+r.b+"/_alias", "", "", &aliases)
			if strings.Contains(fmt.Sprint(aliases), "sluice-") {
				t.Errorf("aliases are left: %v", aliases)
			}
		})
	}
}
