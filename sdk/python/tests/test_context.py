"""What a call tells arrives as the contract wants it."""

from __future__ import annotations

import logging
import threading

import grpc
import pytest
from conftest import Start

from wharf import (
    Cancelled,
    Context,
    Done,
    File,
    Job,
    Keep,
    ListedItem,
    OperationError,
    Outcome,
    PublishedFile,
    Unit,
    UnitRef,
)
from wharf.context._batch import LIMIT, PATIENCE, Batch, Batches
from wharf.v1 import event_pb2, model_pb2

DEADLINE = 20.0


def test_units_travel_in_batches_of_a_thousand(start: Start) -> None:
    def method(context: Context) -> Done:
        for number in range(2_500):
            context.unit(Unit("word", {"text": str(number)}))
        return Done.changed(announced=2_500)

    running = start(method).call("in").start_sync()
    sizes = [len(event.units.units) for event in running if event.HasField("units")]
    assert sizes == [1_000, 1_000, 500]


def test_large_entries_are_cut_into_messages_by_their_bytes(start: Start) -> None:
    def method(context: Context) -> Done:
        for number in range(10):
            context.unit(Unit("word", {"text": str(number)}, {"long": "x" * 300_000}))
        return Done.changed()

    running = start(method).call("in").start_sync()
    sizes = [len(event.units.units) for event in running if event.HasField("units")]
    assert sizes == [3, 3, 3, 1]


def test_an_entry_larger_than_a_message_is_a_fault(start: Start) -> None:
    def method(context: Context) -> Done:
        context.unit(Unit("word", {"text": "x" * (1 << 20)}))
        return Done.changed()

    assert start(method).call("in").sync().failure().code == "limit.message"


def test_what_a_batch_encodes_is_what_protobuf_encodes() -> None:
    for size in (1, 100, 127, 128, 16_383, 16_384, 70_000):
        unit = model_pb2.Unit(type="word", key="k" * size)
        batch = Batch(event_pb2.Event.UNITS_FIELD_NUMBER)
        assert batch.push(unit.SerializeToString(), 0.0) is None
        assert batch.push(unit.SerializeToString(), 0.0) is None
        whole = event_pb2.Event(units=event_pb2.Units(units=[unit, unit]))
        assert batch.take() == whole.SerializeToString()
        assert batch.take() is None


def test_a_batch_is_due_before_it_outgrows_a_message() -> None:
    batch = Batch(4)
    assert batch.push(bytes(LIMIT - 8), 0.0) is None
    due = batch.push(b"longer", 0.0)
    assert due is not None
    assert LIMIT - 8 < len(due) <= 1 << 20


def test_an_old_batch_is_due_with_the_next_entry() -> None:
    batch = Batch(4)
    assert batch.push(b"x", 0.0) is None
    assert batch.push(b"y", PATIENCE) is not None


def test_progress_is_thinned_but_the_last_one_arrives() -> None:
    batches = Batches()
    assert batches.progress(event_pb2.Progress(done=1)) is not None
    assert batches.progress(event_pb2.Progress(done=2)) is None
    assert batches.progress(event_pb2.Progress(done=3)) is None
    last = event_pb2.Event(progress=event_pb2.Progress(done=3)).SerializeToString()
    assert batches.close() == [last]


