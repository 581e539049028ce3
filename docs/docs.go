// Package docs holds what the program itself shows of the manual.
package docs

import _ "embed"

// ReceiptSchema is the JSON schema (draft 2020-12) of a move's receipt. A test of
// package control makes it from the type, and fails while they differ.
//
//go:embed receipt.schema.json
var ReceiptSchema []byte

// FleetSchema is the JSON schema (draft 2020-12) of a document that sluice apply takes. A
// test of package fleetfile makes it from the types, and fails while they differ.
//
//go:embed fleet.schema.json
var FleetSchema []byte
