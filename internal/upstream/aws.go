package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/placement"
)

// signer signs requests with AWS Signature Version 4.
//
// The payload is always hashed. Without a hash the service could be told
// UNSIGNED-PAYLOAD, and bodies could stream, but Amazon documents that for serverless
// collections only, users report that it does not work there, and a domain verifies
// the hash. So a body is in memory as a whole before it is sent.
//
// Only Host and the headers of the signature are signed: endpoints in a VPC and load
// balancers change others on the way.
type signer struct {
	region, service string
	keys            *reload.Value[aws.CredentialsProvider]
	sign            *v4.Signer
}

func newSigner(c placement.Cluster, o *Options) (*signer, error) {
	s := &signer{region: c.AWSRegion, service: c.AWSService, sign: v4.NewSigner()}
	if s.service == "" {
		s.service = placement.AWSServices[0]
	}
	files := []string{c.AWSCredentialsFile}
	if c.AWSCredentialsFile == "" {
		files = []string{
			envOr("AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename()),
			envOr("AWS_CONFIG_FILE", config.DefaultSharedConfigFilename()),
		}
	}
	var err error
	s.keys, err = reload.New(func() (aws.CredentialsProvider, error) { return awsKeys(c) }, files, o.reload())
	return s, err
}

func envOr(name, other string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return other
}

// awsKeys returns what gives the access keys: the file's, or those of the SDK's own
// chain, which renews by itself what expires. The chain asks nobody yet.
func awsKeys(c placement.Cluster) (aws.CredentialsProvider, error) {
	ctx := context.Background()
	if c.AWSCredentialsFile == "" {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.AWSRegion), config.WithSharedConfigProfile(c.AWSProfile))
		if err != nil {
			return nil, fmt.Errorf("aws_profile: %w", err)
		}
		return cfg.Credentials, nil
	}
	profile := c.AWSProfile
	if profile == "" {
		profile = config.DefaultSharedConfigProfile
	}
	p, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
		o.CredentialsFiles, o.ConfigFiles = []string{c.AWSCredentialsFile}, []string{}
	})
	if err != nil {
		return nil, fmt.Errorf("aws_credentials_file: %w", err)
	}
	if !p.Credentials.HasKeys() {
		return nil, &placement.InvalidError{Field: "aws_credentials_file", Value: c.AWSCredentialsFile,
			Fix: "must hold aws_access_key_id and aws_secret_access_key in its section [" + profile + "]"}
	}
	return credentials.StaticCredentialsProvider{Value: p.Credentials}, nil
}

func (s *signer) prepare(r *http.Request) (*http.Request, string, error) {
	body, hash, err := readWhole(r.Body, r.ContentLength)
	if err != nil {
		return nil, "", err
	}
	out := new(http.Request)
	*out = *r
	out.Body, out.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	return out, hash, nil
}

func (s *signer) authorize(r *http.Request, hash string) error {
	keys, err := s.keys.Get().Retrieve(r.Context())
	if err != nil {
		return fmt.Errorf("no credentials of AWS: %w", err)
	}
	u := *r.URL
	bare := &http.Request{Method: r.Method, URL: &u, Host: r.Host, Header: http.Header{"X-Amz-Content-Sha256": {hash}}}
	if err := s.sign.SignHTTP(r.Context(), keys, bare, hash, s.service, s.region, time.Now()); err != nil {
		return fmt.Errorf("sign for AWS: %w", err)
	}
	// The signer writes the query as it has signed it: a plus sign would be read as a
	// space by one side and as itself by the other.
	r.URL.RawQuery = u.RawQuery
	maps.Copy(r.Header, bare.Header)
	return nil
}
