// Package redisstore is the driver over Redis or Valkey.
package redisstore
