package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// block is a fenced block of a page of the manual, or a run of text between two.
type block struct {
	page  string
	line  int // of the first line within it
	fence bool
	lang  string // of a fence: what follows the backticks
	mark  string // of a fence: the HTML comment in the line before it, without its brackets
	lines []string
}

// manual returns the pages of the manual by their path from the module's root.
func manual(t *testing.T) map[string][]block {
	t.Helper()
	root := filepath.Join("..", "..")
	names := []string{"README.md", "CONTRIBUTING.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".vitepress") {
			return fs.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			rel, err := filepath.Rel(root, name)
			names = append(names, rel)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]block{}
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = blocks(t, name, string(raw))
	}
	return pages
}

// blocks cuts a page at its fences.
func blocks(t *testing.T, page, text string) (all []block) {
	t.Helper()
	now := block{page: page, line: 1}
	before := ""
	for i, line := range strings.Split(text, "\n") {
		lang, fence := strings.CutPrefix(strings.TrimLeft(line, " "), "```")
		if !fence {
			now.lines = append(now.lines, line)
			if strings.TrimSpace(line) != "" {
				before = line
			}
			continue
		}
		all = append(all, now)
		now = block{page: page, line: i + 2, fence: !now.fence}
		if now.fence {
			now.lang = lang
			if mark, ok := strings.CutPrefix(strings.TrimSpace(before), "<!-- "); ok {
				now.mark = strings.TrimSuffix(mark, " -->")
			}
		}
		before = ""
	}
	if now.fence {
		t.Errorf("%s: the block at line %d does not end", page, now.line)
	}
	return append(all, now)
}

