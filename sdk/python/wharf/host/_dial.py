"""The way to service `Host`: a channel for each address, dialled when first needed, with the plugin's own certificate
and the host's pinned one; every call carries the job's token.

Never outlives the plugin: `Dialer.close` ends all channels. A call that is cancelled ends what it asks of the host.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from wharf._cancellation import Cancellation
from wharf._limits import MAX_RECEIVED_BYTES, TOKEN_HEADER
from wharf.errors import Cancelled, Error, Fault, from_rpc

Answer = TypeVar("Answer", bound=Message)
Received = TypeVar("Received", covariant=True)
_OPTIONS = (
    ("grpc.default_authority", "localhost"),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
)


def encoded(message: Message) -> bytes:
    """The bytes of any message."""
    return message.SerializeToString()


class _Future(Protocol[Received]):
    """A call with one answer that is on its way."""

    def cancel(self) -> object: ...

    def result(self) -> Received: ...


class _Answers(Protocol[Received]):
    """A call with many answers."""

    def cancel(self) -> object: ...

    def __iter__(self) -> Iterator[Received]: ...


class _Given:
    """Requests of the author's making, which may fail while they are read."""

    def __init__(self, requests: Iterable[Message]) -> None:
        self._requests = iter(requests)
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        try:
            return next(self._requests)
        except StopIteration:
            raise
        except Exception as failure:
            self.failure = failure
            raise


class Dialer:
    """Channels that all calls of the plugin share."""

    def __init__(self, credentials: grpc.ChannelCredentials | None) -> None:
        """Without credentials it speaks HTTP/2 in clear, as plugins do whose host wants no TLS."""
        self._credentials = credentials
        self._channels: dict[str, grpc.Channel] = {}
        self._lock = threading.Lock()

    def channel(self, address: str) -> grpc.Channel:
        """The channel of an address, `unix:///path`."""
        if not address:
            raise Fault("protocol.host", "this call was given no way to the host")
        with self._lock:
            channel = self._channels.get(address)
            if channel is None:
                channel = self._channels[address] = self._open(address)
            return channel

    def _open(self, address: str) -> grpc.Channel:
        if self._credentials is None:
            return grpc.insecure_channel(address, options=_OPTIONS)
        options = (*_OPTIONS, ("grpc.ssl_target_name_override", "localhost"))
        return grpc.secure_channel(address, self._credentials, options=options)

    def close(self) -> None:
        """Ends all channels."""
        with self._lock:
            channels = [*self._channels.values()]
            self._channels.clear()
        for channel in channels:
            channel.close()


class Way:
    """One call's way to the host."""

    def __init__(
        self, dialer: Dialer, address: str, token: str, cancellation: Cancellation
    ) -> None:
        self._dialer = dialer
        self._address = address
        self._metadata = ((TOKEN_HEADER, token),)
        self._cancellation = cancellation

    def ask(self, call: str, request: Message, answer: type[Answer]) -> Answer:
        """A call with one answer."""
        method = self._channel().unary_unary(
            f"/wharf.v1.Host/{call}",
            request_serializer=encoded,
            response_deserializer=answer.FromString,
        )
        return self._result(call, method.future(request, metadata=self._metadata))

    def send(self, call: str, requests: Iterable[Message], answer: type[Answer]) -> Answer:
        """A call with many requests and one answer."""
        method = self._channel().stream_unary(
            f"/wharf.v1.Host/{call}",
            request_serializer=encoded,
            response_deserializer=answer.FromString,
        )
        given = _Given(requests)
        try:
            return self._result(call, method.future(given, metadata=self._metadata))
        except Error:
            # They are read by a thread of grpcio's, which tells nobody what went wrong with them.
            if given.failure is not None:
                raise given.failure from None
            raise

    def stream(self, call: str, request: Message, answer: type[Answer]) -> Iterator[Answer]:
        """A call with many answers. Whoever leaves early ends the call."""
        method = self._channel().unary_stream(
            f"/wharf.v1.Host/{call}",
            request_serializer=encoded,
            response_deserializer=answer.FromString,
        )
        return self._answers(call, method(request, metadata=self._metadata))

    def exchange(self, call: str, request: Message, answer: type[Answer]) -> Iterator[Answer]:
        """A call that takes a stream, of which this request is the only one, with many answers."""
        method = self._channel().stream_stream(
            f"/wharf.v1.Host/{call}",
            request_serializer=encoded,
            response_deserializer=answer.FromString,
        )
        return self._answers(call, method(iter((request,)), metadata=self._metadata))

    def _answers(self, call: str, answers: _Answers[Answer]) -> Iterator[Answer]:
        with self._cancellation.waking(answers.cancel):
            try:
                yield from answers
            except grpc.RpcError as error:
                raise self._error(call, error) from None
            finally:
                answers.cancel()

    def _channel(self) -> grpc.Channel:
        if self._cancellation.is_set():
            raise Cancelled
        return self._dialer.channel(self._address)

    def _result(self, call: str, future: _Future[Answer]) -> Answer:
        with self._cancellation.waking(future.cancel):
            try:
                return future.result()
            except grpc.FutureCancelledError:
                raise Cancelled from None
            except grpc.RpcError as error:
                raise self._error(call, error) from None

    def _error(self, call: str, error: grpc.RpcError) -> Error:
        return Cancelled() if self._cancellation.is_set() else from_rpc(call, error)
