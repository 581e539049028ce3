package upstream

import (
	"fmt"
	"net/http"
	"os"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/placement"
)

// authorizer is a way to authenticate to a cluster.
type authorizer interface {
	// prepare is called once for a request, before an endpoint is chosen. It returns
	// the request with a body that it may have read and kept, and the body's hash if
	// it needs one. On an error the body is closed.
	prepare(r *http.Request) (*http.Request, string, error)
	// authorize adds the credentials to a request that names its endpoint.
	authorize(r *http.Request, hash string) error
}

func newAuthorizer(c placement.Cluster, o *Options) (authorizer, error) {
	switch {
	case c.SignsRequests():
		return newSigner(c, o)
	case c.Username != "":
		get, err := secret("password", c.PasswordFile, c.PasswordEnv, o)
		return basic{user: c.Username, password: get}, err
	case c.APIKeyFile != "" || c.APIKeyEnv != "":
		get, err := secret("api_key", c.APIKeyFile, c.APIKeyEnv, o)
		return apiKey{header: c.APIKeyHeader, key: get}, err
	}
	return anonymous{}, nil
}

// secret returns what gives the content of a file, which is read again when it
// changes, or of an environment variable, which does not change.
func secret(what, file, env string, o *Options) (func() string, error) {
	if file == "" {
		text := os.Getenv(env)
		if text == "" {
			return nil, fmt.Errorf("%s_env: the environment variable %s is not set", what, env)
		}
		return func() string { return text }, nil
	}
	v, err := reload.New(func() (string, error) { return credentials.Secret(what+"_file", file, what) }, []string{file}, o.reload())
	if err != nil {
		return nil, err
	}
	return v.Get, nil
}

// streaming is embedded in ways to authenticate that need not see the body.
type streaming struct{}

func (streaming) prepare(r *http.Request) (*http.Request, string, error) { return r, "", nil }

type anonymous struct{ streaming }

func (anonymous) authorize(*http.Request, string) error { return nil }

type basic struct {
	streaming
	user     string
	password func() string
}

func (b basic) authorize(r *http.Request, _ string) error {
	r.SetBasicAuth(b.user, b.password())
	return nil
}

type apiKey struct {
	streaming
	header string // empty: Authorization
	key    func() string
}

func (a apiKey) authorize(r *http.Request, _ string) error {
	if a.header == "" {
		r.Header.Set("Authorization", "ApiKey "+a.key())
		return nil
	}
	r.Header.Set(a.header, a.key())
	return nil
}
