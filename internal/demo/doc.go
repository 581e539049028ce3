// Package demo is `sluice demo`: it starts two real OpenSearch clusters, a controller and two proxies as processes of
// their own, puts one tenant under load through both proxies, moves it to the other cluster and back, and prints a receipt
// of what the clients saw.
//
// The clients and their verdict are those of package load, which knows nothing of Sluice. Whatever is off makes the command
// fail: a lost write, a stale read, a request that failed, a cursor that did not end.
//
// [Fleet] is the machinery, for tests that kill what it started. Everything listens on loopback, lives in one directory and
// ends with this process. The package refuses to be a way of deploying Sluice: it takes no addresses and no credentials.
package demo
