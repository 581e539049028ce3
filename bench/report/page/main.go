// Command page makes docs/performance.md of the results in bench/results.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/sluiceproxy/sluice/bench/report"
)

func main() {
	out := flag.String("out", "docs/performance.md", "`file` to write")
	flag.Parse()
	all, err := report.Read(flag.Args())
	if err == nil {
		err = os.WriteFile(*out, report.Page(all), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}
