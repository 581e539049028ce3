package placement

import (
	"net/url"
	"strconv"
	"strings"
)

// Cluster is a named OpenSearch cluster. It holds references to credentials,
// never the credentials: each process reads those from its own files or
// environment.
type Cluster struct {
	Name      string   `json:"name"`
	Endpoints []string `json:"endpoints"` // http or https URLs, no path
	// Username and one of PasswordFile or PasswordEnv, for basic authentication.
	Username     string `json:"username,omitempty"`
	PasswordFile string `json:"password_file,omitempty"`
	PasswordEnv  string `json:"password_env,omitempty"`
	// CAFile verifies https endpoints; empty means the system's roots.
	CAFile string `json:"ca_file,omitempty"`
}

// Validate returns an *InvalidError that names the field and the fix, or nil.
func (c Cluster) Validate() error {
	if err := ValidateClusterName(c.Name); err != nil {
		return err
	}
	if len(c.Endpoints) == 0 {
		return invalid("endpoints", "", "must name at least one http:// or https:// URL")
	}
	for i, e := range c.Endpoints {
		field := "endpoints[" + strconv.Itoa(i) + "]"
		u, err := url.Parse(e)
		switch {
		case err != nil:
			return invalid(field, HideUser(e), "must be a URL such as https://search-1:9200")
		case u.Scheme != "http" && u.Scheme != "https":
			return invalid(field, HideUser(e), "must begin with http:// or https://")
		case u.Host == "" || u.Hostname() == "":
			return invalid(field, HideUser(e), "must name a host")
		case u.User != nil:
			return invalid(field, HideUser(e), "must not hold credentials; use username with password_file or password_env")
		case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
			return invalid(field, HideUser(e), "must have no path, query or fragment")
		}
	}
	if c.PasswordFile != "" && c.PasswordEnv != "" {
		return invalid("password_env", c.PasswordEnv, "must be empty when password_file is set")
	}
	if (c.Username == "") != (c.PasswordFile == "" && c.PasswordEnv == "") {
		return invalid("username", c.Username, "must come with password_file or password_env, and they with it")
	}
	return nil
}

// HideUser returns an address as it may be shown in a message: without what stands
// before the last @, which may be a password, also where the address cannot even be
// parsed.
func HideUser(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return "xxxxx" + address[i:]
	}
	return address
}
