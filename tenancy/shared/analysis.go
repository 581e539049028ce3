package shared

// analysisKeys are the members of a request that takes a text apart. Analyzers are
// named and not described: a description can name files of the cluster's.
var analysisKeys = each(scalar, "analyzer normalizer tokenizer", map[string]check{
	"text": plain, "filter": plain, "char_filter": plain, "field": field,
	"explain": bookkeeping, "attributes": no("it belongs to explain"),
})

// Analysis checks the body of a request that takes a text apart; no document is
// looked at.
func (t *Tenant) Analysis(body []byte) ([]byte, error) {
	n, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	if err := (&walker{t: t}).object("analyze", n, analysisKeys); err != nil {
		return nil, err
	}
	return n.append(nil), nil
}
