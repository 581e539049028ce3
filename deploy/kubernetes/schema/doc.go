// Package schema holds the test of the manifests beside it: each decodes strictly into
// Kubernetes's own types. It is a module of its own, so that the program does not depend
// on those.
package schema
