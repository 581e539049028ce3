package schema_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// resources are what the server of this test has: the plural names of the kinds that the
// manifests use.
var resources = map[schema.GroupVersion]map[string]string{
	{Version: "v1"}:                             {"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "ServiceAccount": "serviceaccounts"},
	{Group: "apps", Version: "v1"}:              {"Deployment": "deployments"},
	{Group: "networking.k8s.io", Version: "v1"}: {"NetworkPolicy": "networkpolicies"},
	{Group: "policy", Version: "v1"}:            {"PodDisruptionBudget": "poddisruptionbudgets"},
}

// apiServer takes objects as a Kubernetes does, strictly and by its own types, and keeps
// them. It runs nothing: no pod, no admission, no default.
type apiServer struct {
	t       *testing.T
	decoder runtime.Decoder

	mu      sync.Mutex
	objects map[string][]byte // by path
	refused []string
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

// discover answers what kubectl asks before anything else.
func discover(w http.ResponseWriter, asked string) bool {
	switch asked {
	case "/api":
		answer(w, http.StatusOK, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
		return true
	case "/apis":
		list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
		for gv := range resources {
			if gv.Group != "" {
				v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
				list.Groups = append(list.Groups, metav1.APIGroup{Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
			}
		}
		answer(w, http.StatusOK, list)
		return true
	case "/openapi/v2": // an empty document, as protobuf: kubectl knows no schema, and leaves it to the server
		w.Header().Set("Content-Type", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
		return true
	}
	for gv, kinds := range resources {
		if asked != "/apis/"+gv.String() && asked != "/api/"+gv.String() {
			continue
		}
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv.String()}
		for kind, plural := range kinds {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: plural, Kind: kind, Namespaced: true, Verbs: metav1.Verbs{"get", "create"}})
		}
		answer(w, http.StatusOK, list)
		return true
	}
	return false
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := func(code int, reason metav1.StatusReason, format string, args ...any) {
		status := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: fmt.Sprintf(format, args...)}
		if code != http.StatusNotFound {
			s.refused = append(s.refused, r.Method+" "+r.URL.String()+": "+status.Message)
		}
		answer(w, code, status)
	}
	switch {
	case r.Method == http.MethodGet && discover(w, r.URL.Path):
	case r.Method == http.MethodGet && s.objects[r.URL.Path] != nil:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.objects[r.URL.Path])
	case r.Method == http.MethodGet:
		refuse(http.StatusNotFound, metav1.StatusReasonNotFound, "there is no %s", r.URL.Path)
	case r.Method == http.MethodPost:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, "%v", err)
			return
		}
		object, kind, err := s.decoder.Decode(body, nil, nil)
		if err != nil {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, "%v", err)
			return
		}
		plural, prefix := resources[kind.GroupVersion()][kind.Kind], "/apis/"
		if kind.Group == "" {
			prefix = "/api/"
		}
		meta := object.(metav1.Object)
		if where := prefix + kind.GroupVersion().String() + "/namespaces/default/" + plural; plural == "" || r.URL.Path != where {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, "a %s does not belong to %s", kind, r.URL.Path)
			return
		}
		at := r.URL.Path + "/" + meta.GetName()
		if s.objects[at] != nil {
			refuse(http.StatusConflict, metav1.StatusReasonAlreadyExists, "%s exists", at)
			return
		}
		object.GetObjectKind().SetGroupVersionKind(*kind) // kubectl may have sent it as protobuf
		if s.objects[at], err = json.Marshal(object); err != nil {
			s.t.Error(err)
		}
		answer(w, http.StatusCreated, object)
	default:
		refuse(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "%s of %s", r.Method, r.URL.Path)
	}
}

// TestKubectl runs the commands of docs/running.md by the real kubectl, on a server that
// holds what it is sent to Kubernetes's own types. What Kubernetes would make of the
// objects is not seen here.
func TestKubectl(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no kubectl")
		}
		t.Skip("skipped, it would fail where CI is set: there is no kubectl (apt-get install kubernetes-client)")
	}
	page, err := os.ReadFile("../../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```bash\n([^`]*kubectl apply[^`]*)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/running.md has no block with kubectl apply")
	}
	s := &apiServer{t: t, decoder: decoder(t), objects: map[string][]byte{}}
	server := httptest.NewServer(s)
	defer server.Close()
	home := t.TempDir()
	config := filepath.Join(home, "config")
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: here, cluster: {server: " + server.URL + "}}]\ncontexts: [{name: here, context: {cluster: here, user: me}}]\nusers: [{name: me, user: {}}]\ncurrent-context: here\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(script string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
		c.Dir, c.Env = "../../..", append(os.Environ(), "HOME="+home, "KUBECONFIG="+config)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s\n%s\nrefused: %q", err, script, out, s.refused)
		}
		return string(out)
	}
	out := run(string(block[1]))
	var made []string
	for at := range s.objects {
		made = append(made, path.Base(path.Dir(at))+"/"+path.Base(at))
	}
	slices.Sort(made)
	want := []string{"configmaps/sluice", "deployments/sluice-controller", "deployments/sluice-proxy", "networkpolicies/sluice", "poddisruptionbudgets/sluice-controller",
		"poddisruptionbudgets/sluice-proxy", "secrets/sluice-fleet", "serviceaccounts/sluice", "services/sluice"}
	if !slices.Equal(made, want) || strings.Count(out, " created\n") != len(want) {
		t.Errorf("made %q, want %q:\n%s", made, want, out)
	}
	s.references()
	bad := filepath.Join(home, "bad.yaml")
	if err := os.WriteFile(bad, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndatum: {a: b}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run("! kubectl apply -f " + bad); !strings.Contains(out, `unknown field "datum"`) {
		t.Errorf("a field that is none is taken:\n%s", out)
	}
}

// references looks for each Secret and ConfigMap that a pod mounts among what was made, and
// for the file that the configuration names in it.
func (s *apiServer) references() {
	secret := &corev1.Secret{}
	s.get("/api/v1/namespaces/default/secrets/sluice-fleet", secret)
	if !regexp.MustCompile(`^[0-9a-f]{64}\n$`).Match(secret.Data["secret"]) {
		s.t.Errorf("the fleet's secret is %d bytes: %v", len(secret.Data["secret"]), secret.Data)
	}
	for _, name := range []string{"sluice-proxy", "sluice-controller"} {
		d := &appsv1.Deployment{}
		s.get("/apis/apps/v1/namespaces/default/deployments/"+name, d)
		mounted := 0
		for _, v := range d.Spec.Template.Spec.Volumes {
			if v.Secret != nil {
				mounted++
				s.get("/api/v1/namespaces/default/secrets/"+v.Secret.SecretName, &corev1.Secret{})
			}
			if v.ConfigMap != nil {
				mounted++
				s.get("/api/v1/namespaces/default/configmaps/"+v.ConfigMap.Name, &corev1.ConfigMap{})
			}
		}
		if mounted < 2 {
			s.t.Errorf("%s mounts %d", name, mounted)
		}
		s.get("/api/v1/namespaces/default/serviceaccounts/"+d.Spec.Template.Spec.ServiceAccountName, &corev1.ServiceAccount{})
	}
}

func (s *apiServer) get(at string, into runtime.Object) {
	s.t.Helper()
	if s.objects[at] == nil {
		s.t.Errorf("there is no %s", at)
		return
	}
	if err := json.Unmarshal(s.objects[at], into); err != nil {
		s.t.Errorf("%s: %v", at, err)
	}
}
