package sim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/sim"
)

var (
	mutantSeeds = flag.Int("sim.mutantseeds", 1500, "how many seeds a mutant may survive at most")
	withMutants = flag.Bool("sim.mutants", false, "run the mutants")
	onlyMutant  = flag.String("sim.mutant", "", "a regular expression of the mutants to run")
)

// TestMutants checks that the simulation is able to see: each mutant must be
// found out. A text that is not there any more fails it, too.
func TestMutants(t *testing.T) {
	if !*withMutants {
		t.Skip("runs the simulation more than fifty times; make mutants does it, and make test")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	program, err := buildMutants(t.TempDir(), root)
	if err != nil {
		t.Fatal(err)
	}
	only := regexp.MustCompile(*onlyMutant)
	var wg sync.WaitGroup
	slots := make(chan struct{}, cores)
	for _, m := range mutants {
		if !only.MatchString(m.name) {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			began := time.Now()
			found, err := runMutant(t, program, m)
			switch {
			case err != nil:
				t.Errorf("%s: %v", m.name, err)
			case found == "":
				t.Errorf("without the rule that %s, %d seeds find nothing (mutant %s)", m.rule, *mutantSeeds, m.name)
			default:
				t.Logf("%-32s %4.1fs  %s", m.name, time.Since(began).Seconds(), found)
			}
		})
	}
	wg.Wait()
}

// mutantEnv names the mutant that a program of buildMutants is; without it, it is the code as it is.
const mutantEnv = "SLUICE_SIM_MUTANT"

// schemata are the files that the mutants change, by their paths, with all mutants in each: a function that a mutant changes
// begins by asking whether the program is that mutant, and calls a copy of itself then, which has the change. So that one
// compilation does for all. A file more in each package has the mutant's name.
func schemata(root string) (map[string]string, error) {
	files := map[string]*source{}
	for _, m := range mutants {
		changed := map[string]string{}
		for _, e := range m.edits {
			path := filepath.Join(root, e.file)
			f, ok := files[path]
			if !ok {
				var err error
				if f, err = readSource(path); err != nil {
					return nil, err
				}
				files[path] = f
			}
			text, ok := changed[path]
			if !ok {
				text = f.text
			}
			if n := strings.Count(text, e.old); n != 1 {
				return nil, fmt.Errorf("%s: %s has the text to replace %d times, not once:\n%s", m.name, e.file, n, e.old)
			}
			changed[path] = strings.Replace(text, e.old, e.new, 1)
		}
		for path, text := range changed {
			if err := files[path].mutate(m.name, text); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", m.name, path, err)
			}
		}
	}
	out := map[string]string{}
	for path, f := range files {
		out[path] = f.schema()
		out[filepath.Join(filepath.Dir(path), "mutant.go")] = fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar mutant = os.Getenv(%q)\n", f.name, mutantEnv)
	}
	return out, nil
}

// source is a file of which functions get mutants.
type source struct {
	text, name string // what is on disk, and its package's name
	funcs      []funcText
	rest       string         // what is between them
	choices    map[int]string // what the function with this index asks before all else
	copies     strings.Builder
}

// funcText is a function of a file.
type funcText struct {
	decl  *ast.FuncDecl
	start int    // where it starts in the file, its comment left out
	text  string // from there on
}

func readSource(path string) (*source, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &source{text: string(b), choices: map[int]string{}}
	s.name, s.funcs, s.rest, err = functionsOf(s.text)
	return s, err
}

// functionsOf are those of a file, and what is between them.
func functionsOf(text string) (name string, all []funcText, rest string, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return "", nil, "", err
	}
	at := 0
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok {
			start, end := fset.Position(d.Pos()).Offset, fset.Position(d.End()).Offset
			all = append(all, funcText{d, start, text[start:end]})
			rest, at = rest+text[at:start], end
		}
	}
	return f.Name.Name, all, rest + text[at:], nil
}

