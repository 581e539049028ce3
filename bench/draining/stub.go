package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strconv"
)

// stubArg makes this program the stub, which writes its address to standard output.
const stubArg = "stub-of-a-cluster"

// answer is what a cluster says of a document that was written, as it comes over the wire.
var answer = func() []byte {
	body := `{"_index":"docs","_id":"1","_version":2,"result":"updated","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":7,"_primary_term":1}`
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
}()

// stub answers every request alike, as fast as it can, until it is killed.
func stub() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		go func() { serve(c); _ = c.Close() }()
	}
}

// serve reads requests whose bodies have a length, which a proxy's have.
func serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		length := 0
		for n := 0; ; n++ {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			line = bytes.TrimRight(line, "\r\n")
			if len(line) == 0 {
				break
			}
			name, value, _ := bytes.Cut(line, []byte(":"))
			if n > 0 && textproto.CanonicalMIMEHeaderKey(string(name)) == "Content-Length" {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