// calls returns the words of each call of sluice in a line of a shell, which may
// have a prompt, assignments before the call, a comment, pipes and redirections.
func calls(line string) (out [][]string) {
	words := []string{}
	end := func() {
		for len(words) > 0 && (strings.Contains(words[0], "=") && words[0][0] >= 'A' || words[0] == "$") {
			words = words[1:]
		}
		if len(words) > 0 && (words[0] == "sluice" || strings.HasSuffix(words[0], "bin/sluice")) {
			out = append(out, words[1:])
		}
		words = []string{}
	}
	word, quoted, begun := strings.Builder{}, rune(0), false
	take := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range line + " " {
		switch {
		case quoted != 0:
			if r == quoted {
				quoted = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quoted, begun = r, true
		case r == '#' && !begun:
			end()
			return out
		case r == ' ' || r == '\t':
			take()
		case strings.ContainsRune("|&;()", r):
			take()
			end()
		case r == '>' || r == '<':
			take()
			words = append(words, string(r))
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	end()
	for i, call := range out { // a redirection takes the word behind it along
		for n := slices.IndexFunc(call, func(w string) bool { return w == ">" || w == "<" }); n >= 0; n = slices.IndexFunc(call, func(w string) bool { return w == ">" || w == "<" }) {
			call = slices.Delete(call, n, min(n+2, len(call)))
		}
		out[i] = call
	}
	return out
}

// parses says what the program would say of a command line before it did anything:
// an unknown command or flag, a value that a flag does not take, too many or too few
// arguments. A mention in the running text may leave its arguments out.
func parses(call []string, mention bool) error {
	c, rest, err := commandTree().Find(call)
	if err != nil {
		return err
	}
	c.InitDefaultHelpFlag()
	if err := c.ParseFlags(rest); err != nil {
		var lacks *pflag.ValueRequiredError
		if mention && errors.As(err, &lacks) {
			return nil
		}
		return err
	}
	a := c.Flags().Args()
	if slices.Contains(rest, "--help") || mention && len(a) == 0 {
		return nil
	}
	if err := c.ValidateArgs(a); err != nil {
		return err
	}
	own := 0
	c.LocalNonPersistentFlags().VisitAll(func(*pflag.Flag) { own++ })
	if c.HasSubCommands() && len(a) == 0 && own <= 1 { // but for --help
		return errors.New("it only has subcommands")
	}
	return c.ValidateRequiredFlags()
}

// commandTree is the program's, made once: what one parse leaves in a flag's value does
// not matter to the next.
var commandTree = sync.OnceValue(func() *cobra.Command {
	root := newRoot()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
})

var mentioned = regexp.MustCompile("`(sluice [a-z][^`]*)`")

// Every command line of sluice that the manual shows is one, for the program as it is.
func TestManualShowsCommands(t *testing.T) {
	shown, mentions := 0, 0
	for page, all := range manual(t) {
		for _, b := range all {
			lines := b.lines
			if !b.fence {
				for _, m := range mentioned.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
					for _, call := range calls(strings.ReplaceAll(m[1], "\n", " ")) {
						mentions++
						if err := parses(call, true); err != nil {
							t.Errorf("%s: `%s`: %v", page, m[1], err)
						}
					}
				}
				continue
			}
			for i := 0; i < len(lines); i++ {
				at, line := b.line+i, strings.TrimSpace(strings.TrimPrefix(lines[i], "ExecStart="))
				for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
					i++
					line = strings.TrimSuffix(line, `\`) + lines[i]
				}
				for _, call := range calls(line) {
					shown++
					if err := parses(call, false); err != nil {
						t.Errorf("%s:%d: sluice %s: %v", page, at, strings.Join(call, " "), err)
					}
				}
			}
		}
	}
	if shown < 25 || mentions < 50 {
		t.Errorf("only %d commands in blocks and %d in the text: the manual is not read", shown, mentions)
	}
	t.Logf("%d commands in blocks, %d in the text", shown, mentions)
}

var makes = map[bool]*regexp.Regexp{ // by whether it is in a fence
	true:  regexp.MustCompile("(?m)^ *make ([a-z][a-z-]*)"),
	false: regexp.MustCompile("(?m)(?:^    |`)make ([a-z][a-z-]*)"),
}

// Every target of make that the manual names is one.
func TestManualShowsTargets(t *testing.T) {
	raw, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for page, all := range manual(t) {
		for _, b := range all {
			text := strings.Join(b.lines, "\n")
			for _, m := range makes[b.fence].FindAllStringSubmatch(text, -1) {
				n++
				if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(raw) {
					t.Errorf("%s: there is no target %s", page, m[1])
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d targets: the manual is not read", n)
	}
}

// So is every example of the help.
func TestHelpShowsCommands(t *testing.T) {
	shown := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for line := range strings.SplitSeq(c.Example, "\n") {
			for _, call := range calls(line) {
				shown++
				if err := parses(call, false); err != nil {
					t.Errorf("the help of %q: sluice %s: %v", c.CommandPath(), strings.Join(call, " "), err)
				}
			}
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(commandTree())
	if shown < 80 {
		t.Errorf("only %d examples", shown)
	}
}

// What is no command is found out.
func TestManualFindsWhatIsNoCommand(t *testing.T) {
	for line, want := range map[string]string{
		"sluice move acme --to b --wait   # watch it":        "",
		"$ SLUICE_CONFIG=x.yaml sluice tenant list > t.json": "",
		"make build && bin/sluice wave run --file - < t.txt": "",
		"sluice move acme 'two words' --to b":                "accepts 1 arg(s), received 2",
		"sluice move --to b":                                 "accepts 1 arg(s), received 0",
		"sluice move acme --target b":                        "unknown flag: --target",
		"sluice move acme --to b --pause-budget much":        "invalid argument",
		"sluice mvoe acme":                                   "unknown command",
		"sluice moves":                                       "only has subcommands",
		"sluice moves lst":                                   "unknown command",
		"echo sluice":                                        "no call",
	} {
		got := "no call"
		for _, call := range calls(line) {
			got = ""
			if err := parses(call, false); err != nil {
				got = err.Error()
			}
		}
		if got == "" != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
