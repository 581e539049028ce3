// Package api is the HTTP API of a fleet, /api/v1: what an operator can read and ask
// for, over package control, described by an OpenAPI document that is made from this
// code. It is off the path of requests: it is served by controllers, and nothing waits
// for it.
//
// What it refuses: whoever cannot say who he is, but to look, on the same machine; and
// to guess: a store that cannot be read is an error and never an empty list. Every
// refusal is a problem of one table ([Problems]), made by one mapper.
package api

//go:generate go test -run TestOpenAPI . -update
