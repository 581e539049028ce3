package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/internal/contexts"
	"github.com/sluiceproxy/sluice/placement"
)

func contextCommand() *cobra.Command {
	c := group("context", "Name the fleets that you work with, and choose one",
		`  sluice context add production --api https://sluice.example.com:9282 --token-file ~/.config/sluice/production.token
  sluice context use production
  sluice tenant list                      # of production
  sluice tenant list --context lab        # of another one`,
		contextAdd(), contextList(), contextUse(), contextShow(), contextRemove())
	c.Long = `Name the fleets that you work with, and choose one. A context is the address of a controller's
API with the files that say who asks, or a configuration file with a store. They are kept in
sluice/contexts.yaml in your configuration directory, which only you can read; a secret is never
in it, only the names of files.

A command takes the first of these that is given: its flags (--api, --context, or --config and
--store...), $SLUICE_CONTEXT, $SLUICE_CONFIG and other variables of the configuration's store,
the context that sluice context use has chosen, sluice.yaml here.`
	return c
}

// contextFlag adds --context to a command.
func contextFlag(c *cobra.Command) {
	c.Flags().String("context", "", "the fleet by its name in sluice context list (default $SLUICE_CONTEXT, then that of sluice context use)")
	_ = c.RegisterFlagCompletionFunc("context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return contextNames(), cobra.ShellCompDirectiveNoFileComp
	})
}

// chosenContext is the context that a command is to use, and its name; a zero one: none.
func chosenContext(c *cobra.Command) (string, contexts.Context, error) {
	none := contexts.Context{}
	if c.Flags().Lookup("context") == nil {
		return "", none, nil // a process that is started has its own configuration
	}
	name, _ := c.Flags().GetString("context")
	from := "--context"
	switch {
	case name != "" && toldStore(c):
		return "", none, &usageError{errors.New("give one of --context, and --config or --store flags")}
	case name != "":
	case toldStore(c):
		return "", none, nil
	default:
		name, from = os.Getenv("SLUICE_CONTEXT"), "SLUICE_CONTEXT"
	}
	if name == "" && storeInEnvironment() {
		return "", none, nil
	}
	f, _, err := loadContexts()
	if err != nil {
		return "", none, err
	}
	if name == "" {
		return f.Current, f.Contexts[f.Current], nil
	}
	x, ok := f.Contexts[name]
	if !ok {
		return "", none, unknownContext(from, name, f)
	}
	return name, x, nil
}

func unknownContext(field, name string, f contexts.File) error {
	known := "there is none yet"
	if len(f.Contexts) > 0 {
		known = "known are " + strings.Join(slices.Sorted(maps.Keys(f.Contexts)), ", ")
	}
	return &placement.InvalidError{Field: field, Value: name, Fix: "must be the name of a context: " + known + "; `sluice context add` adds one"}
}

// storeInEnvironment reports whether the environment says which store.
func storeInEnvironment() bool {
	return slices.ContainsFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return name == "SLUICE_CONFIG" || strings.HasPrefix(name, "SLUICE_STORE_")
	})
}

func loadContexts() (contexts.File, string, error) {
	file, err := contexts.Default()
	if err != nil { // no home: nobody has contexts
		return contexts.File{}, "", nil
	}
	f, err := contexts.Load(file)
	return f, file, err
}

func contextNames() []string {
	f, _, _ := loadContexts()
	return slices.Sorted(maps.Keys(f.Contexts))
}

// changeContexts has the file changed, and written.
func changeContexts(change func(*contexts.File) error) error {
	f, file, err := loadContexts()
	if err != nil {
		return err
	}
	if file == "" {
		return refused("there is no place for contexts: set HOME, or XDG_CONFIG_HOME")
	}
	if err := change(&f); err != nil {
		return err
	}
	return f.Save(file)
}

// contextView is a context for programs.
type contextView struct {
	Name    string `json:"name"`
	Current bool   `json:"current"`
	contexts.Context
}

