// Package schema holds the tests of the manifests beside it: each decodes strictly into
// Kubernetes's own types, and kubectl creates them as docs/running.md says. It is a module
// of its own, so that the program does not depend on those.
package schema
