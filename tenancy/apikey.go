package tenancy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/placement"
)

// authorization returns what follows a scheme in the Authorization header; "" if
// the request uses another one, or none.
func authorization(r *http.Request, scheme string) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return "", refused("there is more than one Authorization header")
	}
	if len(values) == 0 {
		return "", nil
	}
	word, rest, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(word, scheme) {
		return "", nil
	}
	if rest = strings.Trim(rest, " "); rest == "" {
		return "", refused("the Authorization header is empty")
	}
	return rest, nil
}

// authorized is embedded in places that are in the Authorization header.
type authorized struct{}

func (authorized) strip(r *http.Request) { r.Header.Del("Authorization") }

// lines are the lines of a file of credentials, without comments, by number.
func lines(field, file string, each func(line string) error) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("tenancy.%s: %w", field, err)
	}
	n := 0
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		n++
		if err := each(line); err != nil {
			// Not the line itself: it is half a secret.
			return invalid(field, file, fmt.Sprintf("line %d %s", i+1, err))
		}
	}
	if n == 0 {
		return invalid(field, file, "must have at least one line")
	}
	return nil
}

// apiKeys is the place of API keys. The keys are random, so that their plain
// SHA-256 cannot be searched for, and needs no salt.
type apiKeys struct {
	header string // canonical; "": Authorization
	keys   *reload.Value[map[keyPrefix]apiKey]
}

// keyPrefix is the half of a hash by which a key is found. The other half is then
// compared in constant time.
type keyPrefix [sha256.Size / 2]byte

type apiKey struct {
	hash   [sha256.Size]byte
	tenant string
	role   Role // 0: the line has none
}

func newAPIKeys(c APIKey, o *Options) (*apiKeys, error) {
	read := func() (map[keyPrefix]apiKey, error) {
		keys := map[keyPrefix]apiKey{}
		return keys, lines("api_key.keys_file", c.KeysFile, func(line string) error {
			text, tenant, _ := strings.Cut(line, ":")
			text, role, err := splitRole(text)
			if err != nil {
				return err
			}
			b, err := hex.DecodeString(text)
			if err != nil || len(b) != sha256.Size {
				return fmt.Errorf("must be HASH:TENANT, the SHA-256 of the key in 64 hexadecimal digits")
			}
			if err := placement.PartitionID(tenant).Validate(); err != nil {
				return err
			}
			hash := [sha256.Size]byte(b)
			if _, ok := keys[keyPrefix(b[:len(b)/2])]; ok {
				return fmt.Errorf("has the hash of a line before it")
			}
			keys[keyPrefix(b[:len(b)/2])] = apiKey{hash, tenant, role}
			return nil
		})
	}
	v, err := reload.New(read, []string{c.KeysFile}, o.reload())
	if err != nil {
		return nil, err
	}
	return &apiKeys{c.Header, v}, nil
}

func (o *Options) reload() *reload.Options { return &reload.Options{Every: o.Every, Logger: o.Logger} }

func (a *apiKeys) find(r *http.Request) (string, Role, error) {
	var text string
	if a.header == "" {
		var err error
		if text, err = authorization(r, "ApiKey"); err != nil || text == "" {
			return "", 0, err
		}
	} else {
		values := r.Header.Values(a.header)
		if len(values) == 0 {
			return "", 0, nil
		}
		if len(values) > 1 {
			return "", 0, refused("there is more than one header " + a.header)
		}
		text = values[0]
	}
	sum := sha256.Sum256([]byte(text))
	key := a.keys.Get()[keyPrefix(sum[:len(sum)/2])]
	if key.tenant == "" || subtle.ConstantTimeCompare(key.hash[:], sum[:]) != 1 {
		return "", 0, refused("the API key is not known")
	}
	return key.tenant, key.role, nil
}

func (a *apiKeys) strip(r *http.Request) {
	if a.header == "" {
		authorized{}.strip(r)
		return
	}
	r.Header.Del(a.header)
}
