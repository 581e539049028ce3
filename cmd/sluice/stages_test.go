package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// stages are the scenes of pages that need another one than a fleet with two clusters and
// two tenants.
var stages = map[string]func(*scene){
	"README.md": func(s *scene) {
		s.put("http://search-a:9200", s.a().URL())
		s.put("https://search-b:9200", s.door(s.b().URL(), false, basic("sluice", "secret")))
		s.file("b.password", "secret\n")
		s.address("127.0.0.1:9281", "localhost:9280")
		s.put(`":9280"`, s.text("localhost:9280"))
		s.env = append(s.env, "SLUICE_STORE_ETCD_EMBEDDED_CLIENT_URL=http://"+freeAddress(s.t))
		s.listens("API_LISTEN")
		s.put("retire MOVE", "retire $(sluice moves list --tenant acme -q | head -n 1)")
		s.documents("acme-docs")
	},
	"docs/api.md": func(s *scene) {
		s.fleet()
		s.put("https://sluice.example.com:9282", "http://"+s.text("127.0.0.1:9282"))
		s.run("TOKEN=$(cat var/api.token)")
	},
	"docs/clusters.md": func(s *scene) {
		s.fleet()
		s.put("https://vpc-d-x.eu-west-1.es.amazonaws.com", s.amazon(s.b().URL()))
	},
	"docs/moves.md": func(s *scene) {
		s.fleet()
		s.tenants("globex", "umbrella")
		s.put("b/docs-m1k2j3h4g5abcdef", `b/$(sluice tenant show acme -o json | grep -o '"index": "docs-[^"]*"' | head -1 | cut -d'"' -f4)`)
		// What the page moves twice is one tenant there and another one here.
		s.put("sluice move acme --to b --copy snapshot", "sluice move globex --to b --copy snapshot")
		s.put("sluice move acme --to b --copy auto", "sluice move umbrella --to b --copy auto")
		s3Stage(s)
		for _, x := range []struct{ at, more string }{{s.a().URL(), ""}, {s.b().URL(), `,"readonly":true`}} {
			s.run(`curl -X PUT ` + x.at + `/_snapshot/backups -H 'Content-Type: application/json' -d '{"type":"fs","settings":{"location":"` + filepath.Join(s.dir, "backups") + `"` + x.more + `}}'`)
		}
	},
	"docs/running.md": func(s *scene) {
		root, err := filepath.Abs("../..")
		if err != nil {
			s.t.Fatal(err)
		}
		s.tool("sluice", enginetest.Sluice(s.t))
		s.run("ln -s "+filepath.Join(root, "deploy")+" deploy", apart)
	},
	"docs/waves.md": func(s *scene) {
		s.fleet()
		s.tenants("globex")
		s.run("sluice cluster add c "+s.b().URL(), "sluice tenant label initech tier=small", "sluice tenant label globex tier=free", "echo acme b >tenants.txt")
		s.run(`curl -X PUT ` + s.b().URL() + `/small -H 'Content-Type: application/json' -d '{"settings":{"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"long"}}}}'`)
		s.put("--window 22:00-06:00", "--window 00:00-23:59 --window 12:00-11:59") // whenever the test runs
		// The one who shares the index already gives its field to whoever is packed into it.
		s.run("sluice tenant add hooli --cluster b --kind shared_index --index small --partition-field tenant --as docs")
	},
	"docs/apply.md": func(s *scene) { // a fleet that has nothing of what the file declares
		s.serve()
		s.put("http://search-a:9200", s.a().URL())
		for _, shown := range []string{"https://search-b1:9200", "https://search-b2:9200"} {
			s.put(shown, s.door(s.b().URL(), false, basic("sluice", "secret")))
		}
		s.file("b.password", "secret\n")
		s.run("sluice cluster add hooli-1 "+s.b().URL(),
			`curl -X PUT `+s.a().URL()+`/pool -H 'Content-Type: application/json' -d '{"settings":{"number_of_replicas":0},"mappings":{"properties":{"tenant":{"type":"keyword"}}}}'`)
	},
	"docs/contexts.md": func(s *scene) {
		s.fleet()
		s.put("https://sluice.example.com:9282", "http://"+s.text("127.0.0.1:9282"))
		s.env = append(s.env, "XDG_CONFIG_HOME=")
		s.run("mkdir -p ~/.config/sluice ~/lab", "cp sluice.yaml ~/lab/", "cp var/api.token ~/.config/sluice/production.token", "sluice tenant label initech tier=small")
	},
	"docs/fleet.md": func(s *scene) {
		s.file("api.tokens", "first admin "+strings.Repeat("a", 64)+"\n")
		s.env = append(s.env, "SLUICE_API_AUTH_TOKENS_FILE="+filepath.Join(s.dir, "etc", "api.tokens"))
		s.address("127.0.0.1:9290")
		s.fleet()
		proxy, err := filepath.Abs("../../docs/fleet-proxy.py")
		if err != nil {
			s.t.Fatal(err)
		}
		s.put("docs/fleet-proxy.py", proxy)
	},
	"docs/tenants.md": func(*scene) {}, // a file is all that it needs
	"docs/stores/README.md": func(s *scene) {
		old := "store: {etcd: {embedded: {data_dir: var, client_url: \"http://" + freeAddress(s.t) + "\"}}}\n"
		s.write("sluice.yaml", old)
		s.write("old.yaml", old)
		// A table that was served, and is not.
		s.address("127.0.0.1:9281")
		s.listens("PROXY_LISTEN", "API_LISTEN")
		s.env = append(s.env, "SLUICE_ADMIN_LISTEN="+s.text("127.0.0.1:9281"))
		s.run("sluice serve 2>serve.log &", s.up(), "kill $!; wait")
		s.write("new.yaml", "store: {kind: redis, redis: {addresses: [\""+enginetest.Redis(s.t).Addr()+"\"]}}\n")
	},
	"docs/howto/store-embedded.md": func(s *scene) {
		s.address("127.0.0.1:12379", "127.0.0.1:9281")
		s.listens("PROXY_LISTEN", "API_LISTEN")
		s.env = append(s.env, "SLUICE_ADMIN_LISTEN="+s.text("127.0.0.1:9281"))
		s.other()
		s.run(systemctl)
	},
	"docs/howto/store-etcd.md":   etcdStage,
	"docs/howto/store-consul.md": consulStage,
	"docs/howto/store-redis.md":  redisStage,
	"docs/howto/store-opensearch.md": func(s *scene) {
		s.put("https://os-1:9200", s.door(s.a().URL(), false, basic("sluice", "secret")))
		s.file("opensearch.password", "secret\n")
		s.authority("opensearch-ca.pem")
		s.other()
	},
	"docs/howto/api-authentication.md": func(s *scene) {
		s.address("127.0.0.1:12379", "127.0.0.1:9280", "127.0.0.1:9281", "127.0.0.1:9282")
		s.put("https://sluice.example.com:9282", "https://"+s.text("127.0.0.1:9282"))
		s.certificate("server", "api.pem", "api.key")
		s.ca.Client("ops")
		s.certificate("ops", "ops.pem", "ops.key")
		s.authority("operators-ca.pem")
		s.env = append(s.env, "ID_TOKEN="+s.issue("id-keys.json", map[string]any{"aud": "sluice", "groups": []string{"search-team"}}))
	},
	"docs/howto/client-authentication.md": func(s *scene) {
		s.address("127.0.0.1:12379", "127.0.0.1:9280", "127.0.0.1:9281")
		s.listens("API_LISTEN")
		s.put("https://search.example.com:9280", "https://"+s.text("127.0.0.1:9280"))
		s.put("http://search-a:9200", s.a().URL())
		s.certificate("server", "tls.pem", "tls.key")
		s.ca.Client("tenant-acme")
		s.certificate("tenant-acme", "acme.pem", "acme.key")
		s.authority("clients-ca.pem")
		s.env = append(s.env, "ID_TOKEN="+s.issue("id-keys.json", map[string]any{"aud": "search", "tenant": "acme"}))
		s.documents("acme-docs")
	},
	"docs/howto/cluster-authentication.md": func(s *scene) {
		s.fleet()
		s.run("sluice tenant remove acme", "sluice tenant remove initech", "sluice cluster remove a", "sluice cluster remove b")
		s.put("https://search-a:9200", s.door(s.a().URL(), false, basic("sluice", "secret")))
		s.put("https://search-b:9200", s.door(s.b().URL(), false, func(r *http.Request) bool { return r.Header.Get("Authorization") == "ApiKey key" }))
		s.put("https://search-c:9200", s.door(s.b().URL(), true, nil))
		s.file("a.password", "secret\n")
		s.file("b.key", "key\n")
		s.ca.Client("sluice")
		s.certificate("sluice", "sluice.pem", "sluice-client.key")
		s.authority("search-ca.pem")
	},
	"docs/howto/reload.md": func(s *scene) {
		s.file("api.tokens", "first admin "+strings.Repeat("a", 64)+"\n")
		s.env = append(s.env, "SLUICE_API_AUTH_TOKENS_FILE="+filepath.Join(s.dir, "etc", "api.tokens"))
		s.fleet()
	},
	"docs/howto/backup.md": func(s *scene) {
		s.fleet()
		config, _, _ := strings.Cut(fleetConfig, "store:")
		_, rest, _ := strings.Cut(fleetConfig, "proxy:")
		secret := filepath.Join(s.dir, "etc", "fleet.secret")
		s.file("fleet.secret", strings.Repeat("0123456789abcdef", 4)+"\n")
		s.write("new.yaml", s.text(config+"fleet: {secret_file: "+secret+"}\nstore: {kind: redis, redis: {addresses: [\""+enginetest.Redis(s.t).Addr()+"\"]}}\nproxy:"+rest))
		s.run(systemctl)
	},
}

