// Package console is the page for operators at /ui: files that are built from src (make
// console) and embedded, served so that the page can load nothing but them and ask
// nobody but the controller that it came from. It knows nothing of the fleet: what it
// shows it reads from the HTTP API, as any other client.
package console

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Path is where the page is.
const Path = "/ui/"

// Policy is the content security policy of the page: no script, style or picture but its
// own files, no connection but to where it came from, and in nobody's frame.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed dist
var embedded embed.FS

// files are the embedded ones, by their paths below Path.
var files = read()

func read() map[string][]byte {
	out := map[string][]byte{}
	err := fs.WalkDir(embedded, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[strings.TrimPrefix(name, "dist/")], err = embedded.ReadFile(name)
		return err
	})
	if err != nil {
		panic("the files of the console cannot be read from the program itself: " + err.Error())
	}
	return out
}

// Handler serves what is below Path. Every path that is no file's is the page, which
// finds out by itself what it is to show.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", Policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the console is only to be read", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, Path)
		body, ok := files[name]
		switch {
		case ok && strings.HasPrefix(name, "assets/"): // its name changes with what is in it
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		case strings.HasPrefix(name, "assets/"): // of another build, perhaps
			h.Set("Cache-Control", "no-store")
			http.Error(w, "there is no such file in this build; load the page anew", http.StatusNotFound)
			return
		default:
			name, body = "index.html", files["index.html"]
			h.Set("Cache-Control", "no-cache")
		}
		h.Set("Content-Type", kinds[path.Ext(name)])
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// kinds are the types of the files; the machine's own table is not asked.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}
