package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/internal/contexts"
	"github.com/sluiceproxy/sluice/placement"
)

// fleet is what a command asks: the API of a controller, or the same API in this
// process, over a store. A command does not know which.
type fleet struct {
	*client.API
	// serve does what a controller does besides answering, until its context ends: events
	// need it. It is nil where a controller is asked.
	serve func(context.Context) error
	close func()
}

// fleetFlags adds the flags that say which fleet to a command that asks one: those of the
// store, a context, and the address of an API.
func fleetFlags(c *cobra.Command) {
	storeFlags(c)
	f := c.Flags()
	f.String("api", "", "ask the API of a controller at this address, such as https://sluice.example.com:9282, in place of the store")
	f.String("api-token-file", "", "with --api: file with the token that says who asks")
	f.String("api-ca-file", "", "with --api: certificates that verify the controller (default: the system's)")
	f.String("api-cert-file", "", "with --api: certificate that says who asks")
	f.String("api-cert-key-file", "", "with --api: key of that certificate")
	f.String("api-server-name", "", "with --api: name that the controller's certificate must have (default: that of the address)")
	for _, name := range []string{"api-ca-file", "api-cert-file", "api-cert-key-file", "api-server-name"} {
		_ = f.MarkHidden(name) // sluice context add shows them
	}
}

// openFleet returns the fleet that the flags, the environment and the contexts say.
func openFleet(c *cobra.Command) (*fleet, error) {
	at, field, err := addressed(c)
	if err != nil {
		return nil, err
	}
	if at.API != "" {
		return dialFleet(at, field)
	}
	s, err := openStore(c)
	if err != nil {
		return nil, err
	}
	f, err := serveFleet(c, s)
	if err != nil {
		s.close()
	}
	return f, err
}

// onFleet is a RunE that has the fleet open. A command that can refuse its input without
// it does so first, and calls openFleet itself.
func onFleet(run func(*cobra.Command, *fleet, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, a []string) error {
		f, err := openFleet(c)
		if err != nil {
			return err
		}
		defer f.close()
		return run(c, f, a)
	}
}

// addressed is the API that a command was told to ask, by --api or a context; one without
// an address: none. field names its members for people.
func addressed(c *cobra.Command) (at contexts.Context, field func(string) string, err error) {
	text := func(flag string) string { v, _ := c.Flags().GetString(flag); return v }
	at = contexts.Context{API: text("api"), TokenFile: text("api-token-file"), CAFile: text("api-ca-file"),
		CertFile: text("api-cert-file"), KeyFile: text("api-cert-key-file"), ServerName: text("api-server-name")}
	flags := map[string]string{"address": "--api", "token_file": "--api-token-file", "ca_file": "--api-ca-file",
		"cert_file": "--api-cert-file", "key_file": "--api-cert-key-file", "server_name": "--api-server-name"}
	switch {
	case at.API != "" && (text("context") != "" || toldStore(c)):
		return at, nil, &usageError{errors.New("give one of --api, --context, and --config or --store flags")}
	case at.API != "":
		return at, func(f string) string { return flags[f] }, nil
	case at != contexts.Context{}:
		return at, nil, &usageError{errors.New("--api-token-file and the like go with --api; a context has files of its own")}
	}
	name, x, err := chosenContext(c)
	return x, func(f string) string {
		if f == "address" {
			f = "api"
		}
		return "context " + name + ": " + f
	}, err
}

func dialFleet(at contexts.Context, field func(string) string) (*fleet, error) {
	a, err := client.Dial(at.API, &client.Options{TokenFile: at.TokenFile, CAFile: at.CAFile, CertFile: at.CertFile, KeyFile: at.KeyFile, ServerName: at.ServerName, Agent: "sluice/" + build()})
	var invalid *placement.InvalidError
	switch {
	case errors.As(err, &invalid):
		return nil, &placement.InvalidError{Field: field(invalid.Field), Value: invalid.Value, Fix: invalid.Fix}
	case err != nil: // a file that cannot be read
		return nil, &usageError{err}
	}
	return &fleet{API: a, close: a.CloseIdleConnections}, nil
}

// serveFleet serves the API in this process, to nobody else, with the operating system's
// user as its admin: whoever may write to the store may do everything anyway.
func serveFleet(c *cobra.Command, s *openedStore) (*fleet, error) {
	log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := api.New(s.Store, &api.Options{Build: build(), Engine: s.cfg.Store.Kind, Where: storeWhere(s.cfg.Store), Defaults: moveDefaults(s.cfg), CopyWorkers: s.cfg.Controller.CopyWorkers, Logger: log})
	if err != nil {
		return nil, err
	}
	t := &inProcess{handler: a.HandlerAs(api.Principal{Name: osUser(), Role: api.Admin})}
	asked, err := client.Dial("http://in-process", &client.Options{Transport: t})
	if err != nil {
		return nil, err
	}
	return &fleet{asked, a.Run, func() { t.wait(); a.Close(); s.close() }}, nil
}

// moveDefaults are what moves are asked for with, where a request does not say.
func moveDefaults(cfg *config.Config) control.MoveOptions {
	k := cfg.Controller
	return control.MoveOptions{PauseBudget: k.PauseBudget, CutoverDeadline: k.CutoverDeadline, DrainBarrier: k.DrainBarrier}
}

// osUser is who runs the program, for the audit log: os:alice@host.
func osUser() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return "os:" + name
}

// toldStore reports whether flags say which store.
func toldStore(c *cobra.Command) bool {
	told := false
	c.Flags().Visit(func(f *pflag.Flag) { told = told || f.Name == "config" || isStoreFlag(f.Name) })
	return told
}

// every collects the items of all pages of a list, and what is wrong with records that
// cannot be decoded.
func every[T any](get func(cursor *string) (*http.Response, error)) (all []T, unreadable []error, err error) {
	all = []T{}
	for p, err := range client.Pages[T](get) {
		if err != nil {
			return nil, nil, err
		}
		all = append(all, p.Items...)
		for _, why := range p.UnreadableBecause {
			unreadable = append(unreadable, errors.New(why))
		}
		if n := p.Unreadable - len(p.UnreadableBecause); n > 0 {
			unreadable = append(unreadable, fmt.Errorf("%d records cannot be decoded; sluice doctor names them", n))
		}
	}
	return all, unreadable, nil
}

// pageLimit is how many items a page has of which all are wanted.
var pageLimit = new(int64(1000))

// as is a value in another type that has the same JSON: the API's generated one for what
// a command has read from its flags.
func as[T any](v any) T {
	var out T
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil { // of types that a test sends
		panic(fmt.Sprintf("%T does not become %T: %s", v, out, err))
	}
	return out
}

// ifEpochFlag adds --if-epoch to a command that changes a tenant. What it returns is the
// precondition for the request.
func ifEpochFlag(c *cobra.Command) func() *string {
	epoch := c.Flags().Uint64("if-epoch", 0, "refuse unless the tenant is at this epoch, which sluice tenant show tells: nobody has changed it since")
	return func() *string {
		if !c.Flags().Changed("if-epoch") {
			return nil
		}
		return new(strconv.Quote(strconv.FormatUint(*epoch, 10)))
	}
}
