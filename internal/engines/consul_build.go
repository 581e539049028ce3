package engines

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
)

// consulVersion is the newest Consul under the Mozilla Public License that is built from its modules alone.
const consulVersion = "1.14.11"

// consulModule is the module that the program is built in. It is not Sluice's own: Consul's dependencies are none of ours.
// The replacement stands in for one of Consul's source tree, by a release that has what is used of it.
const consulModule = `module sluice.build/consul

go 1.20

require github.com/hashicorp/consul v` + consulVersion + `

replace github.com/hashicorp/consul/proto-public => github.com/hashicorp/consul/proto-public v0.2.0
`

// PrepareConsul builds the Consul program from its modules, unless it is in the cache: eight to eleven minutes of one core, once.
// It needs the go command and access to the modules. Progress is written as lines of text; nil discards them. The error is a
// *MissingError when there is no go command.
func PrepareConsul(ctx context.Context, progress io.Writer) error {
	_, err := prepareConsul(ctx, progress)
	return err
}

// prepareConsul returns the path of the program.
func prepareConsul(ctx context.Context, progress io.Writer) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	name := "consul-" + consulVersion + "-" + runtime.GOOS + "-" + runtime.GOARCH
	program := filepath.Join(cache, name)
	if exists(program) {
		return program, nil
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return "", &MissingError{Engine: "consul", What: "the go command", Install: "install Go from https://go.dev/dl", Err: err}
	}
	say := report(progress, "consul "+consulVersion)
	err = exclusively(ctx, cache, name, say, func() error {
		if exists(program) {
			return nil
		}
		say("building it from its modules: eight to eleven minutes of one core, once")
		return buildModule(ctx, goCmd, consulModule, "github.com/hashicorp/consul", program, say)
	})
	if err != nil {
		return "", fmt.Errorf("prepare consul %s: %w", consulVersion, err)
	}
	return program, nil
}
