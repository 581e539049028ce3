package chaos_test

import (
	"bufio"
	"flag"
	"os"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(callEnv); address != "" {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		call(address)
		return
	}
	flag.Parse()
	os.Exit(enginetest.Run(m))
}
