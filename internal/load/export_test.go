package load

import (
	"net/http"
	"time"
)

// View lets tests of fits build what a reader knew.
func View(acked State, started, deleteStarted int64) view {
	return view{record{acked: acked, started: started, deleteStarted: deleteStarted}, true, 0}
}

var Fits = fits

// Excused asks a client about an answer to a request that began when a cluster was starting, or not.
func Excused(method, path, kind string, starting bool) bool {
	c := &client{tally: &tally{starting: func(time.Time) bool { return starting }}}
	return c.excused(method, path, &statusError{status: http.StatusNotFound, typ: kind}, time.Now())
}