func contextAdd() *cobra.Command {
	var x contexts.Context
	var use, replace bool
	c := &cobra.Command{
		Use:   "add NAME (--api URL | --file FILE)",
		Short: "Name a fleet, by the address of its API or by a configuration file",
		Long: `Name a fleet, by the address of its API or by a configuration file. The files that are named
must be there; nothing is sent to the address.`,
		Example: `  sluice context add production --api https://sluice.example.com:9282 --token-file ~/.config/sluice/production.token
  sluice context add staging --api https://sluice.staging:9282 --ca-file staging-ca.pem --cert-file me.pem --key-file me.key
  sluice context add lab --file ~/lab/sluice.yaml --use`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := contexts.ValidateName(a[0]); err != nil {
				return err
			}
			if err := checkContext(&x); err != nil {
				return err
			}
			if err := changeContexts(func(f *contexts.File) error {
				if _, is := f.Contexts[a[0]]; is && !replace {
					return refused("context %s exists already; --replace changes it", a[0])
				}
				f.Contexts[a[0]] = x
				if use {
					f.Current = a[0]
				}
				return nil
			}); err != nil {
				return err
			}
			return answer(c, contextView{a[0], use, x}, func() error {
				then := "; `sluice context use " + a[0] + "` makes it the one that commands take"
				if use {
					then = ", and commands take it"
				}
				_, err := fmt.Fprintf(c.OutOrStdout(), "context %s added%s\n", a[0], then)
				return err
			}, a[0])
		},
	}
	f := c.Flags()
	f.StringVar(&x.API, "api", "", "address of a controller's API")
	f.StringVar(&x.TokenFile, "token-file", "", "file with the token that says who asks")
	f.StringVar(&x.CAFile, "ca-file", "", "certificates that verify the controller (default: the system's)")
	f.StringVar(&x.CertFile, "cert-file", "", "certificate that says who asks")
	f.StringVar(&x.KeyFile, "key-file", "", "key of that certificate")
	f.StringVar(&x.ServerName, "server-name", "", "name that the controller's certificate must have (default: that of the address)")
	f.StringVar(&x.Config, "file", "", "configuration file whose store is used, in place of an API")
	f.BoolVar(&use, "use", false, "have commands take it from now on")
	f.BoolVar(&replace, "replace", false, "change one that exists")
	outputFlag(c, "its name")
	return c
}

// checkContext makes files whole paths, and refuses what could not be used.
func checkContext(x *contexts.Context) error {
	flags := map[string]string{"address": "--api", "api": "--api", "config": "--file", "token_file": "--token-file", "ca_file": "--ca-file", "cert_file": "--cert-file", "key_file": "--key-file", "server_name": "--server-name"}
	for _, f := range []*string{&x.TokenFile, &x.CAFile, &x.CertFile, &x.KeyFile, &x.Config} {
		if *f == "" {
			continue
		}
		whole, err := filepath.Abs(*f)
		if err == nil {
			_, err = os.Stat(whole)
		}
		if err != nil {
			return &usageError{err}
		}
		*f = whole
	}
	err := x.Validate()
	if err == nil && x.API != "" {
		_, err = client.Dial(x.API, &client.Options{TokenFile: x.TokenFile, CAFile: x.CAFile, CertFile: x.CertFile, KeyFile: x.KeyFile, ServerName: x.ServerName})
	}
	var invalid *placement.InvalidError
	if errors.As(err, &invalid) {
		fix := strings.NewReplacer("token_file", "--token-file", "cert_file", "--cert-file", "key_file", "--key-file", "ca_file", "--ca-file", "server_name", "--server-name", "config be set", "--file be set").Replace(invalid.Fix)
		return &placement.InvalidError{Field: flags[invalid.Field], Value: invalid.Value, Fix: fix}
	}
	if err != nil {
		return &usageError{err}
	}
	return nil
}

