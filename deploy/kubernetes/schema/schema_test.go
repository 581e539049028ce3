package schema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// decoder refuses kinds that it does not know, fields that a kind does not have, and
// values of another type.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(s, serializer.EnableStrict).UniversalDeserializer()
}

func TestManifests(t *testing.T) {
	d := decoder(t)
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d manifests, %v", len(files), err)
	}
	kinds := map[string]int{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, doc := range bytes.Split(b, []byte("\n---\n")) {
			_, kind, err := d.Decode(doc, nil, nil)
			if err != nil {
				t.Errorf("%s, document %d: %v", file, i+1, err)
				continue
			}
			kinds[kind.Kind]++
		}
	}
	for kind, n := range map[string]int{"Deployment": 2, "PodDisruptionBudget": 2, "Service": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1} {
		if kinds[kind] != n {
			t.Errorf("%d of kind %s, want %d", kinds[kind], kind, n)
		}
	}
}

// What is no manifest is refused.
func TestStrict(t *testing.T) {
	b, err := os.ReadFile("../20-proxy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good, _, _ := strings.Cut(string(b), "\n---\n")
	for _, edit := range [][2]string{
		{"terminationGracePeriodSeconds: 40", "terminationGracePeriodSecond: 40"}, {"replicas: 3", "replicas: three"},
		{"kind: Deployment", "kind: Deploiment"}, {"periodSeconds: 10", "periodSeconds: 10s"}, {"drop: [ALL]", "drop: ALL"},
	} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if bad == good {
			t.Fatalf("there is no %s", edit[0])
		}
		if _, _, err := decoder(t).Decode([]byte(bad), nil, nil); err == nil {
			t.Errorf("%s is taken", edit[1])
		}
	}
}
