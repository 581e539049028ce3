package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/internal/config"
)

// agreed are commands that must say the same, and do the same, on a store and by the API
// of a controller over another one.
const agreed = `
cluster add a http://127.0.0.1:1 --no-check
cluster add b http://127.0.0.1:1 --no-check --username me --password-file /nowhere
cluster add a http://127.0.0.1:1 --no-check
cluster add b http://127.0.0.1:2 --no-check --replace
cluster add c http://127.0.0.1:1 --no-check --replace
cluster add c http://127.0.0.1:1
cluster list
tenant add acme --cluster a --index acme-docs --as docs
tenant add one/two? --cluster a --index other
tenant add acme --cluster a --index more
tenant add more --cluster z --index more
tenant label acme tier=small region=eu
tenant label acme region-
tenant label acme
tenant label nobody tier=small
tenant label acme tier=large --if-epoch 1
tenant list
tenant list --label tier=small --cluster a
tenant show one/two?
tenant show nobody
moves list
moves show acme
move nobody --to b
move acme --to z
move acme --to a --index acme-docs
move acme --to b --index Bad
move acme --to b --pause-budget -1s
move acme --to b --kind galaxy
move acme --to b --dry-run
move acme --to b --if-epoch 1
move acme --to b --retire-after 1d --trash 7d --copy-rate 100 --copy-hours 22:00-06:00 --copy-zone Europe/Berlin --shadow-reads 5 --shadow-max-differences 0 --verify content --cutover-deadline 4s
move acme --to b
moves list --active --tenant acme
moves show acme
moves set acme --copy-hours always --copy-rate 0 --accept-drift
moves set acme --pause-budget 5s
moves set acme --pause-budget 0s
moves pause acme
moves resume acme
moves rollback acme
moves retire m1
moves abort acme
moves set acme --pause-budget 1s
wave plan --file testdata/tenants.txt
wave run --file testdata/tenants.txt --paused --window 22:00-06:00 --pause-budget 1s --at-once 3
wave set w1 --at-once 9
wave list
wave show w1
wave retire w1
wave rollback w1
wave rollback w1 --dry-run
wave plan --all-from a --to b --by docs
wave plan --label tier=none --to b
wave run --file testdata/nobody.txt
trash list
trash show m1
trash restore m1
trash purge m1
tenant remove acme
tenant remove one/two? --if-epoch 1
tenant remove one/two?
cluster remove b
fleet list
verify acme
verify nobody
verify --from a/x --to z/y
verify --from a/x --to a/y
doctor
doctor --only cluster_unreachable
doctor --fix --yes --only label_corrupt --only orphan_documents:a/pool/a,b
`

// The same commands on a store, and over HTTPS with a token: what they print, what they
// end with, and what the audit log has of them is the same, but for who asked.
func TestStoreAndAPIAgree(t *testing.T) {
	t.Parallel()
	onStore, _ := newCLI(t)
	_, s := newCLI(t)
	token := strings.Repeat("0", 64)
	a, err := api.New(s, &api.Options{Engine: "etcd", Defaults: moveDefaults(config.Default()),
		Auth: api.AuthConfig{TokensFile: write(t, "tokens", "me admin 60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55\nguest viewer "+strings.Repeat("a", 64)+"\n")}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	server := httptest.NewUnstartedServer(a.Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is refused below
	server.StartTLS()
	defer server.Close()
	ca := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	byAPI := cli{t, []string{"--api", server.URL, "--api-token-file", write(t, "token", token), "--api-ca-file", ca}}

	for line := range strings.SplitSeq(strings.TrimSpace(agreed), "\n") {
		args := append(strings.Fields(line), "-o", "json")
		want, have := onStore.run(args...), byAPI.run(args...)
		if have.code != want.code || anyRun(have.stdout) != anyRun(want.stdout) || anyRun(have.stderr) != anyRun(want.stderr) {
			t.Errorf("sluice %s: on the store %+v\nby the API %+v", line, want, have)
		}
	}
	if out := byAPI.ok("fleet", "whoami", "-q"); out != "token:me\n" {
		t.Errorf("%q", out)
	}
	if out := onStore.ok("fleet", "whoami", "-q"); out != osUser()+"\n" || !strings.HasPrefix(out, "os:") {
		t.Errorf("%q", out)
	}
	for _, c := range []cli{onStore, byAPI} {
		if out := c.ok("fleet", "store"); !strings.Contains(out, "answered in") {
			t.Errorf("%q", out)
		}
	}
	want, have := audited(t, onStore, osUser()), audited(t, byAPI, "token:me")
	if d := cmp.Diff(want, have); d != "" || len(want) < 20 {
		t.Errorf("%d changes in the audit logs, which differ (-store +API):\n%s", len(want), d)
	}
	if r := (cli{t, []string{"--api", server.URL, "--api-ca-file", ca}}).run("tenant", "list"); r.code != exitUsage || !strings.Contains(r.stderr, "there are no credentials that are known") {
		t.Errorf("without a token: %+v", r)
	}
	if r := (cli{t, []string{"--api", server.URL}}).run("tenant", "list"); r.code != exitUnavailable || !strings.Contains(r.stderr, "certificate") {
		t.Errorf("without the authority: %+v", r)
	}
}

// anyRun takes out what is of one run: when, and by which generated id.
func anyRun(text string) string {
	for _, x := range [][2]string{{`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?`, "TIME"}, {`\b[mw][a-z0-9]{15}\b`, "ID"}} {
		text = regexp.MustCompile(x[0]).ReplaceAllString(text, x[1])
	}
	return text
}

// audited are the changes in the log, which are all of who.
func audited(t *testing.T, c cli, who string) (out []client.AuditEntry) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.ok("audit", "-n", "0", "-o", "json")), &out); err != nil {
		t.Fatal(err)
	}
	for i, e := range out {
		if e.Who != who || e.Outcome == "intended" {
			t.Errorf("%+v", e)
		}
		out[i].Who, out[i].ID, out[i].Request, out[i].Ended = "", "", "", nil
		out[i].Time = time.Time{}
		out[i].Target = new(anyRun(text(e.Target)))
		for _, v := range []*any{&out[i].Before, &out[i].After} {
			b, err := json.Marshal(*v)
			if err != nil {
				t.Fatal(err)
			}
			*v = anyRun(string(b))
		}
	}
	return out
}

// A change that is under way when its command is interrupted is ended, and the audit log
// says what came of it; nothing is left running.
func TestInProcessEndsWhatItBegan(t *testing.T) {
	began, let := make(chan struct{}), make(chan struct{})
	ended := false
	p := &inProcess{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-let
		ended = true
		_, _ = w.Write([]byte("{}")) // nobody reads it
	})}
	asked, err := client.Dial("http://in-process", &client.Options{Transport: p})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-began
		cancel()
	}()
	if _, err := asked.RemoveTenant(ctx, "acme", nil); err == nil {
		t.Error("an answer that was not waited for")
	}
	close(let)
	p.wait()
	if !ended {
		t.Error("it was not waited for")
	}
}