def test_every_call_can_tell_what_happens(start: Start) -> None:
    def method(context: Context) -> Done:
        context.log(logging.INFO, "reading", index="a")
        context.progress(1, 2, unit="files", phase="reading", activity="a", sub=(3, 4))
        context.warn("content.odd", "odd", "a")
        context.item("b", Outcome.SKIPPED)
        context.failed("c", OperationError("source.gone", "gone"))
        context.failed("d", ValueError("no number"))
        context.metadata({"suite": "stable"})
        context.output("report", "text/plain", "staged-report")
        context.link("more", "https://example.org/")
        context.job(Job("sync", name="again"))
        context.checkpoint(b"here")
        return Done.unchanged(summary={"read": 1}, outputs={"x": 2}, state={"etag": "e"})

    run = start(method).call("do").run()
    assert (run.logs[0].level, run.logs[0].text) == (event_pb2.LOG_LEVEL_INFO, "reading")
    assert dict(run.logs[0].fields) == {"index": "a"}
    assert (run.progress[0].phase, run.progress[0].sub_total) == ("reading", 4)
    assert (run.warnings[0].code, run.warnings[0].item) == ("content.odd", "a")
    assert [(it.key, it.outcome) for it in run.items] == [
        ("b", event_pb2.OUTCOME_SKIPPED),
        ("c", event_pb2.OUTCOME_FAILED),
        ("d", event_pb2.OUTCOME_FAILED),
    ]
    assert (run.items[1].error.scope, run.items[1].error.item) == (model_pb2.ERROR_SCOPE_ITEM, "c")
    assert getattr(run.items[2].error, "class") == model_pb2.ERROR_CLASS_FAULT
    kinds = [event.WhichOneof("event") for event in run.others]
    assert kinds == ["metadata", "output", "link", "job", "checkpoint"]
    assert run.others[-1].checkpoint.data == b"here"
    done = run.done()
    assert (done.summary, done.outputs, done.state) == ('{"read":1}', '{"x":2}', b'{"etag":"e"}')


def test_an_importer_declares_keeps_removes_lists_and_resolves(start: Start) -> None:
    def method(context: Context) -> Done:
        file = File("a", size=1, sha256="00", url="https://a.example/a", media_type="text/plain")
        context.unit(
            Unit("word", {"text": "a"}, {"n": 1}, files=[file], links=[("base", UnitRef.id(7))])
        )
        context.keep(Keep.field("word", "lang", "en"))
        context.remove(UnitRef.key("word", {"text": "b"}))
        context.resolved(UnitRef.id(3))
        item = ListedItem(
            Unit("word", {"text": "c"}, files=[File("c")]), revision="1", modified_ms=5
        )
        context.listed(item)
        context.cursor("next")
        return Done.changed()

    run = start(method).call("in").sync()
    unit = run.units[0]
    assert (unit.kind, unit.read_attributes(), unit.wire.links[0].to.id) == ("word", {"n": 1}, 7)
    assert (unit.files[0].path, unit.files[0].size, unit.files[0].hex("sha256")) == ("a", 1, "00")
    assert unit.files[0].urls == ["https://a.example/a"]
    assert (run.kept[0].field.name, run.kept[0].field.value) == ("lang", '"en"')
    assert (run.removed[0].key, run.resolved[0].id) == ('{"text":"b"}', 3)
    assert (run.listed[0].revision, run.listed[0].modified_ms) == ("1", 5)


def test_bytes_are_cut_into_chunks(start: Start) -> None:
    data = bytes(range(256)) * 8_000

    def method(context: Context) -> Done:
        context.chunk(data)
        context.chunk(b"")
        context.source("https://a.example/a", {"authorization": "x"})
        context.staged("file")
        return Done.unchanged()

    run = start(method).call("in").list()
    assert run.data() == data
    assert max(len(it.chunk) for it in run.contents) == 512 << 10
    assert run.contents[-2].source.url == "https://a.example/a"
    assert run.contents[-1].staged == "file"


def test_a_distributor_names_files_and_what_leads_to_them(start: Start) -> None:
    def method(context: Context) -> Done:
        context.file(PublishedFile.of_unit("a", 1, "a", media_type="text/plain"))
        context.file(PublishedFile.of_digest("b", "sha256:00", modified_ms=5))
        context.file(PublishedFile.staged("c", "staged", entry_point=True))
        context.file(PublishedFile.inline("d", b"d", headers={"cache-control": "no-cache"}))
        context.alias("e", "a")
        context.redirect("f", "a")
        context.variant("g/", "a", "text/html", ["text/*"])
        context.encoded_variant("g/", "b", "text/html", "gzip")
        context.pass_through("pool", ["word"])
        context.reuse(4, "old/")
        return Done.changed(identifier="there")

    run = start(method).call("out").publish()
    origins = [(it.path, it.WhichOneof("from")) for it in run.files]
    assert origins == [("a", "unit"), ("b", "digest"), ("c", "staged"), ("d", "inline")]
    assert (run.files[0].media_type, run.files[1].modified_ms) == ("text/plain", 5)
    assert (run.files[2].entry_point, dict(run.files[3].headers)) == (
        True,
        {"cache-control": "no-cache"},
    )
    assert [(it.path, it.redirect) for it in run.aliases] == [("e", False), ("f", True)]
    assert [(it.target, it.encoding) for it in run.variants] == [("a", ""), ("b", "gzip")]
    assert [it.WhichOneof("event") for it in run.others] == ["pass_through", "reuse"]
    assert run.done().identifier == "there"


