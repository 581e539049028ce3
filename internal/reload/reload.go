// Package reload keeps a value that is read from files, and reads it again when
// one of them changes: certificates, keys and lists of credentials, which are
// replaced while a process serves.
//
// Nothing runs in the background: whoever asks for the value looks at the files,
// at most once in a while, and all others meanwhile get the value that there is.
// Files that have become unreadable or wrong change nothing but the log: what was
// read last stays in use, because a slip in a file must not lock everybody out. To
// revoke everything, put a file there that says so.
package reload

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultEvery is how often the files are looked at unless Options say otherwise.
const DefaultEvery = time.Second

// Options of a Value. The zero value is useful.
type Options struct {
	// Every is the least time between two looks at the files (default DefaultEvery).
	Every  time.Duration
	Logger *slog.Logger // default: discard
}

// Value is a T that is read from files. It is safe for concurrent use.
type Value[T any] struct {
	files []string
	read  func() (T, error)
	every time.Duration
	log   *slog.Logger
	begun time.Time

	value atomic.Pointer[T]
	next  atomic.Int64 // when to look again, since begun
	mu    sync.Mutex   // held by whoever looks
	seen  []stamp
}

// stamp tells whether a file is another one than before. A file that is replaced by
// renaming, as well as one behind a link that is, has another inode.
type stamp struct {
	info os.FileInfo // nil: not there
}

func (a stamp) same(b stamp) bool {
	if a.info == nil || b.info == nil {
		return a.info == nil && b.info == nil
	}
	return os.SameFile(a.info, b.info) && a.info.ModTime().Equal(b.info.ModTime()) && a.info.Size() == b.info.Size()
}

// New reads the value with read, which opens the files by itself, and returns its
// error if it cannot. Empty names are ignored.
func New[T any](read func() (T, error), files []string, o *Options) (*Value[T], error) {
	v := &Value[T]{read: read, every: DefaultEvery, log: slog.New(slog.DiscardHandler), begun: time.Now()}
	v.files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return f == "" })
	if o != nil && o.Every > 0 {
		v.every = o.Every
	}
	if o != nil && o.Logger != nil {
		v.log = o.Logger
	}
	v.seen = v.stamps() // before reading: a change while it is read is seen next time
	t, err := read()
	if err != nil {
		return nil, err
	}
	v.value.Store(&t)
	v.next.Store(int64(v.every))
	return v, nil
}

// Get returns the value.
func (v *Value[T]) Get() T {
	if now := int64(time.Since(v.begun)); now >= v.next.Load() && v.mu.TryLock() {
		v.look(now)
		v.mu.Unlock()
	}
	return *v.value.Load()
}

// look reads the value again if a file has changed. The caller holds mu.
func (v *Value[T]) look(now int64) {
	v.next.Store(now + int64(v.every))
	stamps := v.stamps()
	if slices.EqualFunc(stamps, v.seen, stamp.same) {
		return
	}
	v.seen = stamps
	t, err := v.read()
	if err != nil {
		v.log.Error("files have changed and cannot be used; what was read before stays in use", "files", strings.Join(v.files, ", "), "err", err)
		return
	}
	v.value.Store(&t)
	v.log.Info("files have changed and were read again", "files", strings.Join(v.files, ", "))
}

func (v *Value[T]) stamps() []stamp {
	out := make([]stamp, len(v.files))
	for i, f := range v.files {
		if info, err := os.Stat(f); err == nil {
			out[i].info = info
		}
	}
	return out
}
