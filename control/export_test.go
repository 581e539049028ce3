package control

import "time"

// WindowOpen exposes when a window is open.
func WindowOpen(w Window, t time.Time) (bool, error) { return w.open(t) }
