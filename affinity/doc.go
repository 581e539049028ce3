// Package affinity keeps an open cursor on the cluster it was opened on. A
// scroll or point-in-time id that is handed to a client is an [Envelope]: the
// placement it was opened under, its tenant and the original id, sealed with
// HMAC-SHA256 under a key that all instances share. So any instance can follow
// it with no state between them, also after the tenant has moved on. For clients
// that cannot carry such long ids, a [CursorAffinity] remembers in one instance
// what was handed out as it was.
//
// What it refuses: an id that is not pinned ([ErrUnknown]); an envelope that was changed or that another key sealed
// ([ErrTampered]), one that belongs to another tenant ([ErrOtherTenant]) and one
// that is past its time ([ErrExpired]), checked in this order, so that a forged
// envelope learns nothing about tenants. The content is signed, not secret: a
// client can read which cluster and index serve it.
package affinity
