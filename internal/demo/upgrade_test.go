package demo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// upgradeFrom is the version that a fleet is upgraded from: a commit of this history. It
// is replaced by the newest release when there is one, and whenever a change shows that
// no upgrade from it is meant to be possible, which docs/upgrades.md then says.
const upgradeFrom = "4aa4530"

// errNoHistory: nothing older than the working tree is here.
var errNoHistory = errors.New("the module is not in a clone of git that has its history")

// buildOlder builds the program as it was, and keeps it in the cache: the commit before
// this one is taken where a clone is too shallow to have the other.
func buildOlder(ctx context.Context) (program, commit string, err error) {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", "../.."}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	for _, rev := range []string{upgradeFrom, "HEAD~1"} {
		if commit, err = git("rev-parse", "--verify", "--quiet", rev+"^{commit}"); err == nil {
			break
		}
	}
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errNoHistory, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	program = filepath.Join(cache, "sluice", "older", "sluice-"+commit)
	if _, err := os.Stat(program); err == nil {
		return program, commit, nil
	}
	dir, err := os.MkdirTemp("", "sluice-older-")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	archive, err := exec.CommandContext(ctx, "git", "-C", "../..", "archive", commit).Output()
	if err != nil {
		return "", "", fmt.Errorf("git archive %s: %w", commit, err)
	}
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(archive)
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("unpack %s: %w: %s", commit, err, out)
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", "sluice", "-ldflags", "-X main.version="+commit[:12], "./cmd/sluice")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("build %s: %w: %s", commit, err, out)
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", "", err
	}
	// Whoever else builds it now makes the same; a name of its own is moved there whole.
	return program, commit, move(filepath.Join(dir, "sluice"), program)
}

// move moves a file, to another file system, too.
func move(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), "new-")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Chmod(0o755), f.Close(), os.Rename(f.Name(), to))
}

// rollingUpgrade replaces an older version of the program by this one, one process after
// the other, while a tenant moves there and back under load: once a controller of this
// version drives with a proxy of the older one, and once the other way round.
func rollingUpgrade(t *testing.T, nodes [2]*engines.OpenSearch) {
	older, commit, err := buildOlder(t.Context()) // minutes, where nothing is compiled yet
	if errors.Is(err, errNoHistory) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	must(t, err)
	newer := enginetest.Sluice(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	t.Logf("from %s", commit)
	redis := enginetest.Redis(t)
	f, err := demo.NewFleet(newer, t.TempDir(), &demo.FleetOptions{
		Controllers: 2, Store: []string{"kind: redis", "redis:", "  addresses: [" + strconv.Quote(redis.Addr()) + "]"},
		Extra: map[string][]string{"controller": {"session_ttl: 3s"}},
	})
	must(t, err)
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			showLogs(t, f)
		}
	})
	for _, p := range f.Processes() {
		p.Use(older)
	}
	must(t, f.Start(ctx))
	replace := func(p *demo.Process, program string) {
		t.Helper()
		must(t, p.Stop(30*time.Second))
		p.Use(program)
		must(t, p.Start(ctx))
	}
	c1, c2, p1, p2 := f.Controllers[0], f.Controllers[1], f.Proxies[0], f.Proxies[1]
	r := newLoad(t, nodes, f, f.URLs(), "upgrade", 800)
	begin := func(to string) demo.Move {
		t.Helper()
		m, err := f.Begin(ctx, "acme", to, "--copy-rate", "200", "--copy-throttle", "off", "--pause-budget", "3s", "--cutover-deadline", "4s")
		must(t, err)
		for m.Stage == "preparing" { // until it copies
			time.Sleep(100 * time.Millisecond) // polls a record; ctx ends the command
			m, err = f.Show(ctx, m.ID)
			must(t, err)
		}
		return m
	}
	flipped := func(m demo.Move) {
		t.Helper()
		if m, err = settled(ctx, f, m.ID); err != nil || m.Stage != "flipped" {
			t.Fatalf("the move has not gone on: %v %s", err, m.Raw)
		}
		verify(t, ctx, r)
	}

	m := begin("b")
	replace(c1, newer)
	must(t, c2.Stop(30*time.Second)) // whichever of them had the move: the newer one has it now
	replace(p1, newer)
	flipped(m)
	must(t, f.Retire(ctx, m.ID, nil))

	must(t, c2.Start(ctx)) // older still, as when an upgrade is taken back half-way
	m = begin("a")
	must(t, c1.Stop(30*time.Second))
	replace(p2, newer)
	flipped(m)

	replace(c2, newer)
	must(t, c1.Start(ctx))
	must(t, f.Retire(ctx, m.ID, nil))
	must(t, r.stop())
	verify(t, ctx, r)
}
