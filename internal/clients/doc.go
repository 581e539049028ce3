// Package clients is a test: the official OpenSearch clients, as they are published, are run against a cluster and
// against a proxy in front of it, and have to be given the same answers.
//
// Each client's program makes the same calls and prints one line of JSON for each. What has to differ, because of
// how a tenant is kept apart or can be moved, is in a table with the reason; an entry of that table which nothing
// needs fails the test as well. docs/clients.md is made from it.
//
// Clients are fetched by the package managers of their languages, in versions that lock files pin, into sluice/clients
// in the user's cache directory.
package clients

//go:generate go test -run TestPage . -update
