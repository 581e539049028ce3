package etcdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// lockDataDir makes this process the directory's only user, or says who is in
// the way. Without it etcd would wait for the other for ever, with a line in its
// log every ten seconds. Closing the file releases it.
func lockDataDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = inUse(dir)
	case err != nil:
		err = fmt.Errorf("store.etcd.embedded.data_dir: lock %s: %w", f.Name(), err)
	default:
		err = tryDatabase(dir)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// tryDatabase looks at etcd's database before etcd does. An etcd that was started
// on the data by hand does not know our lock but holds one on its database; ours
// is let go of again. And a file that is no database would be a panic in a
// goroutine of etcd's, which ends the process without a word about what to do.
func tryDatabase(dir string) error {
	path := filepath.Join(memberDir(dir), "member", "snap", "db")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	defer func() { _ = f.Close() }() // which also unlocks
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return inUse(dir)
	}
	if err != nil {
		return fmt.Errorf("store.etcd.embedded.data_dir: lock %s: %w", path, err)
	}
	// bbolt keeps two copies of its head, in the first two pages, of which one is
	// enough; each has this magic number after a page header of 16 bytes.
	const magic, header = 0xED0CDAED, 16
	var first, second [4]byte
	_, err1 := f.ReadAt(first[:], header)
	_, err2 := f.ReadAt(second[:], int64(os.Getpagesize())+header)
	if err1 == nil && binary.NativeEndian.Uint32(first[:]) == magic || err2 == nil && binary.NativeEndian.Uint32(second[:]) == magic {
		return nil
	}
	return fmt.Errorf("store.etcd.embedded.data_dir: %s is no database; restore it from a backup, or choose another directory", path)
}

func inUse(dir string) error {
	return invalid("embedded.data_dir", dir, "is in use by another process; stop that one, or choose another directory")
}

// memberDir is where etcd keeps its data, beside what others keep in data_dir.
func memberDir(dir string) string { return filepath.Join(dir, "etcd") }

// unbornName is the file that stands beside the member's data from before its
// first start until just before it first serves anybody.
const unbornName = "first-start"

// beginFirst prepares a directory for a member's start.
//
// A first start that is interrupted (a signal, a full disk) can leave a raft log
// without its first entries, those that name the member as the one that votes.
// etcd takes it for a member that waits to hear from its cluster, and no later
// start on it would ever come to an end. So a file says that the member has
// never served: then nobody was ever told that anything is in there, and it is
// put aside to begin anew. That the file is gone must be on disk before the
// first client is served, see born.
func beginFirst(dir string, log *slog.Logger) error {
	unborn, data := filepath.Join(dir, unbornName), memberDir(dir)
	_, err := os.Stat(unborn)
	switch {
	case err == nil:
		if _, err := os.Stat(data); err == nil {
			aside := data + ".interrupted"
			log.Warn("the first start on the data directory was interrupted before it served anything; beginning anew", "what_it_left", aside)
			if err := errors.Join(os.RemoveAll(aside), os.Rename(data, aside)); err != nil {
				return fmt.Errorf("store.etcd.embedded.data_dir: put aside what an interrupted start left: %w", err)
			}
		}
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		return err // nil: an ordinary start
	}
	f, err := os.OpenFile(unborn, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(f.Close(), syncDir(dir))
	}
	if err != nil {
		return fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	return nil
}

// born notes, durably, that the member serves from now on.
func born(dir string) error {
	err := os.Remove(filepath.Join(dir, unbornName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
