package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// used is how long processes have computed, in seconds.
type used struct{ source, target, controller float64 }

func (u used) less(o used) used {
	return used{u.source - o.source, u.target - o.target, u.controller - o.controller}
}

// now reads what has been used so far.
func (x *rig) now() (u used) {
	u.source, u.target = processor(x.nodes[0].PID()), processor(x.nodes[1].PID())
	u.controller = processor(x.fleet.Controllers[0].PID())
	return u
}

// meter notes what is used while something goes on whose parts are known only afterwards.
type meter struct {
	at   []time.Time
	used []used
	end  func()
}

// watch begins to note. The meter is read after its end.
func (x *rig) watch() *meter {
	m, stop := &meter{}, make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for t := time.NewTicker(20 * time.Millisecond); ; {
			m.at, m.used = append(m.at, time.Now()), append(m.used, x.now())
			select {
			case <-t.C:
			case <-stop:
				t.Stop()
				return
			}
		}
	})
	m.end = func() { close(stop); done.Wait() }
	return m
}

// between is what was used from one moment to another, to a fiftieth of a second.
func (m *meter) between(from, to time.Time) used {
	at := func(t time.Time) used {
		i := sort.Search(len(m.at), func(i int) bool { return !m.at[i].Before(t) })
		return m.used[min(i, len(m.used)-1)]
	}
	return at(to).less(at(from))
}

// processor is how long a process has computed, in seconds; 0 where that is not known.
func processor(pid int) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0 // not Linux
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before it may have spaces
	f := strings.Fields(after)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // Linux shows hundredths to every program
}

// peak is the most memory that a process had, in MiB.
func peak(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), " kB")), 64)
			return kb / 1024
		}
	}
	return 0
}
