// Package wire is the contract's messages as they are on the wire, written by sdk/go/generate from proto/wharf/v1. Authors
// rarely need them: tests do, and the rarer events. It holds nothing that is written by hand.
package wire
