package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// syncs is how many syncs are measured.
const syncs = 51

// disk describes where dir is, or is empty where that is not known. How an engine's files
// are made and synced depends on it more than on the processor: an ext4 without a journal
// syncs quickly, and looks long for a free inode where many files were removed lately, as
// a Lucene index does all the time (ext4's recently_deleted).
func disk(dir string) string {
	kind := fileSystem(dir)
	took, err := syncTime(dir)
	if kind == "" || err != nil {
		return ""
	}
	return fmt.Sprintf("%s, synced in %.2f ms", kind, float64(took.Microseconds())/1000)
}

// fileSystem is the type of the file system of dir, by Linux's list of mounts.
func fileSystem(dir string) string {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return ""
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "" // not Linux
	}
	longest, device, kind := -1, "", ""
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		in := f[1] == "/" || dir == f[1] || strings.HasPrefix(dir, f[1]+"/")
		if in && len(f[1]) >= longest { // of two at one place the later covers the other
			longest, device, kind = len(f[1]), f[0], f[2]
		}
	}
	if device, err := filepath.EvalSymlinks(device); err == nil && kind == "ext4" { // a name such as /dev/root is no file
		if journal, _ := filepath.Glob("/proc/fs/jbd2/" + filepath.Base(device) + "-*"); len(journal) == 0 {
			kind += " without a journal"
		}
	}
	return kind
}

// syncTime is the median time that a write of some bytes and its sync take.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "sluice-sync-")
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = f.Close(), os.Remove(f.Name()) }()
	var all []time.Duration
	for range syncs {
		began := time.Now()
		if _, err := f.Write(make([]byte, 400)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
