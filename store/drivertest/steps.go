package drivertest

import (
	"testing"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Put writes a record that must be at the expected version, and returns the new one.
func Put(t testing.TB, d driver.Driver, k driver.Key, value string, expect driver.Version) driver.Version {
	t.Helper()
	v, err := d.Write(t.Context(), driver.Write{Key: k, Value: []byte(value), Expect: expect})
	if err != nil {
		t.Fatalf("write at %d: %v", expect, err)
	}
	return v
}

// Must returns a step of a Victim that fails the test when f does.
func Must(t testing.TB, f func() error) func() {
	return func() {
		t.Helper()
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
}
