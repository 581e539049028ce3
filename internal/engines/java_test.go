package engines_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
)

func TestFeatureRelease(t *testing.T) {
	for text, want := range map[string]int{
		"IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\n": 17,
		`JAVA_VERSION="25"`:         25,
		`JAVA_VERSION="25-ea"`:      25,
		"JAVA_VERSION=21.0.4\r\n":   21,
		`JAVA_VERSION="1.8.0_402"`:  8,
		`JAVA_VERSION=""`:           0,
		`JAVA_RUNTIME_VERSION="21"`: 0,
		"":                          0,
	} {
		got, err := engines.FeatureRelease(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}

func FuzzFeatureRelease(f *testing.F) {
	f.Add(`JAVA_VERSION="21.0.4"`)
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := engines.FeatureRelease(text); err == nil && v < 0 {
			t.Errorf("version %d", v)
		}
	})
}

// fakeJDK makes a directory that looks like a JDK of a version.
func fakeJDK(t *testing.T, version string, tools ...string) string {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err == nil {
		err = os.Mkdir(filepath.Join(home, "bin"), 0o755)
	}
	for _, tool := range tools {
		if err == nil {
			err = os.WriteFile(filepath.Join(home, "bin", tool), nil, 0o755)
		}
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(home, "release"), []byte(`JAVA_VERSION="`+version+`"`), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func TestFindJDK(t *testing.T) {
	whole := []string{"java", "javac", "jar"}
	newer, older := fakeJDK(t, "99998.0.1", whole...), fakeJDK(t, "99997", whole...)
	runtimeOnly := fakeJDK(t, "99999", "java")

	for _, test := range []struct {
		what, javaHome, path, override string
		low                            int
		want, reason                   string
	}{
		{what: "JAVA_HOME", javaHome: older, path: newer, low: 99997, want: older},
		{what: "java on PATH, since JAVA_HOME is too old", javaHome: older, path: newer, low: 99998, want: newer},
		{what: "the variable for 3.x", javaHome: older, override: newer, low: 99997, want: newer},
		{
			what: "the variable for 3.x names one that is too old", javaHome: newer, override: older, low: 99998,
			reason: "its version is 99997",
		},
		{what: "no compiler", javaHome: runtimeOnly, low: 99999, reason: "needs a JDK of version 99999 or newer"},
		{what: "the variable names no JDK", override: runtimeOnly, low: 99999, reason: "not a JDK"},
		{what: "nothing there", javaHome: filepath.Join(newer, "gone"), low: 99999, reason: "apt-get install openjdk-99999-jdk-headless"},
	} {
		t.Setenv("JAVA_HOME", test.javaHome)
		t.Setenv("PATH", filepath.Join(test.path, "bin"))
		t.Setenv(engines.Java3xEnv, test.override)
		got, err := engines.FindJDK(engines.Java3xEnv, test.low)
		if got != test.want {
			t.Errorf("%s: %s, %v, want %s", test.what, got, err, test.want)
		}
		var missing *engines.MissingError
		if test.want == "" && (!errors.As(err, &missing) || !strings.Contains(err.Error(), test.reason)) {
			t.Errorf("%s: %v, want %s", test.what, err, test.reason)
		}
	}
}

func TestMissingTools(t *testing.T) {
	t.Setenv(engines.CacheEnv, t.TempDir())
	t.Setenv("JAVA_HOME", fakeJDK(t, "99998", "java", "javac", "jar"))
	t.Setenv("PATH", "")
	for what, prepare := range map[string]func() error{
		"apt-get install maven": func() error { return engines.PrepareOpenSearch(t.Context(), engines.OpenSearch2, nil) },
		"install Go":            func() error { return engines.PrepareEtcd(t.Context(), nil) },
	} {
		err := prepare()
		var missing *engines.MissingError
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %s", err, what)
		}
	}
}

func TestEtcdOutsideTheModule(t *testing.T) {
	t.Chdir(t.TempDir())
	err := engines.PrepareEtcd(t.Context(), nil)
	var missing *engines.MissingError
	if !errors.As(err, &missing) {
		t.Fatal(err)
	}
}
