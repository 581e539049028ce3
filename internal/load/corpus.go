package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNoGoroot is returned when the sources of the Go standard library are not on this machine.
var ErrNoGoroot = errors.New("the sources of the Go standard library were not found; install Go from https://go.dev/dl, or set GOROOT")

// Param is one parameter or result of a function.
type Param struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type"`
}

// Doc is one document: a declaration of the standard library, or a paragraph of one's comment.
type Doc struct {
	ID        string  `json:"-"`
	UID       string  `json:"uid"` // the id again, to sort by
	Package   string  `json:"package"`
	Name      string  `json:"name"`
	Kind      string  `json:"kind"` // package, func, method, type, field, const, var, paragraph
	Receiver  string  `json:"receiver,omitempty"`
	Signature string  `json:"signature,omitempty"`
	Doc       string  `json:"doc,omitempty"`
	File      string  `json:"file"`
	Line      int     `json:"line"`
	Lines     int     `json:"lines"`
	Exported  bool    `json:"exported"`
	Params    []Param `json:"params,omitempty"`
	Marker    int64   `json:"marker"`  // the write that made this state; set by the clients
	Counter   int64   `json:"counter"` // increased by scripted updates
}

// Mapping is the body that creates an index for the corpus, without settings.
const Mapping = `{"mappings":{"dynamic":"strict","properties":{
"uid":{"type":"keyword"},"package":{"type":"keyword"},
"name":{"type":"text","fields":{"raw":{"type":"keyword"}}},
"kind":{"type":"keyword"},"receiver":{"type":"keyword"},
"signature":{"type":"text"},"doc":{"type":"text"},
"file":{"type":"keyword"},"line":{"type":"integer"},"lines":{"type":"integer"},"exported":{"type":"boolean"},
"params":{"type":"nested","properties":{"name":{"type":"keyword"},"type":{"type":"keyword"}}},
"marker":{"type":"long"},"counter":{"type":"long"}}}}`

// Corpus returns n documents from the standard library's sources, always the same ones for the same Go release. When the
// declarations do not suffice the paragraphs of doc comments follow, each a document of its own. It never makes copies: when
// there are fewer than n it returns what there is, and the caller sees it by the length.
func Corpus(ctx context.Context, n int) ([]Doc, error) {
	root, err := goroot(ctx)
	if err != nil {
		return nil, err
	}
	c := &corpus{src: filepath.Join(root, "src"), limit: n, seen: map[string]bool{}, fset: token.NewFileSet()}
	err = filepath.WalkDir(c.src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			// The go command's own packages are no part of the library.
			if name := d.Name(); name == "testdata" || name == "vendor" || path == filepath.Join(c.src, "cmd") {
				return filepath.SkipDir
			}
			return ctx.Err()
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || len(c.docs) >= n {
			return nil
		}
		return c.file(path)
	})
	if err != nil {
		return nil, fmt.Errorf("read the Go sources in %s: %w", c.src, err)
	}
	docs := c.docs
	if len(docs) < n {
		docs = append(docs, c.paragraphs(n-len(docs))...)
	}
	return docs[:min(n, len(docs))], nil
}

// goroot finds the sources, by the go command first: a program built with -trimpath does not know where it came from.
func goroot(ctx context.Context) (string, error) {
	var roots []string
	if out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output(); err == nil {
		roots = append(roots, strings.TrimSpace(string(out)))
	}
	roots = append(roots, os.Getenv("GOROOT"), "/usr/local/go", "/usr/lib/go")
	for _, root := range roots {
		if root == "" {
			continue
		}
		if info, err := os.Stat(filepath.Join(root, "src", "net", "http")); err == nil && info.IsDir() {
			return root, nil
		}
	}
	return "", ErrNoGoroot
}

type corpus struct {
	src   string
	limit int
	fset  *token.FileSet
	seen  map[string]bool
	docs  []Doc
}

// file adds the declarations of one file. A file that does not parse, as templates may, is passed over.
func (c *corpus) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(c.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	rel, err := filepath.Rel(c.src, path)
	if err != nil {
		return err
	}
	s := source{corpus: c, text: text, file: filepath.ToSlash(rel), pkg: filepath.ToSlash(filepath.Dir(rel))}
	if f.Doc != nil {
		s.add(f, Doc{Name: f.Name.Name, Kind: "package", Doc: f.Doc.Text(), Exported: true})
	}
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			s.function(d)
		case *ast.GenDecl:
			s.general(d)
		}
	}
	return nil
}

