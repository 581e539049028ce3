package demo_test

import (
	"errors"
	"testing"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/placement"
)

func TestStoreOption(t *testing.T) {
	for _, name := range demo.Stores {
		o := demo.Defaults()
		o.Store = name
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := demo.Defaults()
	o.Store = "zookeeper"
	var inv *placement.InvalidError
	if err := o.Validate(); !errors.As(err, &inv) || inv.Field != "--store" {
		t.Errorf("an unknown store: %v", err)
	}
	o = demo.Defaults()
	o.Throttle = "half"
	if err := o.Validate(); !errors.As(err, &inv) || inv.Field != "--copy-throttle" {
		t.Errorf("an unknown throttle: %v", err)
	}
}
