package consulstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// List implements driver.Driver by one consistent query of all records and the
// generation among them: that is one moment, and its version. Consul cannot give it
// in pages of one moment; what it can do is done: the answer is decoded as it
// arrives and never held here, one record at a time. A list that breaks off is an
// error, since what was yielded cannot be taken back.
//
// Records whose lease has ended are removed first, if that can be done.
func (s *Store) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	doing := "list " + space
	if err := (driver.Key{Space: space, Name: "x"}).Validate(); err != nil {
		return 0, fmt.Errorf("consul: %s: %w", doing, err)
	}
	ended, err := s.ended(ctx, doing, space)
	if err != nil {
		return 0, err
	}
	s.reapInPassing(ctx, space, ended...)
	body, err := s.stream(ctx, doing, space)
	if err != nil {
		return 0, err
	}
	if body == nil {
		return s.listOfNothing(ctx, space)
	}
	defer body.close()
	v, err := s.decodeList(body, space, yield)
	switch {
	case err == nil:
		return v, nil
	case s.over():
		err = ErrClosed
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return 0, fmt.Errorf("consul: %s: %w", doing, err)
}

// listOfNothing is the list of a space that has no key: nobody has ever written to
// it. Consul also says that there is none when the token may not read them; asked
// for a single key, it says that. A generation that has been made since is that of a
// space without a change, or newer than this list; none is older.
func (s *Store) listOfNothing(ctx context.Context, space string) (driver.Version, error) {
	if _, err := s.Head(ctx, space); err != nil {
		return 0, err
	}
	return 0, nil
}

// decodeList yields the records of an answer. The generation comes where its key
// belongs, which may be after a record at which yield has had enough: then the
// rest is still read, for its version.
func (s *Store) decodeList(body io.Reader, space string, yield func(driver.KV) bool) (driver.Version, error) {
	d := json.NewDecoder(body)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return 0, errors.Join(errors.New("the answer is no list"), err)
	}
	var at driver.Version
	more, found := true, false
	for d.More() {
		var p api.KVPair
		if err := d.Decode(&p); err != nil {
			return 0, fmt.Errorf("it broke off: %w", err)
		}
		if p.Key == s.gen(space) {
			at, found = generation(&p), true
			if !more {
				return at, nil
			}
			continue
		}
		if !more {
			continue
		}
		kv, err := unpack(&p)
		if err != nil {
			return 0, err
		}
		if more = yield(kv); !more && found {
			return at, nil
		}
	}
	if _, err := d.Token(); err != nil {
		return 0, fmt.Errorf("it broke off: %w", err)
	}
	if !found {
		return 0, fmt.Errorf("%w: the token may not read %s", errForbidden, s.gen(space))
	}
	return at, nil
}

// stream begins the query and returns the answer's body, or nil when there are no
// such keys. It asks again until an answer begins.
func (s *Store) stream(ctx context.Context, doing, space string) (*watchdog, error) {
	waiting, done := s.bound(ctx, s.listTimeout)
	defer done()
	var body *watchdog
	err := s.call(waiting, doing, func(_ context.Context, a *agent) error {
		// The body is read for longer than the attempt lasts: under ctx, not waiting.
		reading, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(s.life, cancel)
		w := &watchdog{patience: s.listTimeout, cancel: cancel, release: stop}
		abandon := context.AfterFunc(waiting, cancel)
		resp, err := s.fetch(reading, a, space)
		if err == nil {
			w.body = resp.Body
		}
		if !abandon() && err == nil {
			err = waiting.Err()
		}
		switch {
		case err != nil:
		case resp.StatusCode == http.StatusOK:
			body = w
			return nil
		case resp.StatusCode != http.StatusNotFound:
			text, _ := io.ReadAll(io.LimitReader(w, 1000))
			err = api.StatusError{Code: resp.StatusCode, Body: string(text)}
		}
		w.close()
		return err
	}, func(err error) bool { return !definite(err) })
	return body, err
}

// fetch is one request; the client library would hold the whole answer.
func (s *Store) fetch(ctx context.Context, a *agent, space string) (*http.Response, error) {
	q := url.Values{"recurse": {""}, "consistent": {""}}
	if s.datacenter != "" {
		q.Set("dc", s.datacenter)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/v1/kv/"+s.data(space)+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return s.http.Do(req)
}

// watchdog ends a body when nothing comes for too long. The time that its reader
// takes does not count.
type watchdog struct {
	body     io.ReadCloser // nil when the request failed
	patience time.Duration
	cancel   context.CancelFunc // of the request
	release  func() bool
}

func (w *watchdog) Read(p []byte) (int, error) {
	t := time.AfterFunc(w.patience, w.cancel)
	defer t.Stop()
	return w.body.Read(p)
}

func (w *watchdog) close() {
	w.release()
	w.cancel()
	if w.body != nil {
		_ = w.body.Close()
	}
}
