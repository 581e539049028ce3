package transfer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// FormatVersion is what this program writes and the only one it reads.
const FormatVersion = 1

// maxLine is the longest line that is read, in bytes.
const maxLine = 64 << 20

// spaces that are moved, in the order in which they are read from the source: a
// move's record follows its entry and never leads it, so the records come first,
// and an entry's cluster is never removed before the entry, so clusters come last.
var spaces = []string{store.SpaceRoster, store.SpaceWaves, store.SpaceWaveItems, store.SpaceLabels, store.SpaceTrash, store.SpaceAudit, store.SpaceReplays, store.SpaceMoves, store.SpaceEntries, store.SpaceClusters}

// Header is the first line of a file.
type Header struct {
	Format  int       `json:"sluice_table"` // FormatVersion
	Written time.Time `json:"written"`
	Build   string    `json:"build,omitempty"`
	Store   string    `json:"store,omitempty"` // what it was exported from, for people
	// Closed: the source cannot be served any more.
	Closed bool `json:"closed"`
	// Sessions is how many processes served the source when the export began.
	Sessions int `json:"sessions"`
	// Base is what the source itself added to its engine's versions.
	Base placement.Epoch `json:"base,omitempty"`
}

// Line is one record.
type Line struct {
	Space string `json:"space"`
	Name  string `json:"name"` // every name that the table gives is valid UTF-8
	// Epoch is base + version in the source.
	Epoch placement.Epoch `json:"epoch"`
	Value json.RawMessage `json:"value"`
}

// Key is where the record goes.
func (l Line) Key() driver.Key { return driver.Key{Space: l.Space, Name: l.Name} }

// Trailer is the last line.
type Trailer struct {
	End     bool            `json:"end"`
	Records int             `json:"records"`
	Epoch   placement.Epoch `json:"epoch"` // nothing in the source was newer
	// SHA256 is hexadecimal, of everything before this line. It also tells one
	// export from another.
	SHA256 string `json:"sha256"`
}

// FileError is a file that cannot be imported.
type FileError struct {
	Line   int // from 1; 0 when it is about the whole file
	Reason string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return "the export is unusable: " + e.Reason
	}
	return fmt.Sprintf("the export is unusable: line %d: %s", e.Line, e.Reason)
}

// ErrorCode is its code in the catalogue of errors.
func (e *FileError) ErrorCode() string { return "bad_file" }

// writer writes lines and sums what it wrote.
type writer struct {
	w       *bufio.Writer
	sum     hash.Hash
	records int
}

func newWriter(w io.Writer) *writer {
	return &writer{w: bufio.NewWriterSize(w, 1<<16), sum: sha256.New()}
}

func (w *writer) line(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b) // ends each value with a newline
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	w.sum.Write(b.Bytes())
	_, err := w.w.Write(b.Bytes())
	return err
}

func (w *writer) record(space string, base placement.Epoch, kv driver.KV) error {
	l := Line{Space: space, Name: kv.Name, Epoch: base + placement.Epoch(kv.Version), Value: slices.Clone(kv.Value)}
	switch {
	case !utf8.ValidString(kv.Name):
		return &store.CorruptError{Space: space, Name: kv.Name, Reason: "its name is no UTF-8"}
	case !json.Valid(l.Value) || !utf8.Valid(l.Value):
		return &store.CorruptError{Space: space, Name: kv.Name, Reason: "it is no JSON"}
	}
	w.records++
	return w.line(l)
}

func (w *writer) end(newest placement.Epoch) (Trailer, error) {
	t := Trailer{End: true, Records: w.records, Epoch: newest, SHA256: hex.EncodeToString(w.sum.Sum(nil))}
	if err := w.line(t); err != nil {
		return t, err
	}
	return t, w.w.Flush()
}

// Read reads a whole file, calls yield for each record and returns the header
// and the trailer. Unless it returns nil nothing that was yielded may be used: the
// checksum is known at the end only. A file that is not as Export wrote it is a
// *FileError; yield's error is returned as it is, with the line's number.
func Read(r io.Reader, yield func(Line) error) (Header, Trailer, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	sum := sha256.New()
	var h Header
	var t Trailer
	bad := func(n int, format string, a ...any) (Header, Trailer, error) {
		return h, t, &FileError{n, fmt.Sprintf(format, a...)}
	}
	for n := 1; ; n++ {
		line, err := readLine(in)
		switch {
		case errors.Is(err, io.EOF):
			return bad(0, "it ends after line %d without its last line: it was cut short", n-1)
		case err != nil:
			return h, t, err
		case line == nil:
			return bad(n, "it is longer than %d bytes", maxLine)
		case n == 1:
			if h, err = header(line); err != nil {
				return h, t, err
			}
			sum.Write(line)
			continue
		}
		if bytes.HasPrefix(line, []byte(`{"end":`)) {
			if err := strict(line, &t); err != nil {
				return bad(n, "%v", err)
			}
			if got := hex.EncodeToString(sum.Sum(nil)); got != t.SHA256 {
				return bad(0, "its checksum is %s, and should be %s: it was changed or damaged", got, t.SHA256)
			}
			if t.Records != n-2 || !t.End {
				return bad(n, "it counts %d records, there are %d", t.Records, n-2)
			}
			if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
				return bad(n+1, "there is something after the last line")
			}
			return h, t, nil
		}
		sum.Write(line)
		l, err := record(line)
		if err != nil {
			return bad(n, "%v", err)
		}
		if err := yield(l); err != nil {
			return h, t, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func header(line []byte) (Header, error) {
	var any struct {
		Format int `json:"sluice_table"`
	}
	if err := json.Unmarshal(line, &any); err != nil || any.Format == 0 {
		return Header{}, &FileError{1, "it is no export of `sluice store export`"}
	}
	if any.Format != FormatVersion {
		return Header{}, &FileError{1, fmt.Sprintf("it has format %d, this program reads %d", any.Format, FormatVersion)}
	}
	var h Header
	if err := strict(line, &h); err != nil {
		return h, &FileError{1, err.Error()}
	}
	if h.Base > store.MaxBase || h.Sessions < 0 {
		return h, &FileError{1, "its header is not as sluice writes it"}
	}
	return h, nil
}

func record(line []byte) (Line, error) {
	var l Line
	if !utf8.Valid(line) { // a name that is not would be read as another
		return l, errors.New("is not UTF-8")
	}
	if err := strict(line, &l); err != nil {
		return l, err
	}
	switch {
	case !slices.Contains(spaces, l.Space):
		return l, fmt.Errorf("unknown space %q", l.Space)
	case l.Value == nil:
		return l, errors.New("has no value")
	}
	return l, l.Key().Validate()
}

func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the record")
	}
	return nil
}

// readLine returns a line with its newline, nil when it is too long, and io.EOF
// when there is none or it has no newline: every line of an export has one.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, nil
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
