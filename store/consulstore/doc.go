// Package consulstore is the driver over Consul.
package consulstore
