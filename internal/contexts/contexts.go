// Package contexts keeps the fleets that one person works with, by names, in a file of
// his: for each either the address of an API and the names of the files that say who asks,
// or a configuration file that says which store.
//
// What it refuses: a secret, for which there is no field, and keys that it does not know,
// because a word that was misspelt would be a credential that is not shown.
package contexts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluiceproxy/sluice/placement"
)

// Context is one fleet: API or Config is set. Files are named with their whole paths.
type Context struct {
	// API is the address of a controller's API.
	API        string `yaml:"api,omitempty" json:"api,omitempty"`
	TokenFile  string `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	CAFile     string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`
	CertFile   string `yaml:"cert_file,omitempty" json:"cert_file,omitempty"`
	KeyFile    string `yaml:"key_file,omitempty" json:"key_file,omitempty"`
	ServerName string `yaml:"server_name,omitempty" json:"server_name,omitempty"`
	// Config is a configuration file, whose store is used without a controller.
	Config string `yaml:"config,omitempty" json:"config,omitempty"`
}

// File is all of them.
type File struct {
	// Current is the name of the one that is used where nothing else is said; empty: none.
	Current  string             `yaml:"current,omitempty"`
	Contexts map[string]Context `yaml:"contexts"`
}

var name = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// ValidateName refuses a name that is none of a context.
func ValidateName(n string) error {
	if !name.MatchString(n) {
		return &placement.InvalidError{Field: "context", Value: n, Fix: "must be 1 to 64 of a-z, 0-9, dot, dash and underscore, and begin with a letter or digit"}
	}
	return nil
}

// Validate says what is wrong with a context, by the name of its field.
func (c Context) Validate() error {
	bad := func(field, value, fix string) error {
		return &placement.InvalidError{Field: field, Value: placement.HideUser(value), Fix: fix}
	}
	switch {
	case c.API == "" && c.Config == "":
		return bad("api", "", "must be the address of a controller's API, or config be set to a configuration file")
	case c.API != "" && c.Config != "":
		return bad("config", c.Config, "must be left out where api is set: a context is one or the other")
	case c.API == "" && c.TokenFile+c.CAFile+c.CertFile+c.KeyFile+c.ServerName != "":
		return bad("api", "", "must be set: token_file, ca_file, cert_file, key_file and server_name go with it")
	}
	return nil
}

// Default is the file of whoever runs the program.
func Default() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for contexts.yaml: %w", err)
	}
	return filepath.Join(dir, "sluice", "contexts.yaml"), nil
}

// Load reads a file. One that is not there has no contexts.
func Load(file string) (File, error) {
	f := File{Contexts: map[string]Context{}}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	bad := func(err error, field, value string) error {
		var invalid *placement.InvalidError
		if errors.As(err, &invalid) {
			return &placement.InvalidError{Field: file + ": " + field + invalid.Field, Value: invalid.Value, Fix: invalid.Fix}
		}
		return &placement.InvalidError{Field: file, Value: value, Fix: "must be as sluice context writes it: " + strings.Join(strings.Fields(err.Error()), " ")}
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return f, bad(err, "", "")
	}
	if f.Contexts == nil {
		f.Contexts = map[string]Context{}
	}
	for n, c := range f.Contexts {
		err := ValidateName(n)
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			return f, bad(err, "contexts."+n+".", n)
		}
	}
	if _, ok := f.Contexts[f.Current]; f.Current != "" && !ok {
		return f, &placement.InvalidError{Field: file + ": current", Value: f.Current, Fix: "must be the name of one of its contexts, or be left out"}
	}
	return f, nil
}

// Save writes the file, whole or not at all, for nobody else to read.
func (f File) Save(file string) error {
	b, err := yaml.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(file), ".contexts-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = t.Write(b)
	if err = errors.Join(err, t.Sync(), t.Close()); err == nil {
		err = os.Rename(t.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return nil
}