def test_a_method_that_is_faster_than_its_host_waits(start: Start) -> None:
    told = 0
    ended = threading.Event()

    def method(context: Context) -> Done:
        nonlocal told
        try:
            while True:
                context.chunk(bytes(512 << 10))
                told += 1
        finally:
            ended.set()

    running = start(method).call("in").start_sync()
    next(running)
    # Nobody reads any more: what the socket and the few waiting events hold is soon full.
    before = -1
    while before != told:
        before = told
        assert not ended.wait(0.3)
    assert told < 200
    running.cancel()
    assert ended.wait(DEADLINE)


def test_a_cancel_ends_the_next_thing_that_a_method_says(start: Start) -> None:
    begun, ended = threading.Event(), threading.Event()

    def method(context: Context) -> Done:
        context.log(logging.INFO, "begun")
        begun.set()
        assert context.wait_cancelled(DEADLINE)
        assert context.is_cancelled
        try:
            context.unit(Unit("word", {"text": "late"}))
        finally:
            ended.set()
        return Done.changed()

    running = start(method).call("in").start_sync()
    assert begun.wait(DEADLINE)
    running.cancel()
    assert ended.wait(DEADLINE)
    with pytest.raises(grpc.RpcError):
        for _ in running:
            pass


def test_a_stop_cancels_calls_and_refuses_new_ones(start: Start) -> None:
    begun = threading.Event()

    def method(context: Context) -> Done:
        context.unit(Unit("word", {"text": "a"}))
        begun.set()
        context.wait_cancelled(DEADLINE)
        context.check_cancelled()
        return Done.changed()

    harness = start(method)
    running = harness.call("in").start_sync()
    assert begun.wait(DEADLINE)
    assert harness.stop()
    run = running.finish()
    assert (run.keys(), run.failure().code) == ([{"text": "a"}], "cancelled")
    assert harness.call("in").sync().status == grpc.StatusCode.UNAVAILABLE


def test_a_method_that_ignores_the_cancel_is_left_behind(start: Start) -> None:
    begun, release = threading.Event(), threading.Event()

    def method(context: Context) -> Done:
        begun.set()
        release.wait(DEADLINE)
        return Done.changed()

    harness = start(method, grace=0.1)
    running = harness.call("in").start_sync()
    assert begun.wait(DEADLINE)
    assert not harness.stop()
    assert running.finish().failure().code == "cancelled"
    release.set()


def test_nothing_is_taken_after_the_end(start: Start) -> None:
    kept: list[Context] = []

    def method(context: Context) -> Done:
        kept.append(context)
        return Done.unchanged()

    start(method).call("in").sync().done()
    context = kept[0]
    with pytest.raises(Cancelled):
        context.unit(Unit("word", {"text": "a"}))
    with pytest.raises(Cancelled):
        context.warn("a", "b")
    context.log(logging.INFO, "dropped")
    context.progress(1)


def test_several_threads_may_use_one_context(start: Start) -> None:
    def method(context: Context) -> Done:
        def tell(first: int) -> None:
            for number in range(first, first + 1_000):
                context.unit(Unit("word", {"text": str(number)}))

        threads = [threading.Thread(target=tell, args=(first,)) for first in range(0, 4_000, 1_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Done.changed()

    run = start(method).call("in").sync()
    texts = {unit.read_key()["text"] for unit in run.units}
    assert len(texts) == 4_000


def test_the_jobs_facts_are_known(start: Start) -> None:
    def method(context: Context) -> Done:
        facts = (context.job_number, context.attempt, context.work_dir.is_dir())
        assert facts == (1, 1, True)
        assert context.time_left is None
        assert context.traceparent == ""
        return Done.unchanged()

    start(method).call("in").sync().done()