// paragraphs splits the comments of the documents that there are.
func (c *corpus) paragraphs(n int) []Doc {
	var out []Doc
	for _, d := range c.docs {
		parts := strings.Split(strings.TrimSpace(d.Doc), "\n\n")
		if len(parts) < 2 {
			continue
		}
		for i, part := range parts {
			if len(out) == n {
				return out
			}
			p := d
			p.ID = fmt.Sprintf("%s/%d", d.ID, i)
			p.UID, p.Kind, p.Doc, p.Lines = p.ID, "paragraph", part, strings.Count(part, "\n")+1
			out = append(out, p)
		}
	}
	return out
}

// source is one file while its declarations are taken.
type source struct {
	*corpus
	text      []byte
	file, pkg string
}

func (s *source) add(node ast.Node, d Doc) {
	from, to := s.fset.Position(node.Pos()), s.fset.Position(node.End())
	if d.Name == "_" {
		return
	}
	d.Package, d.File, d.Line, d.Lines = s.pkg, s.file, from.Line, to.Line-from.Line+1
	if d.Kind == "package" {
		d.Lines = strings.Count(d.Doc, "\n")
	}
	d.Exported = d.Exported || ast.IsExported(d.Name)
	// Names repeat between files for different systems, so the place is part of the id.
	name := d.Name
	if d.Receiver != "" {
		name = d.Receiver + "." + name
	}
	d.ID = fmt.Sprintf("%s.%s@%s:%d", d.Package, name, filepath.Base(d.File), d.Line)
	if len(d.ID) > 500 || s.seen[d.ID] {
		return // OpenSearch takes ids of 512 bytes
	}
	s.seen[d.ID] = true
	d.UID = d.ID
	s.docs = append(s.docs, d)
}

// code returns the source text of a node on one line, cut to a length that a signature needs.
func (s *source) code(from, to token.Pos) string {
	a, b := s.fset.Position(from).Offset, s.fset.Position(to).Offset
	if a < 0 || b > len(s.text) || a > b {
		return ""
	}
	text := strings.Join(strings.Fields(string(s.text[a:b])), " ")
	if len(text) > 2000 {
		text = strings.ToValidUTF8(text[:2000], "")
	}
	return text
}

func (s *source) function(d *ast.FuncDecl) {
	doc := Doc{Name: d.Name.Name, Kind: "func", Doc: d.Doc.Text(), Signature: s.code(d.Pos(), d.Type.End())}
	if d.Recv != nil && len(d.Recv.List) > 0 {
		doc.Kind = "method"
		doc.Receiver = strings.TrimPrefix(s.code(d.Recv.List[0].Type.Pos(), d.Recv.List[0].Type.End()), "*")
	}
	for _, list := range []*ast.FieldList{d.Type.Params, d.Type.Results} {
		if list == nil {
			continue
		}
		for _, field := range list.List {
			kind := s.code(field.Type.Pos(), field.Type.End())
			for _, name := range field.Names {
				doc.Params = append(doc.Params, Param{Name: name.Name, Type: kind})
			}
			if len(field.Names) == 0 {
				doc.Params = append(doc.Params, Param{Type: kind})
			}
		}
	}
	if len(doc.Params) > 30 {
		doc.Params = doc.Params[:30] // nested documents count as documents of their own in an index
	}
	s.add(d, doc)
}

func (s *source) general(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.add(spec, Doc{Name: spec.Name.Name, Kind: "type", Doc: comment(spec.Doc, d.Doc, spec.Comment),
				Signature: s.code(spec.Pos(), spec.End())})
			s.members(spec)
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				s.add(name, Doc{Name: name.Name, Kind: d.Tok.String(), Doc: comment(spec.Doc, spec.Comment, d.Doc),
					Signature: s.code(spec.Pos(), spec.End())})
			}
		}
	}
}

// members adds the fields of a struct and the methods of an interface.
func (s *source) members(spec *ast.TypeSpec) {
	var list *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			s.add(name, Doc{Name: name.Name, Kind: "field", Receiver: spec.Name.Name,
				Doc: comment(field.Doc, field.Comment), Signature: s.code(field.Pos(), field.End())})
		}
	}
}

// comment returns the first comment that says something.
func comment(groups ...*ast.CommentGroup) string {
	texts := make([]string, 0, len(groups))
	for _, g := range groups {
		texts = append(texts, g.Text())
	}
	return cmp.Or(texts...)
}

// Packages returns the names of the packages in docs, sorted: words to search for.
func Packages(docs []Doc) []string {
	var out []string
	for _, d := range docs {
		out = append(out, d.Package)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
