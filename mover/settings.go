package mover

import (
	"maps"
	"slices"
	"strings"
)

// Settings that a move handles itself.
const (
	setGC       = "index.gc_deletes"
	setRefresh  = "index.refresh_interval"
	setReplicas = "index.number_of_replicas"
	setExpand   = "index.auto_expand_replicas"
	setFinal    = "index.final_pipeline"
	setRouting  = "index.number_of_routing_shards"
)

// held are the settings that the target gets late: Ready sets those that cost
// time, Seal those that must not act while the mover still writes. A final
// pipeline would rewrite the mover's documents, which are already rewritten; a
// default pipeline is named away in each bulk and needs no holding back.
var held = map[string]bool{setGC: true, setRefresh: true, setReplicas: true, setExpand: true, setFinal: true}

// Settings that belong to the source's index or cluster rather than to the
// tenant's data.
var foreign = []string{
	"index.uuid", "index.creation_date", "index.provided_name", "index.version.", "index.resize.", "index.routing.allocation.",
	"index.blocks.", "index.history.", "index.verified_before_close", "index.remote_store.", "index.shrink.", "index.split.",
	"index.recovery.", "index.store.snapshot.", "index.translog.retention.", "index.priority", setRouting,
}

// carried returns the settings that the target shall have from the beginning.
func carried(source map[string]string) map[string]string {
	out := maps.Clone(source)
	maps.DeleteFunc(out, func(k, _ string) bool {
		return held[k] || slices.ContainsFunc(foreign, func(f string) bool {
			return k == f || strings.HasSuffix(f, ".") && strings.HasPrefix(k, f)
		})
	})
	return out
}

// different returns what must be set at the target so that it has what the
// source has; nil removes a setting.
func different(source, target map[string]string) map[string]any {
	want, have := carried(source), carried(target)
	out := map[string]any{}
	for k, v := range want {
		if h, ok := have[k]; !ok || h != v {
			out[k] = settingValue(v)
		}
	}
	for k := range have {
		if _, ok := want[k]; !ok {
			out[k] = nil
		}
	}
	return out
}
