package placement

import (
	"hash/maphash"
	"math/bits"
)

// The table's map is a persistent hash trie: a change copies the few nodes on
// the path from the root to its leaf and shares all the others with the trie
// before it. So whoever holds a root holds an immutable picture of every
// partition, and takes it with one atomic load.
//
// Nodes and leaves are never written after they became reachable from a root.

const (
	trieBits  = 5
	trieMask  = 1<<trieBits - 1
	trieDepth = 64/trieBits + 1 // levels that a 64-bit hash can tell apart
)

// node has one bit per slot: in leafMap if an entry is there, in nodeMap if a
// subtree is. Below the last level, leaves holds the entries whose hashes are
// equal, and the maps are unused.
type node struct {
	leafMap, nodeMap uint32
	leaves           []*Packed
	nodes            []*node
}

func rank(m, bit uint32) int { return bits.OnesCount32(m & (bit - 1)) }

func (n *node) get(seed maphash.Seed, id PartitionID) *Packed {
	h := maphash.String(seed, string(id))
	for range trieDepth {
		bit := uint32(1) << (h & trieMask)
		switch {
		case n.nodeMap&bit != 0:
			n, h = n.nodes[rank(n.nodeMap, bit)], h>>trieBits
		case n.leafMap&bit != 0:
			if r := n.leaves[rank(n.leafMap, bit)]; r.Partition() == id {
				return r
			}
			return nil
		default:
			return nil
		}
	}
	for _, r := range n.leaves {
		if r.Partition() == id {
			return r
		}
	}
	return nil
}

// with returns a trie that holds r in place of any entry of the same partition. h is
// the rest of r's hash at this level.
func (n *node) with(seed maphash.Seed, r *Packed, h uint64, level int) *node {
	c := *n
	if level == trieDepth {
		for i, old := range n.leaves {
			if old.Partition() == r.Partition() {
				c.leaves = replaced(n.leaves, i, r)
				return &c
			}
		}
		c.leaves = inserted(n.leaves, len(n.leaves), r)
		return &c
	}
	bit := uint32(1) << (h & trieMask)
	i, k := rank(n.leafMap, bit), rank(n.nodeMap, bit)
	switch {
	case n.nodeMap&bit != 0:
		c.nodes = replaced(n.nodes, k, n.nodes[k].with(seed, r, h>>trieBits, level+1))
	case n.leafMap&bit == 0:
		c.leafMap |= bit
		c.leaves = inserted(n.leaves, i, r)
	case n.leaves[i].Partition() == r.Partition():
		c.leaves = replaced(n.leaves, i, r)
	default: // another partition's entry is there: both go one level down
		old := n.leaves[i]
		sub := (&node{}).with(seed, old, maphash.String(seed, string(old.Partition()))>>(trieBits*(level+1)), level+1)
		sub = sub.with(seed, r, h>>trieBits, level+1)
		c.leafMap &^= bit
		c.leaves = removed(n.leaves, i)
		c.nodeMap |= bit
		c.nodes = inserted(n.nodes, k, sub)
	}
	return &c
}

func (n *node) all(yield func(Entry) bool) bool {
	for _, r := range n.leaves {
		if !yield(r.Entry()) {
			return false
		}
	}
	for _, c := range n.nodes {
		if !c.all(yield) {
			return false
		}
	}
	return true
}

// replaced, inserted and removed copy: the slice that they are given belongs to
// a node that others may be reading.

func replaced[T any](s []T, i int, v T) []T {
	c := make([]T, len(s))
	copy(c, s)
	c[i] = v
	return c
}

func inserted[T any](s []T, i int, v T) []T {
	c := make([]T, len(s)+1)
	copy(c, s[:i])
	c[i] = v
	copy(c[i+1:], s[i:])
	return c
}

func removed[T any](s []T, i int) []T {
	c := make([]T, len(s)-1)
	copy(c, s[:i])
	copy(c[i:], s[i+1:])
	return c
}
