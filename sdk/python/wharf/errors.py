"""The errors that a plugin's method ends with, and how they travel.

An expected error is the last event of a long call. Its class decides how the host treats it, its code says what
happened; both are part of the contract. Whatever else a method raises is a bug, and becomes a fault of that call.

The way through: raise `UsageError` or `OperationError` (`raise ... from cause` appends what the cause said); `Cancelled`
comes from the context by itself; `to_wire`, `from_wire` and `from_rpc` are for the SDK.
"""

from __future__ import annotations

import enum

import grpc

from wharf._text import fit
from wharf.v1 import model_pb2


class ErrorClass(enum.Enum):
    """How an error is treated."""

    USAGE = model_pb2.ERROR_CLASS_USAGE
    OPERATION = model_pb2.ERROR_CLASS_OPERATION
    CANCELLED = model_pb2.ERROR_CLASS_CANCELLED
    FAULT = model_pb2.ERROR_CLASS_FAULT


class Scope(enum.Enum):
    """How far an operation error reaches."""

    ITEM = model_pb2.ERROR_SCOPE_ITEM
    """One item failed; the run goes on."""
    ATTACHMENT = model_pb2.ERROR_SCOPE_ATTACHMENT
    """This attachment failed; others may go on."""
    RUN = model_pb2.ERROR_SCOPE_RUN
    """The run failed."""


class Error(Exception):
    """What all errors of the contract have in common. Raise one of the classes below.

    Code: stable, dotted, its first word one of the contract's, such as `config.url`. Message: what happened, where, and
    what to do next. Details: further evidence, as the text of a JSON object.
    """

    error_class: ErrorClass = ErrorClass.FAULT

    def __init__(
        self,
        code: str,
        message: str,
        *,
        scope: Scope = Scope.RUN,
        item: str = "",
        field: str = "",
        retryable: bool = False,
        retry_after: float = 0.0,
        details: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.scope = scope
        self.item = item
        self.field = field
        self.retryable = retryable or retry_after > 0
        self.retry_after = retry_after
        self.details = details

    def to_wire(self) -> model_pb2.Error:
        """The message of the contract."""
        wire = model_pb2.Error(
            code=self.code,
            message=fit(self.whole_message()),
            scope=self.scope.value,
            item=fit(self.item),
            field=self.field,
            retryable=self.retryable,
            retry_after_ms=round(self.retry_after * 1_000),
            details=self.details,
        )
        # `class` is a word of the language, and no name of an argument.
        setattr(wire, "class", self.error_class.value)
        return wire

    def whole_message(self) -> str:
        """The message, with what the cause said behind it."""
        return f"{self.message}: {self.__cause__}" if self.__cause__ else self.message


class UsageError(Error):
    """The user can fix it: a bad value, a missing right, an unknown name. Never retried.

    Field: the setting at fault, as a JSON pointer: `/url`.
    """

    error_class = ErrorClass.USAGE

    def __init__(self, code: str, message: str, *, field: str = "", details: str = "") -> None:
        super().__init__(code, message, field=field, details=details)


class OperationError(Error):
    """The outside world failed: unreachable, vanished, wrong checksum.

    Scope: the whole run, unless an item is named or another scope is given. Retry after: seconds; trying again may
    help, but not earlier.
    """

    error_class = ErrorClass.OPERATION

    def __init__(
        self,
        code: str,
        message: str,
        *,
        scope: Scope | None = None,
        item: str = "",
        retryable: bool = False,
        retry_after: float = 0.0,
        details: str = "",
    ) -> None:
        super().__init__(
            code,
            message,
            scope=scope or (Scope.ITEM if item else Scope.RUN),
            item=item,
            retryable=retryable,
            retry_after=retry_after,
            details=details,
        )


class Cancelled(Error):  # noqa: N818 - not something that went wrong
    """A stop was asked for. Methods of the context raise it once the call is cancelled or over; let it pass."""

    error_class = ErrorClass.CANCELLED

    def __init__(self) -> None:
        super().__init__("cancelled", "the call was cancelled")


class Fault(Error):  # noqa: N818 - the contract's word
    """A bug that the plugin itself noticed. Any exception that is no `Error` counts as one too."""

    error_class = ErrorClass.FAULT

    def __init__(self, code: str, message: str, *, details: str = "") -> None:
        super().__init__(code, message, details=details)


class NotOffered(UsageError):  # noqa: N818 - not something that went wrong
    """The operation is not offered: the answer of every default method of the roles."""

    def __init__(self, operation: str) -> None:
        super().__init__("usage.not_offered", f"this plugin does not offer {operation}")


_STATUS = {
    ErrorClass.USAGE: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorClass.OPERATION: grpc.StatusCode.UNAVAILABLE,
    ErrorClass.CANCELLED: grpc.StatusCode.CANCELLED,
    ErrorClass.FAULT: grpc.StatusCode.INTERNAL,
}


def to_status(error: Error) -> grpc.StatusCode:
    """What a call that answers once, not with events, ends with."""
    if isinstance(error, NotOffered):
        return grpc.StatusCode.UNIMPLEMENTED
    return _STATUS[error.error_class]


def of_exception(exception: BaseException) -> Error:
    """The error that an exception of the author's code is."""
    if isinstance(exception, Error):
        return exception
    kind = type(exception).__name__
    return Fault("internal.exception", f"the plugin raised {kind}: {exception}")


def from_wire(wire: model_pb2.Error) -> Error:
    """An error of the host, as in the answers of `Host.Download`. What is not set counts as a fault of the run."""
    known = {kind.error_class.value: kind for kind in (UsageError, OperationError, Cancelled)}
    kind = known.get(getattr(wire, "class"), Fault)
    error = kind.__new__(kind)
    scopes = {scope.value: scope for scope in Scope}
    Error.__init__(
        error,
        wire.code,
        wire.message,
        scope=scopes.get(wire.scope, Scope.RUN),
        item=wire.item,
        field=wire.field,
        retryable=wire.retryable,
        retry_after=wire.retry_after_ms / 1_000,
        details=wire.details,
    )
    return error


def from_rpc(call: str, error: grpc.RpcError) -> Error:
    """What a call to the host failed with. Source of the mapping: the contract's table of plain statuses."""
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    details = (error.details() if isinstance(error, grpc.Call) else None) or str(code)
    message = f"the host refused {call}: {details}"
    match code:
        case grpc.StatusCode.CANCELLED:
            return Cancelled()
        case grpc.StatusCode.NOT_FOUND:
            return UsageError("not_found", message)
        case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.FAILED_PRECONDITION:
            return UsageError("usage", message)
        case grpc.StatusCode.PERMISSION_DENIED | grpc.StatusCode.UNAUTHENTICATED:
            return UsageError("policy", message)
        case grpc.StatusCode.ABORTED:
            return OperationError("conflict", message, retryable=True)
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.RESOURCE_EXHAUSTED:
            return OperationError("internal.host", message, retryable=True)
        case grpc.StatusCode.UNIMPLEMENTED:
            return Fault("internal.host.not_offered", f"this host does not offer {call}")
        case _:
            return Fault("internal.host", message)
