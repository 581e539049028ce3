package load

// View lets tests of fits build what a reader knew.
func View(acked State, started, deleteStarted int64) view {
	return view{record{acked: acked, started: started, deleteStarted: deleteStarted}, true, 0}
}

var Fits = fits
