package control_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

var updateSchema = flag.Bool("update", false, "write docs/receipt.schema.json")

const schemaFile = "../docs/receipt.schema.json"

// receiptSchema makes the schema from the type.
func receiptSchema(t *testing.T) []byte {
	t.Helper()
	r := reflector.Reflector{
		Mapper: func(t reflect.Type) *reflector.Schema {
			if t == reflect.TypeFor[time.Duration]() {
				return &reflector.Schema{Type: "integer", Description: "nanoseconds"}
			}
			return nil
		},
		// A newer version may add fields, which who reads receipts should not mind.
		AllowAdditionalProperties: true,
	}
	s := r.Reflect(&control.Receipt{})
	s.ID = ""
	s.Title, s.Description = "Receipt", "What a move of Sluice did. Durations are integers of nanoseconds, unless a field's name says otherwise."
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// The schema that is published is that of the type.
func TestReceiptSchema(t *testing.T) {
	want := receiptSchema(t)
	if *updateSchema {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s differs (-want +have); run make receipt-schema:\n%s", schemaFile, diff)
	}
	at := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "i", Logical: "docs"}
	for _, good := range []control.Receipt{
		{Partition: "acme", From: at, To: at, Timeline: []control.StageTime{{Stage: control.StageCopying, Started: time.Now(), Duration: 1}}, Instances: []string{},
			Pause: control.Pause{Errors: map[string]int{}}},
		{Partition: "acme", From: at, To: at, Timeline: []control.StageTime{}, Instances: []string{"p1"}, Predicted: &control.Prediction{Docs: 1},
			Pause: control.Pause{Errors: map[string]int{"status_500": 2}, UnansweredProxies: []string{"p2"}, VanishedProxies: []string{"p3"}}},
	} {
		b, err := json.Marshal(good)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, b); err != nil {
			t.Errorf("the schema refuses %s: %v", b, err)
		}
	}
	// It bites: what is no receipt is refused.
	for _, bad := range []string{`{}`, `[]`, `{"partition":7}`} {
		if err := validate(t, []byte(bad)); err == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// validate checks JSON against the published schema.
func validate(t *testing.T, receipt []byte) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(receipt))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(v)
}

// checkReceipt holds the receipt of a real move to the schema, and to what it predicted.
func checkReceipt(t *testing.T, m control.Move) {
	t.Helper()
	b, err := json.Marshal(m.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, b); err != nil {
		t.Errorf("the receipt is not as its schema says: %v\n%s", err, b)
	}
	p := m.Receipt.Predicted
	switch {
	case p == nil:
		t.Errorf("nothing was predicted: %s", b)
	case p.Docs == 0 || p.Bytes == 0 || p.CopyTime <= 0 || p.Pause <= 0 || p.Basis == "":
		t.Errorf("predicted was %+v", *p)
	}
	if m.Receipt.CopyTime <= 0 {
		t.Errorf("the copy took %s", m.Receipt.CopyTime)
	}
}
