package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

//go:embed tools
var tools embed.FS

// others are the programs that a move is compared with.
type others struct {
	node        string // the command
	elasticdump string // its script
	python      string // of an environment that has opensearch-py
	reindex     string // the script that calls helpers.reindex
}

// fetch returns them, from the cache; the first time they are fetched as their lock
// files pin them.
func fetch(ctx context.Context, progress io.Writer) (o others, err error) {
	for name, install := range map[string]string{"node": "nodejs", "npm": "npm", "python3": "python3-venv"} {
		if _, err := exec.LookPath(name); err != nil {
			return o, fmt.Errorf("%s is missing; Debian, Ubuntu: apt-get install %s", name, install)
		}
	}
	files, err := tools.ReadDir("tools")
	if err != nil {
		return o, err
	}
	sum := sha256.New()
	for _, f := range files {
		b, err := tools.ReadFile("tools/" + f.Name())
		if err != nil {
			return o, err
		}
		sum.Write(b)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return o, err
	}
	cache, id := filepath.Join(user, "sluice", "clients"), "copy-"+hex.EncodeToString(sum.Sum(nil))[:12]
	dir, done := filepath.Join(cache, id), filepath.Join(cache, id, "complete")
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	err = engines.Exclusively(ctx, cache, id, progress, func() error {
		if _, err := os.Stat(done); err == nil {
			return nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, f := range files {
			b, err := tools.ReadFile("tools/" + f.Name())
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, f.Name()), b, 0o644)
			}
			if err != nil {
				return err
			}
		}
		for _, c := range [][]string{
			{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"},
			{"python3", "-m", "venv", "venv"},
			{"venv/bin/pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt"},
		} {
			cmd := exec.CommandContext(ctx, c[0], c[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%v: %w\n%s", c, err, out)
			}
		}
		return os.WriteFile(done, nil, 0o644)
	})
	return others{"node", filepath.Join(dir, "node_modules", "elasticdump", "bin", "elasticdump"), filepath.Join(dir, "venv", "bin", "python"), filepath.Join(dir, "reindex.py")}, err
}
