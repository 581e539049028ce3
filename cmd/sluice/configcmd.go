package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/config"
)

func configCommand() *cobra.Command {
	example := &cobra.Command{
		Use:     "example",
		Short:   "Print a configuration file with every key, its meaning and its default",
		Example: "  sluice config example > sluice.yaml",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return config.WriteExample(c.OutOrStdout()) },
	}
	check := &cobra.Command{
		Use:     "check [FILE]",
		Short:   "Check a configuration as a process would at its start",
		Example: "  sluice config check\n  sluice config check sluice.yaml\n  SLUICE_PROXY_MODE=leased sluice config check sluice.yaml",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			file := configFile(c)
			if len(a) == 1 {
				file = a[0]
			}
			_, warnings, err := loadFile(c, file)
			for _, w := range warnings {
				fmt.Fprintln(c.ErrOrStderr(), "sluice: warning:", w)
			}
			if err != nil {
				return err
			}
			if file == "" {
				file = "the defaults and the environment"
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "ok:", file)
			return err
		},
	}
	return group("config", "Print or check a configuration", "  sluice config example > sluice.yaml\n  sluice config check sluice.yaml", example, check)
}
