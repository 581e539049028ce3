package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/placement"
)

func clusterCommand() *cobra.Command {
	return group("cluster", "Name the OpenSearch clusters that tenants can live on",
		"  sluice cluster add a http://search-a:9200\n  sluice cluster list\n  sluice cluster remove a",
		clusterAdd(), clusterList(), clusterRemove())
}

func clusterAdd() *cobra.Command {
	var in placement.Cluster
	var noCheck, replace bool
	c := &cobra.Command{
		Use:   "add NAME URL...",
		Short: "Add a cluster by its endpoints",
		Long: `Add a cluster by its endpoints. It is asked for its version first, unless --no-check is given.

The table keeps only where a password, key or certificate is found, never the secret itself:
each proxy and controller reads it from its own file or environment, and files again when
they change. docs/clusters.md says more.`,
		Example: `  sluice cluster add a http://search-a:9200
  sluice cluster add b https://search-b1:9200 https://search-b2:9200 --username sluice --password-file /etc/sluice/b.password --ca-file /etc/sluice/b.pem
  sluice cluster add c https://search-c:9200 --api-key-file /etc/sluice/c.key --cert-file /etc/sluice/c.pem --key-file /etc/sluice/c-tls.key
  sluice cluster add d https://vpc-d-x.eu-west-1.es.amazonaws.com --aws-region eu-west-1
  sluice cluster add a http://new-a:9200 --replace`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, a []string) error {
			in.Name, in.Endpoints = a[0], a[1:]
			if err := in.Validate(); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			out, err := putCluster(c, f, in, noCheck, replace)
			if err != nil {
				return err
			}
			if in.HasSecret() && credentials.InClear(in.Endpoints) {
				_, _ = fmt.Fprintf(c.ErrOrStderr(), "warning: the credentials of cluster %s cross the network in the clear: an endpoint begins with http://\n", in.Name)
			}
			return answer(c, out, func() error {
				found := ""
				if out.Found != "" {
					found = ": " + out.Found
				}
				_, err := fmt.Fprintf(c.OutOrStdout(), "cluster %s added%s\n", in.Name, found)
				return err
			}, in.Name)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Username, "username", "", "user for basic authentication")
	f.StringVar(&in.PasswordFile, "password-file", "", "file that holds the user's password, on every proxy and controller")
	f.StringVar(&in.PasswordEnv, "password-env", "", "environment variable that holds the user's password, on every proxy and controller")
	f.StringVar(&in.APIKeyFile, "api-key-file", "", "file that holds an API key, on every proxy and controller")
	f.StringVar(&in.APIKeyEnv, "api-key-env", "", "environment variable that holds an API key, on every proxy and controller")
	f.StringVar(&in.APIKeyHeader, "api-key-header", "", "header that carries the API key (default: Authorization: ApiKey KEY)")
	f.StringVar(&in.AWSRegion, "aws-region", "", "sign requests for AWS, for this region")
	f.StringVar(&in.AWSService, "aws-service", "", "service that requests are signed for: es for a domain, aoss for a serverless collection (default es)")
	f.StringVar(&in.AWSProfile, "aws-profile", "", "profile of the AWS credentials (default: what the environment says, or default)")
	f.StringVar(&in.AWSCredentialsFile, "aws-credentials-file", "", "file with access keys, on every proxy and controller (default: as the AWS SDK finds them)")
	f.StringVar(&in.CertFile, "cert-file", "", "certificate that is shown to https endpoints")
	f.StringVar(&in.KeyFile, "key-file", "", "key of that certificate")
	f.StringVar(&in.ServerName, "server-name", "", "name that the endpoints' certificates must have (default: that of their URLs)")
	f.StringVar(&in.Protocol, "protocol", "", "http1 or h2, the latter without TLS too (default: HTTP/2 where a TLS handshake offers it, else HTTP/1.1)")
	f.StringVar(&in.CAFile, "ca-file", "", "certificates that verify https endpoints (default: the system's)")
	f.BoolVar(&noCheck, "no-check", false, "do not ask the cluster for its version")
	f.BoolVar(&replace, "replace", false, "change a cluster that exists; it must stay the same cluster, with the same data")
	fleetFlags(c)
	outputFlag(c, "its name")
	return c
}

// clusterView is a cluster as the API answers.
type clusterView struct {
	placement.Cluster
	Found   string `json:"found,omitempty"`
	Tenants *int   `json:"tenants,omitempty"`
}

func putCluster(c *cobra.Command, f *fleet, in placement.Cluster, noCheck, replace bool) (clusterView, error) {
	body := as[client.Cluster](in)
	if replace {
		return client.Read[clusterView](f.SetCluster(c.Context(), in.Name, &client.SetClusterParams{NoCheck: &noCheck}, body))
	}
	return client.Read[clusterView](f.AddCluster(c.Context(), &client.AddClusterParams{NoCheck: &noCheck}, body))
}

func clusterList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the clusters and how many tenants live on each",
		Example: "  sluice cluster list\n  sluice cluster list -o json",
		Args:    args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			all, unreadable, err := every[clusterView](func(cursor *string) (*http.Response, error) {
				return f.ListClusters(c.Context(), &client.ListClustersParams{Limit: pageLimit, Cursor: cursor, Tenants: new(true)})
			})
			if err != nil {
				return err
			}
			rows, names := [][]string(nil), []string(nil)
			for _, v := range all {
				names = append(names, v.Name)
				rows = append(rows, []string{v.Name, strings.Join(v.Endpoints, ","), authentication(v.Cluster), strconv.Itoa(*v.Tenants)})
			}
			return errors.Join(append(unreadable, answer(c, all, func() error {
				return table(c.OutOrStdout(), []string{"CLUSTER", "ENDPOINTS", "AUTH", "TENANTS"}, rows)
			}, names...))...)
		}),
	}
	fleetFlags(c)
	outputFlag(c, "the clusters' names")
	return c
}

// authentication is how requests to a cluster authenticate, for people.
func authentication(c placement.Cluster) string {
	switch {
	case c.SignsRequests():
		return "aws " + c.AWSRegion
	case c.Username != "":
		return "user " + c.Username
	case c.HasSecret():
		return "api key"
	case c.CertFile != "":
		return "certificate"
	}
	return "none"
}

func clusterRemove() *cobra.Command {
	c := &cobra.Command{
		Use:     "remove NAME",
		Aliases: []string{"rm"},
		Short:   "Forget a cluster that no tenant and no move uses; its data is not touched",
		Example: "  sluice cluster remove a",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := placement.ValidateClusterName(a[0]); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			if _, err := client.Read[client.Removed](f.RemoveCluster(c.Context(), a[0], nil)); err != nil {
				return err
			}
			return writeRemoved(c, "cluster", a[0])
		},
	}
	c.ValidArgsFunction = completeClusters
	fleetFlags(c)
	outputFlag(c, "its name")
	return c
}
