package token

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// How often keys are fetched: again when they are old, and sooner when a token names one
// that is not there, because an issuer begins to sign with a key when it has published it.
const (
	keysAge   = 10 * time.Minute
	keysPause = 10 * time.Second // at least, between two fetches
	fetchTime = 5 * time.Second
	maxKeySet = 1 << 20
)

// Fetched are keys at an address. The zero value is not useful; see NewFetched.
type Fetched struct {
	field, url string
	client     *http.Client
	log        *slog.Logger

	mu    sync.Mutex // held during a fetch: all who need newer keys wait for one
	keys  []jose.JSONWebKey
	tried time.Time // with the monotonic clock
	got   time.Time
}

// NewFetched returns the keys at an https URL, or of this machine; nothing is fetched
// before they are needed. field names the setting in messages. t may be nil.
func NewFetched(field, url string, t *tls.Config, log *slog.Logger) *Fetched {
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.TLSClientConfig = t
	return &Fetched{field: field, url: url, log: log, client: &http.Client{
		Transport: tr, Timeout: fetchTime,
		// Keys are trusted for where they come from.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends idle connections.
func (f *Fetched) Close() { f.client.CloseIdleConnections() }

// Check is a Checker's with these keys. An error that is no *RefusedError means that the
// keys could not be had.
func (f *Fetched) Check(ctx context.Context, c Checker, text string) (map[string]any, error) {
	keys, err := f.get(ctx, false)
	if err != nil {
		return nil, err
	}
	c.Keys = func() []jose.JSONWebKey { return keys }
	claims, err := c.Check(text)
	if !errors.Is(err, errUnknownKey) {
		return claims, err
	}
	if keys, err = f.get(ctx, true); err != nil {
		return nil, err
	}
	return c.Check(text)
}

// get returns the keys, fetched anew if they are old, or if newer ones are asked for and
// the last try is some time ago. Keys that there are stay in use while none can be had.
func (f *Fetched) get(ctx context.Context, newer bool) ([]jose.JSONWebKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	old := f.keys == nil || now.Sub(f.got) >= keysAge || newer
	if !old || !f.tried.IsZero() && now.Sub(f.tried) < keysPause {
		if f.keys == nil {
			return nil, fmt.Errorf("%s: the keys at %s could not be fetched just now", f.field, f.url)
		}
		return f.keys, nil
	}
	f.tried = now
	// Detached: others wait for this fetch.
	keys, err := f.fetch(context.WithoutCancel(ctx))
	switch {
	case err == nil:
		f.keys, f.got = keys, now
	case f.keys == nil:
		return nil, err
	default:
		f.log.Error("the keys of tokens cannot be fetched; those of before stay in use", "url", f.url, "err", err)
	}
	return f.keys, nil
}

func (f *Fetched) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.field, err)
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.field, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s: %s answers %d", f.field, f.url, resp.StatusCode), err)
	}
	return ParseKeys(f.field, f.url, b)
}
