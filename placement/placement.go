package placement

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// PartitionID names one tenant: the unit of placement and of migration. It may
// hold any valid UTF-8, from 1 to MaxPartitionID bytes; nothing in Sluice gives
// its characters a meaning.
type PartitionID string

// MaxPartitionID is the longest allowed PartitionID, in bytes.
const MaxPartitionID = 256

// Validate returns an *InvalidError unless the id may name a partition.
func (id PartitionID) Validate() error {
	switch {
	case id == "":
		return invalid("partition", string(id), "must not be empty")
	case len(id) > MaxPartitionID:
		return invalid("partition", string(id[:32])+"...", fmt.Sprintf("must be at most %d bytes", MaxPartitionID))
	case !utf8.ValidString(string(id)):
		return invalid("partition", fmt.Sprintf("%q", string(id)), "must be valid UTF-8")
	}
	return nil
}

// ValidateNew is Validate for a partition that is to be registered: it also refuses the two
// names that no path of a URL can have as a part, so that each can be asked for by its name.
func (id PartitionID) ValidateNew() error {
	if id == "." || id == ".." {
		return invalid("tenant", string(id), "must not be . or .., which no path of the API can name; choose another name")
	}
	return id.Validate()
}

// Kind says how much of a cluster a partition has to itself.
type Kind string

// The three kinds of placement.
const (
	// DedicatedCluster: every index of the cluster belongs to the partition,
	// and clients see the cluster's own index names.
	DedicatedCluster Kind = "dedicated_cluster"
	// DedicatedIndex: one physical index of the cluster belongs to the partition,
	// or all whose names match a pattern; clients know each by its logical name.
	DedicatedIndex Kind = "dedicated_index"
	// SharedIndex: the partition shares one physical index with others.
	SharedIndex Kind = "shared_index"
)

// Placement is where a partition lives. It is a value: compare it with ==.
type Placement struct {
	Kind    Kind   `json:"kind"`
	Cluster string `json:"cluster"`
	// Index is the physical index (dedicated_index, shared_index), or for a
	// dedicated_index a pattern of them with one star; see Many. Empty for
	// dedicated_cluster.
	Index string `json:"index,omitempty"`
	// Logical is the index name that clients use for Index. It does not change
	// when the partition moves. Empty for dedicated_cluster; a star, or empty, for a
	// pattern.
	Logical string `json:"logical,omitempty"`
	// PartitionField is the keyword field of a shared index that holds the
	// partition's id in every document; clients never see it. Empty for the others.
	PartitionField string `json:"partition_field,omitempty"`
}

// IsZero reports whether p is the zero Placement, which is nowhere.
func (p Placement) IsZero() bool { return p == Placement{} }

// String returns a short form for people: kind:cluster[/index].
func (p Placement) String() string {
	if p.IsZero() {
		return "nowhere"
	}
	if p.Index == "" {
		return string(p.Kind) + ":" + p.Cluster
	}
	return string(p.Kind) + ":" + p.Cluster + "/" + p.Index
}

// Validate returns an *InvalidError that names the field and the fix, or nil.
func (p Placement) Validate() error {
	switch p.Kind {
	case DedicatedCluster, DedicatedIndex, SharedIndex:
	default:
		return invalid("placement.kind", string(p.Kind), "must be one of dedicated_cluster, dedicated_index, shared_index")
	}
	if err := ValidateClusterName(p.Cluster); err != nil {
		return err
	}
	if p.Kind == SharedIndex {
		if err := validateField(p.PartitionField); err != nil {
			return err
		}
	} else if p.PartitionField != "" {
		return invalid("placement.partition_field", p.PartitionField, "must be empty but for a shared_index")
	}
	if p.Kind == DedicatedCluster {
		if p.Index != "" || p.Logical != "" {
			return invalid("placement.index", p.Index+p.Logical, "must be empty for a dedicated_cluster, where clients see the cluster's own index names")
		}
		return nil
	}
	if p.Many() {
		return validatePattern(p.Index, p.Logical)
	}
	if err := validateIndex("placement.index", p.Index); err != nil {
		return err
	}
	return validateIndex("placement.logical", p.Logical)
}

// validateField takes a plain name at the top of a document, so that there is one
// way to write it: no dots, which are also a path into an object, no wildcards,
// and no underscore in front, which begins OpenSearch's own fields.
func validateField(name string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '_' && name[0] != '-'
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	}
	if !ok {
		return invalid("placement.partition_field", name, "must be 1 to 64 of letters, digits, '-' and '_', beginning with a letter or a digit")
	}
	return nil
}

// ValidateClusterName returns an *InvalidError unless name may name a cluster:
// 1 to 64 of a-z, 0-9, '-', '_' and '.', beginning with a letter or a digit.
func ValidateClusterName(name string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '-' && name[0] != '_' && name[0] != '.'
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if !ok {
		return invalid("cluster", name, "must be 1 to 64 of a-z, 0-9, '-', '_', '.', beginning with a letter or a digit")
	}
	return nil
}

// maxIndex is the longest name of an index that OpenSearch takes, in bytes.
const maxIndex = 255

// validateIndex applies OpenSearch's own rules for an index name, so that a bad
// name is refused before a move has begun and not by the cluster in its middle.
func validateIndex(field, name string) error {
	switch {
	case name == "":
		return invalid(field, name, "must not be empty")
	case len(name) > maxIndex:
		return invalid(field, name[:32]+"...", fmt.Sprintf("must be at most %d bytes", maxIndex))
	case name == "." || name == "..":
		return invalid(field, name, "must not be . or ..")
	case strings.ToLower(name) != name:
		return invalid(field, name, "must be lower case")
	case strings.ContainsAny(name, "\\/*?\"<>| ,#:") || !utf8.ValidString(name):
		return invalid(field, name, `must not contain \ / * ? " < > | , # : or a space`)
	case strings.ContainsAny(name[:1], "-_+."):
		return invalid(field, name, "must not begin with - _ + or .")
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return invalid(field, fmt.Sprintf("%q", name), "must not contain control characters")
		}
	}
	return nil
}

// InvalidError says which field of an input is wrong and what it must be.
type InvalidError struct {
	Field string // path of the field, as a user writes it
	Value string // what was given
	Fix   string // what it must be
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s: %q %s", e.Field, e.Value, e.Fix)
}

// ErrorCode is its code in the catalogue of errors.
func (e *InvalidError) ErrorCode() string { return "invalid" }

func invalid(field, value, fix string) error {
	return &InvalidError{Field: field, Value: value, Fix: fix}
}
