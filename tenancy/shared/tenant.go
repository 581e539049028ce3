package shared

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/placement"
)

// MaxID is the longest _id that OpenSearch takes, in bytes.
const MaxID = 512

// maxPrefix leaves clients at least half of MaxID.
const maxPrefix = MaxID / 2

// RefusedError says why a request cannot be kept inside a tenant.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// ErrorCode is its code in the catalogue of errors.
func (e *RefusedError) ErrorCode() string { return "sluice_shared_index" }

func refuse(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

// Tenant is one tenant of a shared index. It is a value that never changes.
type Tenant struct {
	field  string
	prefix string
	member []byte // "field":"id", to be put into a document
	filter []byte // the query that matches the tenant's documents
}

// New returns the tenant of a shared_index placement's partition field. An id
// whose prefix would leave clients too little of MaxID is refused with a
// *placement.InvalidError; that can only be one with many special characters.
func New(id placement.PartitionID, field string) (*Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	t := &Tenant{field: field, prefix: escape(string(id)) + ":"}
	if len(t.prefix) > maxPrefix {
		return nil, &placement.InvalidError{Field: "partition", Value: string(id),
			Fix: fmt.Sprintf("takes %d bytes of every document's _id in a shared index, and may take %d: use a shorter id, of letters and digits", len(t.prefix), maxPrefix)}
	}
	const before, after = `{"term":{`, `}}`
	t.filter = append(make([]byte, 0, len(before)+len(field)+len(id)+len(`"":""`)+len(after)), before...)
	t.filter = jsontext.AppendString(append(jsontext.AppendString(t.filter, field), ':'), string(id))
	t.member = t.filter[len(before):len(t.filter):len(t.filter)]
	t.filter = append(t.filter, after...)
	return t, nil
}

// escape writes every byte but letters, digits, '.', '_', '-' and those above
// ASCII as a tilde and two hexadecimal digits. A colon ends the prefix; a comma
// would split a routing in two, and blanks around one are cut off.
func escape(id string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.Grow(len(id) + len(":")) // enough for most
	for i := 0; i < len(id); i++ {
		c := id[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c >= utf8.RuneSelf {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('~')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// Field is the partition field.
func (t *Tenant) Field() string { return t.field }

// Prefix is what stands before each _id and routing of the tenant in the index.
func (t *Tenant) Prefix() string { return t.prefix }

// ID is a client's _id as the index holds it.
func (t *Tenant) ID(client string) (string, error) {
	switch {
	case client == "":
		return "", refuse("an _id must not be empty")
	case !utf8.ValidString(client):
		return "", refuse("an _id must be valid UTF-8")
	case len(t.prefix)+len(client) > MaxID:
		return "", refuse("the _id has %d bytes; this tenant's may have %d, because its index is shared", len(client), MaxID-len(t.prefix))
	}
	return t.prefix + client, nil
}

// ClientID takes the prefix off an _id of the index; false if it is another
// tenant's.
func (t *Tenant) ClientID(id string) (string, bool) { return strings.CutPrefix(id, t.prefix) }

// Routing is the routing of one document; client is empty if the client gave none.
func (t *Tenant) Routing(client string) string { return t.prefix + client }

// Routings is the routing of a search, a list with commas. It is empty, which
// means every shard, if the client's is.
func (t *Tenant) Routings(client string) string {
	var out []string
	for r := range strings.SplitSeq(client, ",") {
		// As OpenSearch reads the list.
		if r = strings.TrimFunc(r, func(c rune) bool { return c <= ' ' }); r != "" {
			out = append(out, t.prefix+r)
		}
	}
	return strings.Join(out, ",")
}

// ClientRouting takes the prefix off a routing; false if it is another tenant's.
// It is empty if the client gave none.
func (t *Tenant) ClientRouting(routing string) (string, bool) {
	return strings.CutPrefix(routing, t.prefix)
}

// owns reports whether a key at the top of a document is the partition field, or
// leads into it: OpenSearch reads dots in a key as a path.
func (t *Tenant) owns(key string) bool {
	if !strings.Contains(key, t.field) {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimLeft(key, ". \t\n\r"), ".")
	return strings.TrimSpace(first) == t.field
}