func contextList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the contexts",
		Example: "  sluice context list\n  sluice context list -o yaml",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			f, _, err := loadContexts()
			if err != nil {
				return err
			}
			views, rows, names := []contextView{}, [][]string(nil), slices.Sorted(maps.Keys(f.Contexts))
			for _, n := range names {
				x := f.Contexts[n]
				views = append(views, contextView{n, n == f.Current, x})
				rows = append(rows, []string{n, x.API + x.Config, map[bool]string{true: "current"}[n == f.Current]})
			}
			return answer(c, views, func() error {
				return table(c.OutOrStdout(), []string{"CONTEXT", "API OR CONFIGURATION", "USED"}, rows)
			}, names...)
		},
	}
	outputFlag(c, "their names")
	return c
}

// oneContext completes a command about one context.
func oneContext(c *cobra.Command) *cobra.Command {
	c.ValidArgsFunction = func(_ *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(a) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return contextNames(), cobra.ShellCompDirectiveNoFileComp
	}
	outputFlag(c, "its name")
	return c
}

func contextUse() *cobra.Command {
	var none bool
	c := oneContext(&cobra.Command{
		Use:     "use (NAME | --none)",
		Short:   "Choose the context that commands take where nothing else is said",
		Example: "  sluice context use production\n  sluice context use --none",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if (len(a) == 1) == none {
				return &usageError{errors.New("give the name of a context, or --none")}
			}
			name := strings.Join(a, "")
			if err := changeContexts(func(f *contexts.File) error {
				if _, is := f.Contexts[name]; !is && !none {
					return unknownContext("context", name, *f)
				}
				f.Current = name
				return nil
			}); err != nil {
				return err
			}
			if none {
				return answer(c, map[string]string{"current": ""}, func() error {
					_, err := fmt.Fprintln(c.OutOrStdout(), "commands take no context")
					return err
				})
			}
			return answer(c, map[string]string{"current": name}, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "commands take context %s\n", name)
				return err
			}, name)
		},
	})
	c.Flags().BoolVar(&none, "none", false, "have commands take no context")
	return c
}

func contextShow() *cobra.Command {
	return oneContext(&cobra.Command{
		Use:     "show [NAME]",
		Short:   "Show a context, or the one that commands take",
		Example: "  sluice context show\n  sluice context show production -o yaml\n  sluice context show -q    # its name",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			f, _, err := loadContexts()
			if err != nil {
				return err
			}
			name := os.Getenv("SLUICE_CONTEXT")
			switch {
			case len(a) == 1:
				name = a[0]
			case name == "":
				name = f.Current
			}
			x, is := f.Contexts[name]
			switch {
			case name == "":
				return refused("no context is chosen; `sluice context use NAME` chooses one")
			case !is:
				return unknownContext("context", name, f)
			}
			return answer(c, contextView{name, name == f.Current, x}, func() error {
				var rows [][]string
				for _, r := range [][]string{{"api", x.API}, {"token file", x.TokenFile}, {"CA file", x.CAFile}, {"certificate file", x.CertFile},
					{"key file", x.KeyFile}, {"server name", x.ServerName}, {"configuration", x.Config}} {
					if r[1] != "" {
						rows = append(rows, r)
					}
				}
				return table(c.OutOrStdout(), []string{"CONTEXT", name}, rows)
			}, name)
		},
	})
}

func contextRemove() *cobra.Command {
	return oneContext(&cobra.Command{
		Use:     "remove NAME",
		Aliases: []string{"rm"},
		Short:   "Forget a context; the files that it names are not touched",
		Example: "  sluice context remove lab",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := changeContexts(func(f *contexts.File) error {
				if _, is := f.Contexts[a[0]]; !is {
					return unknownContext("context", a[0], *f)
				}
				delete(f.Contexts, a[0])
				if f.Current == a[0] {
					f.Current = ""
				}
				return nil
			}); err != nil {
				return err
			}
			return writeRemoved(c, "context", a[0])
		},
	})
}
