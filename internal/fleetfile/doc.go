// Package fleetfile is the file that says what a fleet shall be: its clusters, its
// tenants with their labels, and where they live. It reads such files and writes them,
// and compares what they say with a fleet as it is. What it returns is a plan: which
// clusters and tenants are new, whose labels change, who moves, and who is in the way.
//
// It is pure: it reads no file, asks no store and changes nothing. A file that it does
// not understand to the last field it refuses, with the place and the fix, since a typo
// that is passed over would be a tenant that moves, or does not. Anchors and aliases of
// YAML it refuses too, for a few lines of them can stand for a gigabyte.
package fleetfile
