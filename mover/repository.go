package mover

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// Repository is how a cluster describes a place for snapshots.
type Repository struct {
	Type     string         `json:"type"`
	Settings map[string]any `json:"settings"`
}

// ReadOnly reports whether the cluster writes nothing there.
func (r Repository) ReadOnly() bool {
	return r.setting("readonly") == "true" || r.Type == "url"
}

func (r Repository) setting(name string) string {
	if v, ok := r.Settings[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// placeSettings are those that say where a repository is, by type. A file system is
// missing here, because two clusters may have mounted one under two names, and so are
// endpoints and credentials, which the nodes keep and do not tell.
var placeSettings = map[string][]string{
	"s3":    {"bucket", "base_path"},
	"gcs":   {"bucket", "base_path"},
	"azure": {"container", "base_path"},
	"hdfs":  {"uri", "path"},
}

// apart says by which of their settings two repositories cannot be one place, as far as
// settings tell; empty: they may be one.
func (r Repository) apart(o Repository) string {
	if r.Type != o.Type {
		if o.Type == "url" { // what another type has written can be read by it
			return ""
		}
		return fmt.Sprintf("type %q and %q", r.Type, o.Type)
	}
	for _, name := range placeSettings[r.Type] {
		// A slash at either end of a path makes no other place.
		if a, b := strings.Trim(r.setting(name), "/"), strings.Trim(o.setting(name), "/"); a != b {
			return fmt.Sprintf("%s %q and %q", name, a, b)
		}
	}
	return ""
}

// SnapshotMove reads from the name of a snapshot which move has taken it; false: none
// has.
func SnapshotMove(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, placement.ReservedPrefix)
	n := strings.LastIndexByte(rest, '-')
	if !ok || n < 0 || !isNumber(rest[n+1:]) {
		return "", false
	}
	rest = rest[:n]
	if n = strings.LastIndexByte(rest, '-'); n <= 0 || !isNumber(rest[n+1:]) {
		return "", false
	}
	return rest[:n], true
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// takenBy is what a move writes into the metadata of its snapshots.
const takenBy = "taken_by"

func takenByMove(move string) string { return "sluice move " + move + ", which deletes it" }

// OwnSnapshot reports whether a snapshot was taken by a move, by its metadata. A name
// alone may be anybody's.
func OwnSnapshot(move string, metadata map[string]any) bool {
	return metadata[takenBy] == takenByMove(move)
}
