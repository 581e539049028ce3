package api

import (
	"encoding/base64"
	"strings"
)

// PageQuery is what every list takes.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most items of the page. It may have fewer, even none, and there may be more all the same: next tells."`
	Cursor string `query:"cursor" doc:"The next of the page before."`
}

// page is a stretch of a list.
type page[T any] struct {
	Items []T `json:"items" nullable:"false"`
	// Next is the cursor of the next page.
	Next string `json:"next,omitempty" doc:"The cursor of the next page; absent: there is none."`
	// Unreadable are records that cannot be decoded.
	Unreadable        int      `json:"unreadable,omitempty" doc:"Records of this page that cannot be decoded; sluice doctor names them."`
	UnreadableBecause []string `json:"unreadable_because,omitempty" doc:"What is wrong with each of them, of tenants and clusters."`
}

// unreadable notes a record that cannot be decoded.
func (p *page[T]) unreadable(err error) {
	p.Unreadable++
	p.UnreadableBecause = append(p.UnreadableBecause, err.Error())
}

type pageOutput[T any] struct{ Body page[T] }

// A cursor is the last name of a page. It is opaque to clients, so that it may become
// something else.
const cursorVersion = "1:"

func cursorOf(name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorVersion + name))
}

// after is the name that a page begins after; empty: it is the first.
func (q PageQuery) after() (string, error) {
	if q.Cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	name, ok := strings.CutPrefix(string(b), cursorVersion)
	if err != nil || !ok || name == "" {
		return "", problem(CodeMalformed, "the cursor is none that this service gave out; leave it out to begin at the first page")
	}
	return name, nil
}
