package engines

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Java3xEnv names the environment variable that gives the home directory of the JDK for OpenSearch 3.x, for machines whose
// default one is older.
const Java3xEnv = "SLUICE_JAVA_HOME_3X"

// jdk is a Java development kit on this machine.
type jdk struct {
	home    string
	version int    // feature release, for example 21
	release string // its release file: what distinguishes this build of it from every other
}

func (j jdk) tool(name string) string { return filepath.Join(j.home, "bin", name) }

// findJDK returns the first JDK that is new enough, among: the directory named by the variable override if that is not
// empty and set, JAVA_HOME, the java on PATH, then the usual places in order of version.
func findJDK(engine, override string, low int) (jdk, error) {
	missing := &MissingError{
		Engine: engine,
		What:   fmt.Sprintf("a JDK of version %d or newer", low),
		Install: fmt.Sprintf("install one (Debian, Ubuntu: apt-get install openjdk-%d-jdk-headless) or point JAVA_HOME at one",
			low),
	}
	if override != "" {
		missing.Install += ", or " + override + " to leave JAVA_HOME alone"
		if home := os.Getenv(override); home != "" {
			// An explicit choice is followed or refused, never passed over.
			j, err := readJDK(home)
			if err == nil && j.version < low {
				err = fmt.Errorf("its version is %d", j.version)
			}
			if err != nil {
				missing.Err = fmt.Errorf("%s=%s cannot be used: %w", override, home, err)
				return jdk{}, missing
			}
			return j, nil
		}
	}
	for _, j := range installedJDKs() {
		if j.version >= low {
			return j, nil
		}
	}
	return jdk{}, missing
}

// installedJDKs lists what is there, the preferred first.
func installedJDKs() []jdk {
	var found []jdk
	add := func(home string) {
		if j, err := readJDK(home); err == nil {
			found = append(found, j)
		}
	}
	if home := os.Getenv("JAVA_HOME"); home != "" {
		add(home)
	}
	if java, err := exec.LookPath("java"); err == nil {
		if java, err = filepath.EvalSymlinks(java); err == nil {
			add(filepath.Dir(filepath.Dir(java)))
		}
	}
	preferred := len(found)
	for _, pattern := range []string{"/usr/lib/jvm/*", "/usr/java/*", "/opt/java/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home"} {
		homes, _ := filepath.Glob(pattern) // the only error is a bad pattern
		for _, home := range homes {
			add(home)
		}
	}
	slices.SortStableFunc(found[preferred:], func(a, b jdk) int { return cmp.Compare(a.version, b.version) })
	return found
}

// readJDK looks at a directory that may be a JDK's home. A runtime without a compiler is not one.
func readJDK(home string) (jdk, error) {
	home, err := filepath.EvalSymlinks(home)
	if err != nil {
		return jdk{}, err
	}
	for _, tool := range []string{"java", "javac", "jar"} {
		if _, err := os.Stat(filepath.Join(home, "bin", tool)); err != nil {
			return jdk{}, fmt.Errorf("not a JDK: %w", err)
		}
	}
	release, err := os.ReadFile(filepath.Join(home, "release"))
	if err != nil {
		return jdk{}, fmt.Errorf("not a JDK: %w", err)
	}
	version, err := featureRelease(string(release))
	if err != nil {
		return jdk{}, fmt.Errorf("%s: %w", filepath.Join(home, "release"), err)
	}
	return jdk{home: home, version: version, release: string(release)}, nil
}

// featureRelease reads the Java version out of the text of a release file, which has a line like JAVA_VERSION="21.0.4".
func featureRelease(text string) (int, error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "JAVA_VERSION=")
		if !ok {
			continue
		}
		value = strings.Trim(value, `"`)
		value = strings.TrimPrefix(value, "1.") // 1.8 was 8
		end := strings.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' })
		if end >= 0 {
			value = value[:end]
		}
		return strconv.Atoi(value)
	}
	return 0, fmt.Errorf("no JAVA_VERSION")
}

// findMaven returns the mvn command and the environment to run it in.
func findMaven(engine string, j jdk) (string, []string, error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", nil, &MissingError{
			Engine:  engine,
			What:    "Maven, once, to fetch its jars",
			Install: mavenInstall(),
			Err:     err,
		}
	}
	env := os.Environ()
	if _, err := exec.LookPath("java"); err != nil && os.Getenv("JAVA_HOME") == "" {
		env = append(env, "JAVA_HOME="+j.home)
	}
	return mvn, env, nil
}

func mavenInstall() string {
	if runtime.GOOS == "darwin" {
		return "install it: brew install maven"
	}
	return "install it (Debian, Ubuntu: apt-get install maven)"
}
