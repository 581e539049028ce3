package drivertest

import "github.com/sluiceproxy/sluice/store/driver"

// Call is an op for tests of verify.
type Call struct {
	Verb    string
	Name    string
	Value   string
	Expect  driver.Version
	Outcome string
	Version driver.Version
	All     map[string]driver.KV
	Changes []driver.Event
	Floor   driver.Version
	Began   int64
	Ended   int64
}

// Verify judges calls.
func Verify(calls []Call, tape []driver.Event) (int, error) {
	var ops []*op
	for _, c := range calls {
		ops = append(ops, &op{
			verb: verb(c.Verb), name: c.Name, value: c.Value, expect: c.Expect, outcome: outcome(c.Outcome),
			version: c.Version, all: c.All, changes: c.Changes, floor: c.Floor, began: c.Began, ended: c.Ended,
		})
	}
	return verify(ops, tape)
}
