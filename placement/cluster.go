package placement

import (
	"net/url"
	"slices"
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
	// APIKeyFile or APIKeyEnv hold a key that is sent as Authorization: ApiKey KEY, or
	// by itself in the header APIKeyHeader.
	APIKeyFile   string `json:"api_key_file,omitempty"`
	APIKeyEnv    string `json:"api_key_env,omitempty"`
	APIKeyHeader string `json:"api_key_header,omitempty"`
	// AWSRegion has requests signed (Signature Version 4) for AWSService, one of
	// AWSServices; empty: es. The credentials are those of AWSProfile in
	// AWSCredentialsFile, or without a file what the AWS SDK finds by itself.
	AWSRegion          string `json:"aws_region,omitempty"`
	AWSService         string `json:"aws_service,omitempty"`
	AWSProfile         string `json:"aws_profile,omitempty"`
	AWSCredentialsFile string `json:"aws_credentials_file,omitempty"`
	// CAFile verifies https endpoints; empty means the system's roots.
	CAFile string `json:"ca_file,omitempty"`
	// CertFile and KeyFile are the certificate that is shown to https endpoints.
	CertFile string `json:"cert_file,omitempty"`
	KeyFile  string `json:"key_file,omitempty"`
	// ServerName is the name that the endpoints' certificates must have, if it is not
	// that of their URLs.
	ServerName string `json:"server_name,omitempty"`
	// Protocol is one of Protocols; empty: HTTP/2 where a TLS handshake offers it,
	// HTTP/1.1 otherwise.
	Protocol string `json:"protocol,omitempty"`
}

// The values of Cluster.Protocol: HTTP/1.1 only, or HTTP/2 only, without TLS too.
const (
	ProtocolHTTP1 = "http1"
	ProtocolHTTP2 = "h2"
)

// AWSServices are the names that requests may be signed for: a domain of Amazon
// OpenSearch Service, and a collection of OpenSearch Serverless.
var AWSServices = []string{"es", "aoss"}

// SignsRequests reports whether requests are signed with credentials of AWS.
func (c Cluster) SignsRequests() bool { return c.AWSRegion != "" }

// HasSecret reports whether requests carry a password or a key. A signature is none:
// who reads it cannot make another.
func (c Cluster) HasSecret() bool { return c.Username != "" || c.APIKeyFile != "" || c.APIKeyEnv != "" }

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
	if err := c.validateTLS(); err != nil {
		return err
	}
	return c.validateCredentials()
}

func (c Cluster) validateTLS() error {
	if (c.CertFile == "") != (c.KeyFile == "") {
		return invalid("key_file", c.KeyFile, "must come with cert_file, and it with key_file")
	}
	if c.CertFile+c.ServerName != "" {
		for _, e := range c.Endpoints {
			if !strings.HasPrefix(e, "https://") {
				return invalid("endpoints", e, "must begin with https:// when cert_file or server_name is set")
			}
		}
	}
	if c.Protocol != "" && c.Protocol != ProtocolHTTP1 && c.Protocol != ProtocolHTTP2 {
		return invalid("protocol", c.Protocol, "must be http1 or h2, or empty to have it negotiated")
	}
	return nil
}

// validateCredentials: one way to authenticate, and all of it.
func (c Cluster) validateCredentials() error {
	if c.PasswordFile != "" && c.PasswordEnv != "" {
		return invalid("password_env", c.PasswordEnv, "must be empty when password_file is set")
	}
	if c.APIKeyFile != "" && c.APIKeyEnv != "" {
		return invalid("api_key_env", c.APIKeyEnv, "must be empty when api_key_file is set")
	}
	key := c.APIKeyFile != "" || c.APIKeyEnv != ""
	if c.APIKeyHeader != "" {
		if !key {
			return invalid("api_key_header", c.APIKeyHeader, "must come with api_key_file or api_key_env")
		}
		if strings.ContainsFunc(c.APIKeyHeader, func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			return invalid("api_key_header", c.APIKeyHeader, "must be the name of a header such as X-Api-Key")
		}
	}
	if !c.SignsRequests() && c.AWSService+c.AWSProfile+c.AWSCredentialsFile != "" {
		return invalid("aws_region", "", "must be set when aws_service, aws_profile or aws_credentials_file is")
	}
	if s := c.AWSService; s != "" && !slices.Contains(AWSServices, s) {
		return invalid("aws_service", s, "must be es for a domain, or aoss for a serverless collection")
	}
	if c.Username != "" && (key || c.SignsRequests()) || key && c.SignsRequests() {
		return invalid("username", c.Username, "must be the only way to authenticate: one of a user, an API key and AWS")
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
