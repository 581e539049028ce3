package placement

import "fmt"

// What a refusal names when it is not a transition that was refused.
const (
	opRead     Op = "read"
	opRegister Op = "register"
	opWrite    Op = "write"
)

// AdmitWrite says whether a write that was resolved at epoch at may be admitted
// against e: only outside Cutover, and only if the entry has not changed since.
// A refusal is ErrUnknownPartition, ErrInCutover (hold the write, and resolve it
// again) or ErrStaleEpoch (resolve it again at once). Cutover is told first:
// a write that came before it is stale too, but resolving it again at once would
// only meet the same Cutover.
func (e Entry) AdmitWrite(at Epoch) error {
	refuse := func(c Code, detail string) error {
		return &Refusal{Code: c, Op: opWrite, Partition: e.Partition, State: e.State, Epoch: e.Epoch, Detail: detail}
	}
	switch {
	case e.Epoch == 0:
		return refuse(CodeUnknownPartition, "")
	case e.State.Phase == Cutover:
		return refuse(CodeInCutover, "writes are held until it has ended")
	case at != e.Epoch:
		return refuse(CodeStaleEpoch, fmt.Sprintf("resolved at epoch %d", at))
	}
	return nil
}
