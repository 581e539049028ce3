package main

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// adminHandler serves operators and, below /-/fleet/, the controllers. ready
// says why the process cannot serve, or nil. fleet and explain are nil where no
// proxy is.
func adminHandler(ready func() error, fleet, explain http.Handler, metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	// Healthy is "the process runs": restarting it because a store is away would
	// only throw journals away. Ready is "send it requests".
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if fleet != nil {
		mux.Handle("/-/fleet/", fleet)
		mux.Handle("GET /-/explain", explain)
	}
	return mux
}
