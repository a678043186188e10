"""Numbers of the contract. Source: `proto/README.md`, sections 1 and 17."""

COOKIE_KEY = "WHARF_PLUGIN"
COOKIE_VALUE = "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e"
APP_PROTOCOL_VERSIONS = (1,)
MAX_BATCH = 1_000
"""Entries of a list in one message."""
MAX_MESSAGE_BYTES = 1 << 20
MAX_BATCH_BYTES = 256 << 10
"""Bytes of a list that is sent to the host with a call: the contract calls batches of that size the quickest."""
MAX_INLINE_BYTES = 64 << 10
MAX_STATE_BYTES = 64 << 10
MAX_SOCKET_PATH = 107
TOKEN_HEADER = "wharf-token"  # noqa: S105 - its name, not the token
MAX_RECEIVED_BYTES = 64 << 20
"""What this side still takes in one message. More than the contract allows, so that a host that is a little generous
meets no cut connection."""
