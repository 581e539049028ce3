package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
)

// minSecret is the shortest secret that is accepted, in bytes.
const minSecret = 16

// fleetSecret reads the secret that the fleet shares. Without a file of its own
// a process that owns the data directory generates one there, so that one
// machine's processes find each other without any configuration; a proxy only
// reads it.
func fleetSecret(cfg *config.Config, generate bool) ([]byte, error) {
	file := cfg.Fleet.SecretFile
	if file != "" {
		return readSecret("fleet.secret_file", file)
	}
	file = filepath.Join(cfg.Store.Etcd.Embedded.DataDir, "fleet.secret")
	secret, err := readSecret("fleet.secret_file", file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if !generate {
		return nil, &placement.InvalidError{Field: "fleet.secret_file", Value: "",
			Fix: "must name the file with the fleet's secret (the same as the controller's), or store.etcd.embedded.data_dir the directory where the controller generated one"}
	}
	return generateSecret(file)
}

// generateSecret writes a new secret into a file of the data directory.
func generateSecret(file string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	// O_EXCL: of two processes that start at once, one writes the secret and the
	// other fails instead of overwriting it.
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write a generated secret: %w", err)
	}
	secret := []byte(rand.Text() + rand.Text())
	_, err = f.Write(append(bytes.Clone(secret), '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		// A truncated secret would be refused at every later start.
		return nil, errors.Join(fmt.Errorf("write a generated secret: %w", err), os.Remove(file))
	}
	return secret, nil
}

// adminToken is the token of whoever may read the data directory of the embedded etcd: he
// could change everything in it anyway. Without such a directory, or where it is set who
// may ask, there is none.
func adminToken(cfg *config.Config) (string, error) {
	if !cfg.Store.Embedded() || api.AuthConfig(cfg.API.Auth).Configured() {
		return "", nil
	}
	file := filepath.Join(cfg.Store.Etcd.Embedded.DataDir, "api.token")
	token, err := readSecret("api.token", file)
	if errors.Is(err, fs.ErrNotExist) {
		token, err = generateSecret(file)
	}
	return string(token), err
}

func readSecret(field, file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	b = bytes.TrimSpace(b)
	if len(b) < minSecret {
		return nil, &placement.InvalidError{Field: field, Value: file, Fix: fmt.Sprintf("must hold at least %d bytes; `openssl rand -hex 32` makes some", minSecret)}
	}
	return b, nil
}

// cursorKeys are the keys of the files, or one that is derived from the secret.
func cursorKeys(files []string, secret []byte) (keys [][]byte, err error) {
	for i, f := range files {
		k, err := readSecret(fmt.Sprintf("proxy.cursors.key_files[%d]", i), f)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		keys = [][]byte{cursorKey(secret)}
	}
	return keys, nil
}

// cursorKey is derived, so that what clients hold tells nothing about the
// secret that the fleet talks with.
func cursorKey(secret []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("sluice cursors v1"))
	return m.Sum(nil)
}
