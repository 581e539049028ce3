package programfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Release gives the pages back, and returns the size of what they were in, in bytes. Call it
// when the program has started. Errors are those of /proc, which may not be there.
func Release() (size int, err error) {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, err
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	all, err := mappings(f)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if !m.dispensable(path) {
			continue
		}
		// Of what is in the file and nowhere else changed this loses nothing: the kernel has
		// the file open for as long as the process lives, and lets nobody write to it.
		if _, _, failed := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); failed != 0 {
			return size, failed
		}
		size += int(m.to - m.from)
	}
	return size, nil
}
