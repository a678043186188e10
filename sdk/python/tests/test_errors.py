"""Every end of a method is told as the contract says."""

from __future__ import annotations

import logging

import grpc
import pytest
from conftest import Start

from wharf import (
    Cancelled,
    Context,
    Done,
    Error,
    ErrorClass,
    Fault,
    NotOffered,
    OperationError,
    Scope,
    UsageError,
)
from wharf.errors import from_rpc, from_wire
from wharf.v1 import model_pb2


def ends_with(start: Start, error: BaseException) -> model_pb2.Error:
    def method(context: Context) -> Done:
        raise error

    return start(method).call("in").sync().failure()


def test_a_usage_error_names_its_field(start: Start) -> None:
    wire = ends_with(start, UsageError("config.url", "no file name", field="/url"))
    assert getattr(wire, "class") == model_pb2.ERROR_CLASS_USAGE
    assert (wire.code, wire.message, wire.field) == ("config.url", "no file name", "/url")


@pytest.mark.parametrize("scope", Scope)
def test_an_operation_error_has_a_scope(start: Start, scope: Scope) -> None:
    wire = ends_with(start, OperationError("source.busy", "busy", scope=scope, retry_after=1.5))
    assert getattr(wire, "class") == model_pb2.ERROR_CLASS_OPERATION
    assert (wire.scope, wire.retryable, wire.retry_after_ms) == (scope.value, True, 1_500)


def test_an_error_about_an_item_has_the_items_scope() -> None:
    assert OperationError("source", "gone", item="a").scope is Scope.ITEM
    assert OperationError("source", "gone").scope is Scope.RUN


def test_a_cause_is_told_with_its_error(start: Start) -> None:
    def method(context: Context) -> Done:
        try:
            int("x")
        except ValueError as cause:
            raise OperationError("content.number", "line 3 is no number") from cause
        return Done.changed()

    message = start(method).call("in").sync().failure().message
    assert message == "line 3 is no number: invalid literal for int() with base 10: 'x'"


def test_any_other_exception_is_a_fault_whose_trace_is_logged(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        wire = ends_with(start, KeyError("suite"))
    assert getattr(wire, "class") == model_pb2.ERROR_CLASS_FAULT
    assert (wire.code, wire.message) == (
        "internal.exception",
        "the plugin raised KeyError: 'suite'",
    )
    assert "Traceback" in caplog.text


def test_a_text_that_no_message_holds_is_cut_and_written_out(start: Start) -> None:
    wire = ends_with(start, UsageError("usage", "\udcff" + "x" * 2_000_000))
    assert wire.message.startswith("\\udcffxxx")
    assert wire.message.endswith(" ...")
    assert len(wire.SerializeToString()) < 20_000


def test_an_attempt_to_exit_costs_one_call_only(start: Start) -> None:
    calls = 0

    def method(context: Context) -> Done:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise SystemExit(3)
        return Done.changed()

    harness = start(method)
    assert harness.call("in").sync().failure().code == "internal.exception"
    assert harness.call("in").sync().done().changed


def test_a_method_that_returns_nothing_is_a_fault(start: Start) -> None:
    run = start(lambda context: None).call("in").sync()
    assert "no Done" in run.failure().message


def test_what_json_does_not_have_is_a_fault(start: Start) -> None:
    def method(context: Context) -> Done:
        return Done.changed(summary={"rate": float("nan")})

    assert start(method).call("in").sync().failure().code == "internal.json"


def test_what_is_not_offered_answers_so(start: Start) -> None:
    run = start(lambda context: Done.changed()).call("in").upload([])
    assert run.status == grpc.StatusCode.UNIMPLEMENTED
    assert "does not offer upload" in run.details


def test_an_error_survives_the_wire() -> None:
    error = OperationError("source.busy", "busy", item="a/b", retry_after=3.0, details="{}")
    read = from_wire(error.to_wire())
    assert isinstance(read, OperationError)
    assert vars(read) == vars(error)


@pytest.mark.parametrize(
    "error",
    [UsageError("usage", ""), OperationError("source", ""), Cancelled(), Fault("internal", "")],
)
def test_every_class_keeps_its_meaning_on_the_wire(error: Error) -> None:
    read = from_wire(error.to_wire())
    assert (type(read), read.error_class) == (type(error), error.error_class)


def test_an_error_without_class_is_a_fault_of_the_run() -> None:
    read = from_wire(model_pb2.Error())
    assert (read.error_class, read.scope) == (ErrorClass.FAULT, Scope.RUN)


def refused(code: grpc.StatusCode) -> grpc.RpcError:
    """What a call raises when the host answers so."""
    with grpc.insecure_channel("unix:/nowhere") as channel:
        call = channel.unary_unary("/x", request_serializer=bytes, response_deserializer=bytes)
        with pytest.raises(grpc.RpcError) as unanswered:
            call(b"", timeout=5)
    error = unanswered.value
    assert isinstance(error, grpc.Call)
    error.code = lambda: code
    return error


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (grpc.StatusCode.NOT_FOUND, UsageError, "not_found"),
        (grpc.StatusCode.INVALID_ARGUMENT, UsageError, "usage"),
        (grpc.StatusCode.PERMISSION_DENIED, UsageError, "policy"),
        (grpc.StatusCode.ABORTED, OperationError, "conflict"),
        (grpc.StatusCode.UNAVAILABLE, OperationError, "internal.host"),
        (grpc.StatusCode.UNIMPLEMENTED, Fault, "internal.host.not_offered"),
        (grpc.StatusCode.CANCELLED, Cancelled, "cancelled"),
        (grpc.StatusCode.DATA_LOSS, Fault, "internal.host"),
    ],
)
def test_the_hosts_statuses_are_read_as_the_contract_says(
    status: grpc.StatusCode, kind: type[Error], code: str
) -> None:
    error = from_rpc("GetState", refused(status))
    assert (type(error), error.code) == (kind, code)


def test_not_offered_is_the_users_to_fix() -> None:
    assert NotOffered("sync").error_class is ErrorClass.USAGE
