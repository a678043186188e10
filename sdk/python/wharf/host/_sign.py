"""Signatures with the host's key."""

from __future__ import annotations

import enum
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wharf._limits import MAX_INLINE_BYTES
from wharf.errors import OperationError
from wharf.host._dial import Way
from wharf.v1 import host_pb2


class SignForm(enum.Enum):
    """How something is signed."""

    CLEAR = "clearsign"
    """The text, at most 2 MiB of it, and its signature in one readable file."""
    DETACHED_ARMORED = "detached-armored"
    """The signature alone, as text."""
    DETACHED_BINARY = "detached-binary"
    """The signature alone."""


@dataclass(frozen=True)
class Signed:
    """A signature, and what clients check it with."""

    data: bytes
    """The signature; of a text that is signed readably, the whole."""
    fingerprint: str
    """The key's: hex digits in upper case."""
    public_key: str
    """The public key, armored."""


def sign(way: Way, form: SignForm, data: bytes, work_dir: Path) -> Signed:
    """Signs; what is larger than a message should be is staged and not sent along."""
    request = host_pb2.SignRequest(format=form.value)
    if len(data) > MAX_INLINE_BYTES:
        request.staged = _stage(data, work_dir)
    else:
        request.inline = data
    answer = way.ask("Sign", request, host_pb2.SignResponse)
    return Signed(answer.signature, answer.fingerprint, answer.public_key.decode())


def _stage(data: bytes, work_dir: Path) -> str:
    try:
        with tempfile.NamedTemporaryFile(prefix=".sign-", dir=work_dir, delete=False) as file:
            file.write(data)
    except OSError as cause:
        message = "what is to be signed cannot be written to the job's folder"
        raise OperationError("storage.staged", message, retryable=True) from cause
    return Path(file.name).name