// mutate adds the functions that are other ones in the mutant's text.
func (s *source) mutate(mutant, text string) error {
	_, funcs, rest, err := functionsOf(text)
	switch {
	case err != nil:
		return err
	case len(funcs) != len(s.funcs) || rest != s.rest:
		return errors.New("it changes more than what is in functions")
	}
	for i, f := range funcs {
		if f.text == s.funcs[i].text {
			continue
		}
		name := f.decl.Name.Name + "_" + mutant
		call, err := callOf(s.funcs[i].decl, name)
		if err != nil {
			return err
		}
		s.choices[i] += fmt.Sprintf("\n\tif mutant == %q {\n\t\t%s\n\t}", mutant, call)
		at := int(f.decl.Name.Pos() - f.decl.Pos())
		fmt.Fprintf(&s.copies, "\n%s%s%s\n", f.text[:at], name, f.text[at+len(f.decl.Name.Name):])
	}
	return nil
}

// callOf is the statement by which a function has another one of its kind do what it was asked for.
func callOf(d *ast.FuncDecl, name string) (string, error) {
	var args []string
	for _, p := range d.Type.Params.List {
		if len(p.Names) == 0 {
			return "", fmt.Errorf("a parameter of %s has no name", d.Name.Name)
		}
		for _, n := range p.Names {
			args = append(args, n.Name)
		}
		if _, variadic := p.Type.(*ast.Ellipsis); variadic {
			args[len(args)-1] += "..."
		}
	}
	if d.Recv != nil {
		if len(d.Recv.List[0].Names) == 0 {
			return "", fmt.Errorf("the receiver of %s has no name", d.Name.Name)
		}
		name = d.Recv.List[0].Names[0].Name + "." + name
	}
	if slices.Contains(args, "_") {
		return "", fmt.Errorf("a parameter of %s has no name", d.Name.Name)
	}
	call := name + "(" + strings.Join(args, ", ") + ")"
	if d.Type.Results == nil {
		return call + "\n\t\treturn", nil
	}
	return "return " + call, nil
}

// schema is the file with its mutants.
func (s *source) schema() string {
	var b strings.Builder
	at := 0
	for i, f := range s.funcs {
		if choice, ok := s.choices[i]; ok {
			body := f.start + int(f.decl.Body.Lbrace-f.decl.Pos()) + 1
			b.WriteString(s.text[at:body] + choice)
			at = body
		}
	}
	return b.String() + s.text[at:] + s.copies.String()
}

// What the mutants replace is still there, and what they put there is Go: a mutant
// that would change nothing, or not compile, is found here, and not only where all are
// compiled.
func TestMutantsApply(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("there are two mutants %s", m.name)
		}
		names[m.name] = true
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := schemata(root)
	if err != nil {
		t.Fatal(err)
	}
	var c checker
	if err := c.check(text); err != nil {
		t.Error(err)
	}
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// checker checks packages of this module against what the others export as they are.
type checker struct {
	packages map[string]listed // by their folders
	fset     *token.FileSet
	importer types.Importer
}

func (c *checker) init() error {
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./internal/sim")
	list.Dir, list.Stderr = "../..", os.Stderr
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	c.packages, c.fset = map[string]listed{}, token.NewFileSet()
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		exports[p.ImportPath] = p.Export
		c.packages[p.Dir] = p
	}
	c.importer = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return nil
}

