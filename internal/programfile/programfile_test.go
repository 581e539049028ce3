package programfile_test

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/programfile"
)

// What Linux shows of a program that a linker has left tables to fill in, and of which a
// debugger has changed some code.
const shown = `00400000-00401000 r--p 00000000 fe:00 131                                /opt/a program
Size:                  4 kB
Rss:                   4 kB
Private_Clean:         4 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd mr mw me sd 
00401000-00801000 r-xp 00001000 fe:00 131                                /opt/a program
Rss:                1024 kB
Anonymous:             0 kB
Swap:                  0 kB
00801000-00802000 r-xp 00401000 fe:00 131                                /opt/a program
Anonymous:             4 kB
Swap:                  0 kB
00802000-00803000 r--p 00402000 fe:00 131                                /opt/a program
Anonymous:             8 kB
00803000-00804000 r--p 00403000 fe:00 131                                /opt/a program
Anonymous:             0 kB
Swap:                  4 kB
00804000-00805000 rw-p 00404000 fe:00 131                                /opt/a program
Anonymous:             0 kB
00805000-00806000 r--s 00404000 fe:00 131                                /opt/a program
Anonymous:             0 kB
00806000-00807000 r--p 00000000 fe:00 132                                /opt/a program.so
Anonymous:             0 kB
7ffd6c000000-7ffd6c021000 rw-p 00000000 00:00 0                          [stack]
Anonymous:            16 kB
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
Anonymous:             0 kB
`

func TestOnlyWhatIsInTheFile(t *testing.T) {
	got, err := programfile.Dispensable(strings.NewReader(shown), "/opt/a program")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"400000-401000", "401000-801000"}, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"x\n", "1-g r--p 0 0 0 /x\n", "400000 r--p 0 0 0 /x\n"} {
		if _, err := programfile.Dispensable(strings.NewReader(text), "/x"); err == nil {
			t.Errorf("%q is understood", text)
		}
	}
}

// changed is in a page that was the file's once.
var changed = []int{1, 2, 3}

func TestRelease(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("does nothing on this system")
	}
	changed[1] = 7
	text := make([]byte, 1<<20) // so that its memory is there
	before := fileMB(t)
	size, err := programfile.Release()
	if err != nil {
		t.Fatal(err)
	}
	after := fileMB(t)
	t.Logf("%d bytes, %.1f MB of them in memory before, %.1f after", size, before, after)
	if size < 1<<20 || before-after < 1 { // libraries of the C language stay, if the test has them
		t.Errorf("%.1f MB of %.1f are still there", after, before)
	}
	if changed[1] != 7 || len(text) != 1<<20 {
		t.Error("what was written is not there")
	}
}

// fileMB is how much of files the process has in memory.
func fileMB(t *testing.T) float64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatal("the system does not say it")
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return float64(n) / 1024
}
