package affinity

import "github.com/sluiceproxy/sluice/placement"

// MACSize is the length of what is behind the sealed bytes.
const MACSize = macSize

// Seal signs bytes that Wrap need not have made.
func (s *Sealer) Seal(b []byte) string {
	return encoding.EncodeToString(s.keys[0].appendMAC(b[:len(b):len(b)], b))
}

// Owner is the partition in the bytes of an envelope, if they are of one.
func Owner(b []byte) placement.PartitionID {
	e, _ := decode(b)
	return e.Partition
}
