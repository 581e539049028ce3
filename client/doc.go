// Package client asks a fleet by its HTTP API, /api/v1. Its requests and models are
// generated from docs/openapi.yaml, and nothing of the fleet is linked with them; what
// is written by hand is how a controller is reached, who asks, and what becomes of an
// answer that is a problem. The command line is built on it.
//
//	api, err := client.Dial("https://sluice.example.com:9282", &client.Options{TokenFile: "/etc/ci/sluice.token"})
//	...
//	list, err := api.ListTenantsWithResponse(ctx, &client.ListTenantsParams{})
//
// Every operation is there twice: by its name it returns the answer as it came, which
// [Read] decodes into a type of the caller's, and with the suffix WithResponse an answer
// that is decoded into the generated models.
//
// What it refuses: to send a token in clear to another machine; to repeat a change
// without the key that makes it one change; and to take an answer for data that is
// none. A problem of the API is an error, a *[Problem], whichever operation had it.
package client

//go:generate go test -run TestGenerated . -update
