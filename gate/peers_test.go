package gate_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// A proxy whose session a controller holds is shown what is good for that session alone:
// it says itself where it is reached, and could collect there what lets controllers in
// elsewhere.
func TestTokenOfAHeldSession(t *testing.T) {
	secret, shown := []byte("a secret of the fleet"), []string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		_ = json.NewEncoder(w).Encode(gate.JournalPage{Session: r.URL.Query().Get("session")}) // Pull notices
	}))
	defer srv.Close()
	peers := gate.NewPeers(secret, srv.Client())
	for _, info := range []store.Info{{ID: "s1", Address: srv.URL, Via: "http://c1"}, {ID: "s2", Address: srv.URL, Via: "http://c2"}, {ID: "s1", Address: srv.URL}} {
		if _, err := peers.Pull(t.Context(), info, "acme", 0, 10); err != nil {
			t.Fatal(err)
		}
	}
	if shown[0] != gate.SessionToken(secret, "s1") || shown[1] != gate.SessionToken(secret, "s2") || shown[0] == shown[1] || shown[2] == shown[0] {
		t.Errorf("%q", shown)
	}
	// What such a proxy has seen lets nobody into one of Sluice's own.
	g, err := gate.New(store.New(memstore.New(nil), nil), &gate.Options{FleetSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{shown[0]: http.StatusUnauthorized, shown[1]: http.StatusUnauthorized, shown[2]: http.StatusOK} {
		r := httptest.NewRequest("GET", "/-/fleet/v1/holds?move=m", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		if g.FleetHandler().ServeHTTP(rec, r); rec.Code != want {
			t.Errorf("%d, want %d", rec.Code, want)
		}
	}
}
