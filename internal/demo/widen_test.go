package demo_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
)

// TestAMoveThatWaitsTooLongIsGivenMore: the budget is widened in steps while a move waits because of it, and not when it
// waits for something else, is over, or nobody can tell. The program is a script that says so, and notes what it was told.
func TestAMoveThatWaitsTooLongIsGivenMore(t *testing.T) {
	const waits = `[{"id":"m1","stage":"catching_up","progress":{"note_code":"over_budget"}}]`
	for _, test := range []struct {
		name, list string
		told       []string
	}{
		{"waits", "echo '" + waits + "'", []string{"--pause-budget 1s", "--pause-budget 3s --cutover-deadline 4s"}},
		{"fits with 1s", "if [ -s told ]; then echo '[]'; else echo '" + waits + "'; fi", []string{"--pause-budget 1s"}},
		{"copies", `echo '[{"id":"m1","stage":"copying","progress":{}}]'`, nil},
		{"has flipped", "echo '" + strings.Replace(waits, "catching_up", "flipped", 1) + "'", nil},
		{"cannot be asked", "exit 1", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			program := filepath.Join(dir, "sluice")
			script := "#!/bin/sh\ncd " + dir + "\nif [ $2 = set ]; then shift 3; echo \"$*\" >>told; exit; fi\n" + test.list + "\n"
			must(t, os.WriteFile(program, []byte(script), 0o755))
			f, err := demo.NewFleet(program, dir, nil)
			must(t, err)
			// Both steps take less; where none is to be made, this is how long none is made.
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
			defer cancel()
			flags := f.Widen(ctx, 900*time.Millisecond)
			b, err := os.ReadFile(filepath.Join(dir, "told"))
			if err != nil && len(test.told) > 0 {
				t.Fatal(err)
			}
			var told []string
			for line := range strings.Lines(string(b)) {
				before, _, _ := strings.Cut(strings.TrimSpace(line), " --config")
				told = append(told, before)
			}
			if !slices.Equal(told, test.told) {
				t.Errorf("it was told %q, not %q", told, test.told)
			}
			if last := strings.Join(flags, " "); len(told) > 0 && last != told[len(told)-1] || len(told) == 0 && last != "" {
				t.Errorf("the receipt has %q", last)
			}
		})
	}
}