// systemctl stands for systemd's, which needs to have been the machine's first process. It
// stops what the page has started by a SIGTERM, as that does, and waits for its end.
const systemctl = `systemctl() {
	[[ $1 = stop && sluice = $2 && $# = 2 ]] || { echo "systemctl $*: nothing stands for that"; return 1; }
	for j in $(jobs -p); do kill "$j"; done
	wait
}`

func basic(user, password string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		u, p, _ := r.BasicAuth()
		return u == user && p == password
	}
}

func (s *scene) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// other is a configuration that names another store: one inside Sluice.
func (s *scene) other() {
	s.write("other.yaml", "store: {etcd: {embedded: {data_dir: other, client_url: \"http://"+freeAddress(s.t)+"\"}}}\n")
}

// authority puts the certificate of the test's authority where the page has one.
func (s *scene) authority(name string) {
	s.t.Helper()
	text, err := os.ReadFile(s.ca.File("ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(name, string(text))
}

// issue writes an issuer's public keys into a file, and returns a token that it signed.
func (s *scene) issue(keys string, claims map[string]any) string {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(keys, string(set))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k1").WithType("JWT"))
	if err != nil {
		s.t.Fatal(err)
	}
	claims["iss"], claims["sub"], claims["exp"] = "https://id.example.com", "somebody", time.Now().Add(time.Hour).Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func etcdStage(s *scene) {
	s.ca.Client("client")
	e := enginetest.EtcdWith(s.t, &engines.EtcdOptions{ExtraArgs: []string{
		"--cert-file=" + s.ca.File("server.pem"), "--key-file=" + s.ca.File("server.key"),
		"--client-cert-auth", "--trusted-ca-file=" + s.ca.File("ca.pem"), "--bcrypt-cost=4",
	}})
	s.put("https://etcd-1:2379", e.URL())
	s.authority("etcd-ca.pem")
	s.certificate("client", "etcd-client.pem", "etcd-client.key")
	s.other()
	etcdctl, err := engines.PrepareEtcdctl(s.t.Context(), os.Stderr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tool("etcdctl", etcdctl)
}

// apart runs a script in a root that has all of this machine, and keeps its changes in
// memory. systemd does not run there: what is enabled is not started, and that it is enabled
// is seen to. It takes root's rights, as the commands do.
const apart = `apart() {
	cat >block
	[ "$(id -u)" = 0 ] || [ -n "${CI:-}" ] || { echo 'not run: it takes root'; return; }
	mkdir -p root
	unshare --mount --propagation private bash -euo pipefail -c '
		mount -t tmpfs tmpfs root
		mkdir root/upper root/work root/all
		mount -t overlay -o lowerdir=/,upperdir=root/upper,workdir=root/work overlay root/all
		for d in dev proc; do mount --rbind /$d root/all/$d; done
		chroot root/all bash -euo pipefail -s' <<END
cd $PWD
export SYSTEMD_OFFLINE=1
systemctl() { command systemctl "\${@/#--now/--quiet}"; }
$(cat block)
systemctl is-enabled sluice.socket sluice@1 sluice-controller
[ "\$(stat -c '%G %a' /etc/sluice)" = 'sluice 750' ]
setpriv --reuid sluice --regid sluice --clear-groups /usr/bin/sluice version
END
}`

// s3Stage has two clusters, whose nodes keep credentials in keystores, and a server that
// speaks S3 and wants those.
func s3Stage(s *scene) {
	const key = "the-key-of-this-test"
	backend := s3mem.New()
	if err := backend.CreateBucket("snapshots"); err != nil {
		s.t.Fatal(err)
	}
	fake := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential="+key+"/") {
			http.Error(w, "who is it?", http.StatusForbidden)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	s.t.Cleanup(server.Close)
	script := "#!/bin/sh\nvalue=$(cat)\n" // which each node is told
	for _, shown := range []string{"SOURCE/", "TARGET/"} {
		n := enginetest.OpenSearchWith(s.t, &engines.OpenSearchOptions{Version: engines.OpenSearch3S3, HeapMB: 384, Settings: map[string]string{
			"s3.client.default.endpoint": strings.TrimPrefix(server.URL, "http://"), "s3.client.default.protocol": "http",
			"s3.client.default.path_style_access": "true", "s3.client.default.region": "us-east-1",
		}})
		s.put(shown, n.URL()+"/")
		script += "printf '%s\\n' \"$value\" | '" + strings.Join(n.Keystore(), "' '") + "' \"$@\" || exit\n"
	}
	if err := os.WriteFile(filepath.Join(s.dir, "bin", "opensearch-keystore"), []byte(script), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.run("opensearch-keystore create </dev/null")
	s.env = append(s.env, "ACCESS_KEY="+key, "SECRET_KEY=a secret of this test")
}

func consulStage(s *scene) {
	const token = "0d6f3ac1-6d3f-4c8e-9a53-6a7a1f2f9c12"
	c := enginetest.ConsulWith(s.t, &engines.ConsulOptions{Token: token, CertFile: s.ca.File("server.pem"), KeyFile: s.ca.File("server.key")})
	s.put("https://consul-1:8501", c.URL())
	s.authority("consul-ca.pem")
	s.env = append(s.env, "CONSUL_HTTP_TOKEN="+token)
	s.other()
}

func redisStage(s *scene) {
	r := enginetest.RedisWith(s.t, &engines.RedisOptions{CertFile: s.ca.File("server.pem"), KeyFile: s.ca.File("server.key"), CAFile: s.ca.File("ca.pem")})
	host, port, err := net.SplitHostPort(r.Addr())
	if err != nil {
		s.t.Fatal(err)
	}
	s.put("redis-1:6379", r.Addr())
	s.put("-h redis-1 -p 6379", "-h "+host+" -p "+port)
	s.authority("redis-ca.pem")
	s.other()
}
