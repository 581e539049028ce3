package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// turn is what one run of wrk measured.
type turn struct {
	Requests int64         `json:"requests"`
	Took     time.Duration `json:"took_ns"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	CPU      time.Duration `json:"cpu_ns"` // of the proxy's processes
}

func (t turn) rate() float64 { return float64(t.Requests) / t.Took.Seconds() }

// perRequest is the processor time of one request, in microseconds.
func (t turn) perRequest() float64 { return float64(t.CPU.Microseconds()) / float64(t.Requests) }

// script writes what wrk sends. Its done prints one line that is read here.
func script(dir, tenant string, r request) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "wrk.method = %q\nwrk.headers[%q] = %q\n", r.method, tenantHeader, tenant)
	if r.body != "" {
		fmt.Fprintf(&b, "wrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = [==[\n%s]==]\n", r.body)
	}
	if r.many {
		fmt.Fprintf(&b, "local n = 0\nrequest = function()\n  n = (n + 1) %% %d\n  return wrk.format(nil, %q .. n)\nend\n", documentsReal, r.path)
	}
	b.WriteString(`done = function(s, l, r)
  io.write(string.format("RESULT %d %d %d %d %d %d\n", s.requests, s.duration, s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout, s.errors.status, l:percentile(50), l:percentile(99)))
end
`)
	file := filepath.Join(dir, tenant+"-"+strings.ReplaceAll(r.name, " ", "-")+".lua")
	return file, os.WriteFile(file, []byte(b.String()), 0o600)
}

// load has wrk load one process. A request that failed is an error.
func load(ctx context.Context, file, url string, connections int, d time.Duration) (turn, error) {
	// wrk's shortest run is a second, so it is ended by time: a signal makes it finish its report.
	cmd := exec.CommandContext(ctx, toolPath("wrk"), "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(int(d.Seconds()+1))+"s", "--timeout", "30s", "-s", file, url)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return turn{}, err
	}
	timer := time.AfterFunc(d, func() { _ = cmd.Process.Signal(os.Interrupt) })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		return turn{}, fmt.Errorf("wrk: %w: %s", err, out.String())
	}
	return parse(out.String())
}

// parse reads the line of the script.
func parse(out string) (turn, error) {
	_, line, ok := strings.Cut(out, "RESULT ")
	if !ok {
		return turn{}, fmt.Errorf("wrk said nothing that is understood: %s", out)
	}
	var requests, took, failed, refused, p50, p99 int64
	if _, err := fmt.Sscanf(line, "%d %d %d %d %d %d", &requests, &took, &failed, &refused, &p50, &p99); err != nil {
		return turn{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if failed > 0 || refused > 0 || requests == 0 {
		return turn{}, fmt.Errorf("of %d requests %d failed and %d were refused", requests, failed, refused)
	}
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return turn{Requests: requests, Took: us(took), P50: us(p50), P99: us(p99)}, nil
}
