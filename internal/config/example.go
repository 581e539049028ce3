package config

import (
	"io"
	"strings"
)

// WriteExample writes a configuration file with every key, its meaning and its
// default. Loading it gives [Default].
func WriteExample(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Configuration of sluice. Every key is here with its default; leave out what you do not change.\n")
	b.WriteString("# An environment variable goes over the file, a flag over both: proxy.hold_deadline is\n")
	b.WriteString("# " + EnvName("proxy.hold_deadline") + " and --proxy.hold_deadline.\n")
	var open []string // the sections that the previous key was in
	for _, k := range Default().keys() {
		parts := strings.Split(k.path, ".")
		groups := parts[:len(parts)-1]
		same := 0
		for same < len(groups) && same < len(open) && groups[same] == open[same] {
			same++
		}
		if same == 0 && (len(groups) > 0 || len(open) == 0) {
			b.WriteString("\n")
		}
		for i := same; i < len(groups); i++ {
			indent := strings.Repeat("  ", i)
			comment(&b, indent, section(strings.Join(groups[:i+1], ".")))
			b.WriteString(indent + groups[i] + ":\n")
		}
		open = groups
		indent := strings.Repeat("  ", len(groups))
		comment(&b, indent, k.doc)
		if k.sample != "" {
			comment(&b, indent, "Example: "+k.sample)
		}
		b.WriteString(indent + parts[len(parts)-1] + ": " + yamlOf(k.def) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// comment writes text as a comment, wrapped at about 100 columns.
func comment(b *strings.Builder, indent, text string) {
	line := ""
	flush := func() {
		if line != "" {
			b.WriteString(indent + "#" + line + "\n")
		}
		line = ""
	}
	for _, w := range strings.Fields(text) {
		if len(indent)+len(line)+len(w) > 98 {
			flush()
		}
		line += " " + w
	}
	flush()
}

func section(name string) string {
	if s := storeSections[name]; s != "" {
		return s
	}
	return sections[name]
}
