package shared

// Names are the names of the shared index: the client's and the cluster's.
type Names struct{ Logical, Physical string }

// own makes sure that a name in a body is the tenant's.
func (n Names) own(v *node) error {
	if v.kind != '"' || v.text != n.Logical {
		s, _ := v.scalarText()
		return refuse("[%s] may name other indices than [%s]", s, n.Logical)
	}
	return nil
}

// MultiGet translates the body of a multi-get. routing is the request's default.
// Every document becomes an item with its own index, _id and routing.
func (t *Tenant) MultiGet(body []byte, names Names, routing string) ([]byte, error) {
	n, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	docs := list()
	for _, m := range n.members {
		if m.key != "docs" && m.key != "ids" {
			return nil, refuse("[%s] of a multi-get is not supported in a shared index", m.key)
		}
		if m.value.kind != '[' {
			return nil, refuse("[%s] of a multi-get must be a list", m.key)
		}
		for _, v := range m.value.items {
			if m.key == "ids" {
				v = object(pair{"_id", v})
			}
			d, err := t.getItem(v, names, routing)
			if err != nil {
				return nil, err
			}
			docs.items = append(docs.items, d)
		}
	}
	return object(pair{"docs", docs}).append(nil), nil
}

func (t *Tenant) getItem(v *node, names Names, routing string) (*node, error) {
	if v.kind != '{' {
		return nil, refuse("an item of a multi-get must be an object")
	}
	out := object(pair{"_index", text(names.Physical)})
	for _, m := range v.members {
		switch m.key {
		case "_index":
			if err := names.own(m.value); err != nil {
				return nil, err
			}
		case "_id":
			client, ok := m.value.scalarText()
			if !ok {
				return nil, refuse("an [_id] must be text")
			}
			id, err := t.ID(client)
			if err != nil {
				return nil, err
			}
			out.set("_id", text(id))
		case "routing":
			r, ok := m.value.scalarText()
			if !ok {
				return nil, refuse("a [routing] must be text")
			}
			routing = r
		case "version", "version_type", "_source":
			out.set(m.key, m.value)
		case "stored_fields":
			if err := t.fieldList(m.value); err != nil {
				return nil, err
			}
			out.set(m.key, m.value)
		default:
			return nil, refuse("[%s] of an item of a multi-get is not supported in a shared index", m.key)
		}
	}
	if out.get("_id") == nil {
		return nil, refuse("an item of a multi-get has no [_id]")
	}
	out.set("routing", text(t.Routing(routing)))
	return out, nil
}
