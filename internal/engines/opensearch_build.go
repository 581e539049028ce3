package engines

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The launchers and the lists of jars. The launcher differs by major version because the constructor of a node does.
//
//go:embed opensearch
var sources embed.FS

// The OpenSearch versions this package can start. Each has a launcher and a list of jars of its own.
const (
	OpenSearch2 = "2.19.6" // the newest 2.x with all its modules published as jars
	OpenSearch3 = "3.9.0"
	// OpenSearch3S3 is OpenSearch3 with the plugin for snapshot repositories on S3, whose
	// newest jar is of 3.8.0; there is none for 2.19. Its settings that begin with
	// "secure." are those of the keystore. What it answers as its version is 3.9.0.
	OpenSearch3S3 = "3.9.0-s3"
)

// CopyGoal is Maven's for fetching jars. It is pinned, so that the default of the Maven at hand does not matter.
const CopyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// major is what differs between the lines of OpenSearch.
type major struct {
	java    int    // the oldest that will do
	javaEnv string // variable that names a JDK for this line only
	flags   []string
}

var majors = map[string]major{
	// The jars would do with 11, but the class archive needs a newer one; 25 was tried as well.
	OpenSearch2: {java: 17},
	// Its class files are of version 65, which is Java 21.
	OpenSearch3: {java: 21, javaEnv: Java3xEnv, flags: flags3},
	// What a distribution keeps apart by class loaders shares Netty here, which both the
	// plugin and the node would tell the number of processors.
	OpenSearch3S3: {java: 21, javaEnv: Java3xEnv, flags: append([]string{"-Dopensearch.set.netty.runtime.available.processors=false"}, flags3...)},
}

var flags3 = []string{"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"}

// build is an OpenSearch ready to run: a JDK, jars, and the flags it needs.
type build struct {
	engine  string // "opensearch 2.19.6"
	version string
	java    jdk
	flags   []string
	dir     string // in the cache
}

func (b *build) jars() string    { return filepath.Join(b.dir, "lib") }
func (b *build) archive() string { return filepath.Join(b.dir, "classes.jsa") }

// PrepareOpenSearch does what the first start of a version would have to do: fetch the jars with Maven (some 75 MB, about
// 40 s), build the launcher and make an archive of loaded classes that makes each start several times quicker. When all
// that is in the cache it returns at once. Progress is written as lines of text; nil discards them. The error is a
// *MissingError when Java or Maven has to be installed.
func PrepareOpenSearch(ctx context.Context, version string, progress io.Writer) error {
	_, err := prepare(ctx, version, progress)
	return err
}

func prepare(ctx context.Context, version string, progress io.Writer) (*build, error) {
	m, ok := majors[version]
	if !ok {
		return nil, fmt.Errorf("opensearch %q is not one of %s, %s, %s", version, OpenSearch2, OpenSearch3, OpenSearch3S3)
	}
	engine := "opensearch " + version
	java, err := findJDK(engine, m.javaEnv, m.java)
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	key, err := sourceHash(version, java)
	if err != nil {
		return nil, err
	}
	id := "opensearch-" + version + "-" + key
	b := &build{engine: engine, version: version, java: java, flags: m.flags, dir: filepath.Join(cache, id)}
	if exists(b.archive()) {
		return b, nil
	}
	say := report(progress, engine)
	err = exclusively(ctx, cache, id, say, func() error {
		if !exists(b.dir) {
			if err := b.make(ctx, cache, say); err != nil {
				return err
			}
		}
		if exists(b.archive()) {
			return nil
		}
		return b.makeArchive(ctx, say)
	})
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", engine, err)
	}
	return b, nil
}

// sourceHash identifies what a build is made of. The JDK is part of it, since a class archive fits one JDK only.
func sourceHash(version string, java jdk) (string, error) {
	h := sha256.New()
	for _, name := range launcherFiles(version) {
		text, err := sources.ReadFile(name)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	_, _ = fmt.Fprintf(h, "%s\n%s\n%s", java.home, java.release, strings.Join(majors[version].flags, " "))
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

func launcherFiles(version string) []string {
	return []string{
		path.Join("opensearch", version, "pom.xml"),
		path.Join("opensearch", version, "ModularNode.java"),
		"opensearch/SluiceNode.java",
		"opensearch/log4j2.properties",
	}
}

// make fetches the jars and compiles the launcher, in a directory of its own that is renamed into place when complete.
func (b *build) make(ctx context.Context, cache string, say reporter) error {
	mvn, env, err := findMaven(b.engine, b.java)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(cache, "making-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // after the rename there is nothing to remove
	classes := filepath.Join(work, "classes")
	lib := filepath.Join(work, "lib")
	if err := errors.Join(os.Mkdir(classes, 0o755), os.Mkdir(lib, 0o755)); err != nil {
		return err
	}
	for _, name := range launcherFiles(b.version) {
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			return err
		}
		to := work
		if path.Ext(name) == ".properties" {
			to = classes
		}
		if err := os.WriteFile(filepath.Join(to, path.Base(name)), text, 0o644); err != nil {
			return err
		}
	}

	say("fetching its jars with Maven, this happens once")
	out := &downloads{say: say, said: time.Now()} // the first count after a moment
	cmd := exec.CommandContext(ctx, mvn, "--batch-mode", CopyGoal, "-DoutputDirectory="+lib, "-DincludeScope=runtime")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = work, env, out, out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &MissingError{
			Engine:  b.engine,
			What:    "its jars, fetched once from Maven Central",
			Install: "check the network, or the mirror in Maven's settings",
			Err:     fmt.Errorf("%w; Maven's last lines were:\n  | %s", err, strings.Join(out.tail(), "\n  | ")),
		}
	}
	jars, err := filepath.Glob(filepath.Join(lib, "*.jar"))
	if err != nil {
		return err
	}
	say("has %d jars, %d files were downloaded", len(jars), out.fetched())

	// No annotation processing: log4j's processor would look for plugins in the launcher.
	javac := exec.CommandContext(ctx, b.java.tool("javac"), "-proc:none", "-encoding", "UTF-8",
		"-cp", filepath.Join(lib, "*"), "-d", classes, filepath.Join(work, "SluiceNode.java"), filepath.Join(work, "ModularNode.java"))
	jar := exec.CommandContext(ctx, b.java.tool("jar"), "--create", "--file", filepath.Join(lib, "sluice-node.jar"),
		"-C", classes, ".")
	for _, cmd := range []*exec.Cmd{javac, jar} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
		}
	}
	return os.Rename(work, b.dir)
}

// classPath lists the jars in a fixed order: a class archive is good for exactly the path it was made with.
func (b *build) classPath() (string, error) {
	jars, err := filepath.Glob(filepath.Join(b.jars(), "*.jar"))
	if err != nil {
		return "", err
	}
	if len(jars) == 0 {
		return "", fmt.Errorf("no jars in %s: delete its parent directory to build it again", b.jars())
	}
	slices.Sort(jars)
	return strings.Join(jars, string(os.PathListSeparator)), nil
}
