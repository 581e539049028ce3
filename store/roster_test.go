package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// strikes removes the roster record just before the session is opened, as the
// controllers do when a process slept for long between the two writes.
type strikes struct{ *memstore.Store }

func (d strikes) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	k := driver.Key{Space: store.SpaceRoster, Name: key.Name}
	kv, err := d.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	if _, err := d.Write(ctx, driver.Write{Key: k, Expect: kv.Version, Delete: true}); err != nil {
		return nil, err
	}
	return d.Store.Open(ctx, key, value, ttl)
}

func TestASessionWithoutARosterRecordIsGivenUp(t *testing.T) {
	s := store.New(strikes{memstore.New(nil)}, nil)
	if _, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy}, store.Report{}, nil); err == nil {
		t.Fatal("the session was opened although it is on no roster")
	}
	left, _, err := s.Sessions().List(t.Context())
	if err != nil || len(left) != 0 {
		t.Fatalf("sessions left behind: %v, %v", left, err)
	}
}
