package tenancy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/bcrypt"

	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/placement"
)

const (
	maxPassword = 72 // bcrypt looks no further: a longer one would be taken with any end
	maxCost     = 16 // about five seconds
)

const wrongUser = "the user or the password is wrong" // one answer for both

// basicAuth returns user and password; ok is false if the request has none.
func basicAuth(r *http.Request) (user, password string, ok bool, err error) {
	text, err := authorization(r, "Basic")
	if err != nil || text == "" {
		return "", "", false, err
	}
	user, password, ok = r.BasicAuth()
	if !ok || user == "" {
		return "", "", false, refused("the Authorization header is not one of basic authentication")
	}
	return user, password, true, nil
}

// trustedUser is the user's name of basic authentication, which somebody else has
// checked.
type trustedUser struct{ authorized }

func (trustedUser) find(r *http.Request) (string, Role, error) {
	user, _, _, err := basicAuth(r)
	return user, 0, err
}

// users is basic authentication against a file of bcrypt's hashes. These are made
// to be slow, so a password that was right is remembered, for as long as the file
// stays the same, as a keyed hash; and only some requests compute at once, so that
// guessing does not take the machine from those who need not guess.
type users struct {
	authorized
	file  *reload.Value[map[string]*user]
	turns chan struct{}
	key   [32]byte // of what is remembered
	dummy []byte   // compared with the password of a user who is not there
}

type user struct {
	hash   []byte
	tenant string
	role   Role                              // 0: the line has none
	known  atomic.Pointer[[sha256.Size]byte] // keyed hash of the right password; nil: not seen yet
}

func newUsers(c Basic, o *Options) (*users, error) {
	u := &users{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	_, _ = rand.Read(u.key[:]) // never fails
	v, err := reload.New(func() (map[string]*user, error) { return readUsers(c.UsersFile) }, []string{c.UsersFile}, o.reload())
	if err != nil {
		return nil, err
	}
	u.file = v
	for _, x := range v.Get() { // as slow as a real one
		u.dummy = x.hash
		break
	}
	return u, nil
}

func readUsers(file string) (map[string]*user, error) {
	all := map[string]*user{}
	return all, lines("basic.users_file", file, func(line string) error {
		name, rest, _ := strings.Cut(line, ":")
		hash, tenant, found := strings.Cut(rest, ":")
		if !found {
			tenant = name
		}
		hash, role, err := splitRole(hash)
		if err != nil {
			return err
		}
		cost, err := bcrypt.Cost([]byte(hash))
		switch {
		case name == "":
			return errors.New("must begin with a user's name")
		case err != nil:
			return errors.New("must be USER:HASH or USER:HASH:TENANT with a hash of bcrypt, such as `htpasswd -nB USER` prints")
		case cost > maxCost:
			return fmt.Errorf("has a hash of cost %d; at most %d is accepted", cost, maxCost)
		case all[name] != nil:
			return errors.New("has a user of a line before it")
		}
		if err := placement.PartitionID(tenant).Validate(); err != nil {
			return err
		}
		all[name] = &user{hash: []byte(hash), tenant: tenant, role: role}
		return nil
	})
}

func (u *users) find(r *http.Request) (string, Role, error) {
	name, password, ok, err := basicAuth(r)
	if err != nil || !ok {
		return "", 0, err
	}
	if len(password) > maxPassword {
		return "", 0, refused(wrongUser)
	}
	x := u.file.Get()[name]
	m := hmac.New(sha256.New, u.key[:])
	m.Write([]byte(password))
	sum := [sha256.Size]byte(m.Sum(nil))
	if x != nil && x.remembers(sum) {
		return x.tenant, x.role, nil
	}
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-r.Context().Done():
		return "", 0, r.Context().Err()
	}
	if x == nil {
		// Who exists is not told by the time that the answer takes.
		_ = bcrypt.CompareHashAndPassword(u.dummy, []byte(password))
		return "", 0, refused(wrongUser)
	}
	if x.remembers(sum) { // somebody who waited in front of us had it right
		return x.tenant, x.role, nil
	}
	if bcrypt.CompareHashAndPassword(x.hash, []byte(password)) != nil {
		return "", 0, refused(wrongUser)
	}
	x.known.Store(&sum)
	return x.tenant, x.role, nil
}

func (x *user) remembers(sum [sha256.Size]byte) bool {
	known := x.known.Load()
	return known != nil && hmac.Equal(known[:], sum[:])
}
