package api

import "time"

// Hub is a hub of events that follows nothing.
type Hub struct{ h *hub }

// NewHub returns one that clients may join.
func NewHub() Hub {
	h := newHub()
	h.running, h.ready = true, true
	return Hub{h}
}

// Join adds a client.
func (x Hub) Join() <-chan event {
	c, _, _ := x.h.join("")
	return c
}

// Publish gives all an event.
func (x Hub) Publish() { x.h.publish("tenant", changed{Name: "t"}) }

// SetFirstWord sets how long a comparison may be silent before its stream begins, and
// returns what sets it back.
func SetFirstWord(d time.Duration) func() {
	was := firstWord
	firstWord = d
	return func() { firstWord = was }
}
