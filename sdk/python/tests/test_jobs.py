"""What a call does to the host: units that are saved, other jobs, claims, contributions, events; and secrets of a check."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import MANIFEST, Start
from test_host import asks

from wharf import (
    Check,
    Checked,
    Claim,
    Context,
    Contribution,
    Done,
    Importer,
    Job,
    JobEnd,
    Keep,
    Plugin,
    SavedUnit,
    Unit,
    UnitRef,
    UsageError,
)
from wharf.testing import FakeHost, Harness
from wharf.v1 import host_pb2


def test_saved_units_say_what_was_new(start: Start) -> None:
    host = FakeHost().unit(Unit("word", {"text": "a"}))

    def method(context: Context) -> None:
        words = (Unit("word", {"text": text}) for text in ("a", "b"))
        assert [*context.save_units(words)] == [
            SavedUnit(1, created=False),
            SavedUnit(2, created=True),
        ]
        many = [Unit("word", {"text": f"{number}"}) for number in range(1_500)]
        assert [saved.id for saved in context.save_units(many)] == [*range(3, 1_503)]
        assert len(context.get_units(UnitRef.id(number) for number in range(1, 1_503))) == 1_502
        items = [*context.watch_items()]
        assert (len(items), items[0].key) == (1_502, '{"text":"a"}')

    asks(start, method, host)


def test_a_mistake_in_the_units_to_save_is_the_authors_to_see(start: Start) -> None:
    def method(context: Context) -> None:
        def words() -> Iterator[Unit]:
            yield Unit("word", {"text": "a"})
            raise KeyError("no more words")

        with pytest.raises(KeyError, match="no more words"):
            [*context.save_units(words())]

    asks(start, method, FakeHost())


def test_a_mistake_in_the_bytes_to_store_is_the_authors_to_see(start: Start) -> None:
    def method(context: Context) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"a"
            raise KeyError("no more bytes")

        with pytest.raises(KeyError, match="no more bytes"):
            context.put_artifact(pieces())

    asks(start, method, FakeHost())


def test_a_job_is_started_and_waited_for(start: Start) -> None:
    host = FakeHost()

    def method(context: Context) -> None:
        number = context.spawn_job(Job("publish", {"full": True}, weight=5, after=[0]))
        assert context.wait_job(number) == JobEnd("succeeded")
        with pytest.raises(UsageError, match="no job 99"):
            context.wait_job(99)

    asks(start, method, host)
    name, request = host.asked[0]
    assert isinstance(request, host_pb2.SpawnJobRequest)
    assert (name, request.job.arguments, request.job.weight) == ("SpawnJob", '{"full":true}', 5)


def test_claims_contributions_and_events_reach_the_host(start: Start) -> None:
    host = FakeHost()

    def method(context: Context) -> None:
        context.release(context.acquire(Claim("lock", "index", wait=0.005)))
        context.contribute("other.builder", Contribution("file", "motd", b"hi", order=3))
        context.emit("synced", {"n": 1})
        context.emit("bare")

    asks(start, method, host)
    (_, acquired), (_, released), (_, contributed), (_, emitted), (_, bare) = host.asked
    assert acquired == host_pb2.AcquireRequest(kind="lock", name="index", wait_ms=5)
    assert released == host_pb2.ReleaseRequest(grant=1)
    contribution = {"kind": "file", "name": "motd", "content": b"hi", "order": 3}
    assert contributed == host_pb2.ContributeRequest(to="other.builder", contribution=contribution)
    assert emitted == host_pb2.EmitRequest(name="synced", payload='{"n":1}')
    assert bare == host_pb2.EmitRequest(name="bare", payload="{}")


def test_units_are_kept_by_their_keys(start: Start) -> None:
    def method(context: Context) -> Done:
        context.keep(Keep.keys("word", [{"text": "a"}, {"text": "b"}]))
        return Done.changed()

    (kept,) = start(method).call("in").sync().kept
    assert [*kept.keys] == ['{"text":"a"}', '{"text":"b"}']


class Locked(Importer):
    def check(self, check: Check) -> Checked:
        password = check.secret(check.values["password"])
        if password != b"s3cret":
            return Checked.good().error("/password", "unauthorized", "wrong password")
        return Checked.good()


def test_a_check_reads_the_secrets_that_the_values_name() -> None:
    manifest = json.dumps({**MANIFEST, "components": MANIFEST["components"][:1]})
    host = FakeHost().secret("school", b"s3cret").secret("old", b"changed")
    with Harness(Plugin(manifest).importer("in", Locked()), host) as harness:
        call = harness.call("in")
        assert not call.settings({"password": "school"}).check().errors
        assert call.settings({"password": "old"}).check().errors[0].message == "wrong password"
        refused = call.settings({"password": "none"}).check().errors[0]
        assert refused.code == "not_found"
