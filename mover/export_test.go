package mover

// DecodeBulk says of each item whether it was applied.
func DecodeBulk(raw []byte, want int) ([]bool, error) {
	got, err := decodeBulk(raw, want)
	out := make([]bool, len(got))
	for i, a := range got {
		out[i] = a.outcome == applied
	}
	return out, err
}

// Different is what SyncMeta would set at the target.
var Different = different

// Touches reports whether a task's description names one of the indices.
func Touches(description string, ours ...string) bool {
	set := map[string]bool{}
	for _, o := range ours {
		set[o] = true
	}
	return (&Mover{}).touches(description, set)
}
