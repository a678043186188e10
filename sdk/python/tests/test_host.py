"""What a call asks of the host."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from conftest import Start

from wharf import (
    Cancelled,
    Context,
    Done,
    Download,
    Error,
    OperationError,
    Query,
    Signed,
    SignForm,
    State,
    StateScope,
    Unit,
    UnitRef,
    UsageError,
)
from wharf.testing import FakeHost

DEADLINE = 20.0
A, B = "https://a.example/a", "https://a.example/b"


def asks(start: Start, method: object, host: FakeHost) -> None:
    """Runs a function with a call's context; whatever it asserts counts."""

    def run(context: Context) -> Done:
        assert callable(method)
        method(context)
        return Done.unchanged()

    start(run, host).call("in").sync().done()


def test_a_download_is_staged_and_not_sent_again_when_unchanged(start: Start) -> None:
    host = FakeHost().file(A, b"bytes")

    def method(context: Context) -> None:
        first = context.download(Download("https://gone.example/").or_from(A))
        assert (context.work_dir / (first.staged or "")).read_bytes() == b"bytes"
        assert (first.size, first.final_url) == (5, A)
        again = context.download(Download(A, etag=first.etag))
        assert (again.not_modified, again.staged) == (True, None)

    asks(start, method, host)
    assert host.requests == [A, f"{A} (unchanged)"]


def test_many_downloads_are_answered_one_by_one(start: Start, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    host = FakeHost().folder("https://tree.example/", tmp_path)
    urls = ["https://tree.example/x"] * 1_100 + ["https://tree.example/none"]

    def method(context: Context) -> None:
        answers = dict(context.download_all(Download(url) for url in urls))
        assert len(answers) == len(urls)
        failed = [place for place, answer in answers.items() if isinstance(answer, Error)]
        assert failed == [1_100]

    asks(start, method, host)


def test_a_failed_download_is_raised(start: Start) -> None:
    def method(context: Context) -> None:
        with pytest.raises(OperationError, match="404"):
            context.download(Download(B))

    asks(start, method, FakeHost())


def test_units_are_filtered_ordered_and_paged(start: Start) -> None:
    host = FakeHost()
    for number in range(1_200):
        host.unit(Unit("word", {"text": f"{1_199 - number:04}"}, {"even": number % 2 == 0}))

    def method(context: Context) -> None:
        assert sum(1 for _ in context.units()) == 1_200
        query = Query("word", where={"even": True}, order_by=["text"])
        texts = [unit.read_key()["text"] for unit in context.units(query)]
        assert (len(texts), texts[:2]) == (600, ["0001", "0003"])
        assert next(context.units(Query())).id == 1
        assert [unit.id for unit in context.get_units([UnitRef.id(7)])] == [7]

    asks(start, method, host)


def test_bytes_of_the_store_are_asked_for_read_and_written(start: Start) -> None:
    data = bytes(2 << 20)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    host = FakeHost().file(A, data)

    def method(context: Context) -> None:
        assert context.has_artifacts([digest, "sha256:00"]) == [True, False]
        assert b"".join(context.open_artifact(digest, offset=5)) == data[5:]
        with pytest.raises(UsageError, match="no artifact"):
            next(context.open_artifact("sha256:00"))
        written = context.put_artifact([b"a" * (1 << 20), b"b"])
        assert written == (
            f"sha256:{hashlib.sha256(b'a' * (1 << 20) + b'b').hexdigest()}",
            (1 << 20) + 1,
        )

    asks(start, method, host)


def test_state_is_kept_unless_somebody_was_faster(start: Start) -> None:
    def method(context: Context) -> None:
        scope = StateScope.ATTACHMENT
        assert context.get_state(scope, "seen") is None
        assert context.put_state(scope, "seen", State(0, b"one")) == 1
        assert context.get_state(scope, "seen") == State(1, b"one")
        with pytest.raises(OperationError) as conflict:
            context.put_state(scope, "seen", State(0, b"two"), durable=True)
        assert (conflict.value.code, conflict.value.retryable) == ("conflict", True)
        with pytest.raises(Error, match="65537 bytes"):
            context.put_state(scope, "seen", State(1, bytes((64 << 10) + 1)))

    asks(start, method, FakeHost())


def test_secrets_and_settings_are_handed_out(start: Start) -> None:
    host = FakeHost().secret("password", b"s3cret").settings({"url": A})

    def method(context: Context) -> None:
        assert context.secret("password") == b"s3cret"
        assert context.settings() == {"url": A}
        with pytest.raises(UsageError, match="no secret"):
            context.secret("other")

    asks(start, method, host)


def test_small_and_large_things_are_signed(start: Start) -> None:
    def sign(form: SignForm, data: bytes) -> Signed:
        return Signed(f"{form.value}:{len(data)}".encode(), "ABCD", "key")

    def method(context: Context) -> None:
        small = context.sign(SignForm.CLEAR, b"text")
        assert (small.data, small.fingerprint, small.public_key) == (b"clearsign:4", "ABCD", "key")
        large = context.sign(SignForm.DETACHED_BINARY, bytes(100_000))
        assert large.data == b"detached-binary:100000"

    asks(start, method, FakeHost().signer(sign))


def test_a_call_that_the_host_does_not_offer_is_told(start: Start) -> None:
    def method(context: Context) -> None:
        with pytest.raises(Error) as refused:
            context.secret("password")
        assert refused.value.code == "internal.host.not_offered"

    asks(start, method, FakeHost().without("GetSecret"))


def test_a_cancel_ends_what_is_asked_of_the_host(start: Start) -> None:
    asked, ended = threading.Event(), threading.Event()
    outcome: list[BaseException] = []

    class Slow(FakeHost):
        def _read(self, url: str) -> bytes | None:
            asked.set()
            ended.wait(DEADLINE)
            return None

    def method(context: Context) -> Done:
        try:
            context.download(Download(A))
        except Cancelled as cancelled:
            outcome.append(cancelled)
        finally:
            ended.set()
        return Done.unchanged()

    running = start(method, Slow()).call("in").start_sync()
    assert asked.wait(DEADLINE)
    running.cancel()
    assert ended.wait(DEADLINE)
    assert len(outcome) == 1
