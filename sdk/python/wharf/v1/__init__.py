"""The messages of the contract as they are on the wire. Generated from `proto/wharf/v1` by `sdk/python/generate`."""