// check checks the packages of these files, whose text is by their paths.
func (c *checker) check(text map[string]string) error {
	if c.importer == nil {
		if err := c.init(); err != nil {
			return err
		}
	}
	dirs := map[string]bool{}
	for path := range text {
		dirs[filepath.Dir(path)] = true
	}
	for dir := range dirs {
		full, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		p, ok := c.packages[full]
		if !ok {
			return fmt.Errorf("%s is not among what the simulation is made of", dir)
		}
		var files []*ast.File
		for _, name := range append(slices.Clone(p.GoFiles), "mutant.go") {
			var src any // nil: as it is on disk
			if s, changed := text[filepath.Join(dir, name)]; changed {
				src = s
			}
			f, err := parser.ParseFile(c.fset, filepath.Join(dir, name), src, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			files = append(files, f)
		}
		if _, err := (&types.Config{Importer: c.importer}).Check(p.ImportPath, c.fset, files, nil); err != nil {
			return err
		}
	}
	return nil
}

// The runs that mutants are given find nothing in the code as it is: what they
// find is the mutant's. Those of no given options are among the seeds of TestSeeds.
func TestMutantsRunsAreClean(t *testing.T) {
	for _, m := range mutants {
		if m.with == nil {
			continue
		}
		for _, seed := range []uint64{m.seed, 1, 2} {
			o := *m.with
			if r := sim.Run(t, seed, &o); len(r.Breaches) > 0 {
				t.Errorf("%s: seed %d: %q", m.name, seed, r.Breaches)
			}
		}
	}
}

// buildMutants compiles this package's tests with all mutants in them.
func buildMutants(dir, root string) (string, error) {
	text, err := schemata(root)
	if err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, s := range text {
		to := filepath.Join(dir, fmt.Sprintf("%d.go", len(overlay.Replace)))
		if err := os.WriteFile(to, []byte(s), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[path] = to
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	config, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutants.test")
	if err := os.WriteFile(config, b, 0o600); err != nil {
		return "", err
	}
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", config, "-o", program, "./internal/sim")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
}

// runMutant runs the mutant's seed, and only if the code has changed so much that
// this finds nothing, seeds from the first on until one fails. It returns what was
// found: empty if nothing was.
func runMutant(t *testing.T, program string, m mutant) (string, error) {
	if m.seed != 0 {
		// Thrice: the rare thing that a seed does not decide must not cost a search.
		found, err := find(t, program, m, m.seed, 1, "-test.count=3", "-test.failfast")
		if found != "" || err != nil {
			return found, err
		}
	}
	return find(t, program, m, *first, *mutantSeeds)
}

// find runs so many seeds until one fails.
func find(t *testing.T, program string, m mutant, first uint64, n int, flags ...string) (string, error) {
	run := exec.CommandContext(t.Context(), program, append(flags, "-test.run=^TestSeeds$", "-test.timeout=30m", fmt.Sprintf("-sim.first=%d", first),
		fmt.Sprintf("-sim.seeds=%d", n), "-sim.stop", "-sim.noshrink")...)
	if m.with != nil {
		o, err := json.Marshal(m.with)
		if err != nil {
			return "", err
		}
		run.Args = append(run.Args, "-sim.options="+string(o))
	}
	run.Dir, run.Env = filepath.Dir(program), append(os.Environ(), mutantEnv+"="+m.name)
	out, err := run.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if m := regexp.MustCompile(`(?m)seed \d+: .*$`).Find(out); m != nil {
		return strings.TrimSpace(string(m[:min(len(m), 300)])), nil
	}
	return "", fmt.Errorf("it failed without a finding: %w\n%s", err, out[max(0, len(out)-3000):])
}

// Every rule that the models show to be needed has a mutant of the code, or a
// reason why not.
func TestEveryRuleOfTheModelsHasAMutant(t *testing.T) {
	files, err := filepath.Glob("../../spec/*.pml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no models: %v", err)
	}
	rules := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`M_[A-Z_]+`).FindAllString(string(b), -1) {
			rules[m] = false
		}
	}
	stands := func(rule, who string) {
		if _, known := rules[rule]; !known {
			t.Errorf("%s names %s, which no model knows", who, rule)
		}
		rules[rule] = true
	}
	for _, m := range mutants {
		for _, rule := range strings.Fields(m.model) {
			stands(rule, m.name)
		}
	}
	for rule := range notInTheCode {
		if rules[rule] {
			t.Errorf("%s has a mutant, and a reason why not", rule)
		}
		stands(rule, "notInTheCode")
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		if !rules[rule] {
			t.Errorf("no mutant of the code stands for %s", rule)
		}
	}
	page, err := os.ReadFile("../../docs/correctness.md")
	if err != nil {
		t.Fatal(err)
	}
	if says := fmt.Sprintf("Of the models' %d rules, %d have mutants in the code, %d in all;", len(rules), len(rules)-len(notInTheCode), len(mutants)); !strings.Contains(string(page), says) {
		t.Errorf("docs/correctness.md does not say: %s", says)
	}
}
