// Package drivertest is the one conformance suite of the drivers: every
// guarantee that package driver states is a named subtest of [Run], checked
// against the real engine.
package drivertest

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Harness says how to get at an engine.
type Harness struct {
	// New returns a driver on an empty namespace of its own.
	New func(t *testing.T) driver.Driver
	// TTL is the shortest that the engine grants exactly.
	TTL time.Duration
	// Late is by how much the end of a lease may be seen later than its TTL.
	Late time.Duration
	// Compact makes the engine forget what a watch of d could go back to.
	Compact func(t *testing.T, d driver.Driver)
	// Faults returns a driver whose connection can be broken; nil when there is
	// none to break.
	Faults func(t *testing.T) Faults
}

// Faults are two ways to one namespace, one of which can be broken.
type Faults struct {
	Driver     driver.Driver // its way breaks
	Direct     driver.Driver // its way does not
	Cut        func()        // requests do not arrive
	CutReplies func()        // requests arrive, answers do not
	Heal       func()
}

// Run checks every guarantee, each as a subtest.
func Run(t *testing.T, h Harness) {
	for name, check := range map[string]func(*testing.T, Harness){
		"MissingKey": testMissingKey, "CreateRace": testCreateRace, "VersionConflict": testVersionConflict,
		"SameValue": testSameValue, "Delete": testDelete, "Names": testNames, "Spaces": testSpaces,
		"Cancelled": testCancelled, "Head": testHead, "List": testList, "ListWatch": testListWatch,
		"Compaction": testCompaction, "WatchBroken": testWatchBroken,
		"SessionRenewed": testSessionRenewed, "SessionExpires": testSessionExpires,
		"SessionUnique": testSessionUnique, "SessionCloses": testSessionCloses,
		"Failed": testFailed, "FailedButPersisted": testFailedButPersisted,
	} {
		t.Run(name, func(t *testing.T) { check(t, h) })
	}
}
