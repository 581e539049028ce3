package opensearchstore

import (
	"container/list"
	"sync"
)

// cacheSize bounds the documents that are remembered.
const cacheSize = 256

// cache remembers the documents that were read or written last, so that who
// writes what he has just read need not read it again. It is a hint and may be
// wrong: what is written on its ground is conditional, and what would be refused on
// its ground is read first.
type cache struct {
	mu    sync.Mutex
	order list.List // of *cached, the newest first
	byID  map[string]*list.Element
}

type cached struct {
	id  string
	doc *stored // nil: there was none
}

func (c *cache) get(id string) (*stored, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).doc, true
}

// put keeps the newer of two documents: answers may overtake each other.
func (c *cache) put(id string, doc *stored) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[id]; ok {
		have := e.Value.(*cached)
		if have.doc == nil || doc == nil || doc.seq >= have.doc.seq {
			have.doc = doc
		}
		c.order.MoveToFront(e)
		return
	}
	if c.byID == nil {
		c.byID = map[string]*list.Element{}
	}
	c.byID[id] = c.order.PushFront(&cached{id, doc})
	if c.order.Len() > cacheSize {
		oldest := c.order.Back()
		delete(c.byID, oldest.Value.(*cached).id)
		c.order.Remove(oldest)
	}
}

func (c *cache) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[id]; ok {
		delete(c.byID, id)
		c.order.Remove(e)
	}
}
