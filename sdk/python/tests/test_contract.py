"""The harness holds every run against the contract, and a plugin against its manifest."""

from __future__ import annotations

import json

import pytest
from conftest import MANIFEST, Do, In, Make, Out, Start

from wharf import Context, Done, File, ListedItem, Migrations, Plugin, Unit
from wharf.serve import Registry
from wharf.serve._start_error import StartError
from wharf.testing import ContractError
from wharf.testing._contract import Contract
from wharf.v1 import event_pb2, model_pb2


def none(context: Context) -> Done:
    return Done.unchanged()


@pytest.mark.parametrize(
    ("unit", "breach"),
    [
        (Unit("word"), "the key of a unit"),
        (Unit("word", "[1]"), "the key of a unit"),
        (Unit("word", {"other": 1}), "lacks 'text'"),
        (Unit("book", {"text": "a"}), "no type 'book'"),
        (Unit("word", {"text": "a"}, "no json"), "attributes are a JSON object"),
        (Unit("word", {"text": "a"}, files=[File("../a")]), "not a clean relative path"),
        (Unit("word", {"text": "a"}, files=[File("a", url="x", staged="y")]), "comes 2 ways"),
        (
            Unit("word", {"text": "a"}, files=[File("a", inline=bytes(70_000))]),
            "70000 bytes inline",
        ),
    ],
)
def test_a_unit_that_breaks_the_contract_fails_the_test(
    start: Start, unit: Unit, breach: str
) -> None:
    def method(context: Context) -> Done:
        context.unit(unit)
        return Done.changed()

    with pytest.raises(ContractError, match=breach):
        start(method).call("in").sync()


def test_a_listed_item_has_one_file(start: Start) -> None:
    def method(context: Context) -> Done:
        context.listed(ListedItem(Unit("word", {"text": "a"}), revision="1"))
        return Done.changed()

    with pytest.raises(ContractError, match="has one file, this one 0"):
        start(method).call("in").list()


def contract() -> Contract:
    return Contract(_registry())


def _registry() -> Registry:
    made = Plugin(json.dumps(MANIFEST)).importer("in", In(none)).distributor("out", Out(none))
    return made.builder("make", Make(none)).action("do", Do(none)).check()


def test_messages_have_limits() -> None:
    many = event_pb2.Units(units=[model_pb2.Unit(type="word", key='{"text":"a"}')] * 1_001)
    with pytest.raises(ContractError, match="1001 entries"):
        contract().check(event_pb2.Event(units=many).SerializeToString())
    log = event_pb2.Log(text="x" * (1 << 20))
    with pytest.raises(ContractError, match="a message of"):
        contract().check(event_pb2.Event(log=log).SerializeToString())


def test_a_stream_has_one_closing_event() -> None:
    result = event_pb2.Event(result=event_pb2.Result()).SerializeToString()
    watched = contract()
    with pytest.raises(ContractError, match="without result or error"):
        watched.check_end()
    watched.check(result)
    watched.check_end()
    with pytest.raises(ContractError, match="after the closing one"):
        watched.check(result)


def test_program_and_manifest_must_agree() -> None:
    manifest = json.dumps(
        {"name": "x", "version": "1", "components": [{"id": "in", "role": "importer"}]}
    )
    with pytest.raises(StartError, match="registers nothing under that id"):
        Plugin(manifest).check()
    with pytest.raises(StartError, match="registers distributor"):
        Plugin(manifest).distributor("in", Out(none)).check()
    with pytest.raises(StartError, match=r"'more', which plugin\.json does not name"):
        Plugin(manifest).importer("in", In(none)).importer("more", In(none)).check()
    with pytest.raises(StartError, match="names no migrations, but the program registers some"):
        Plugin(manifest).importer("in", In(none)).migrations(Migrations()).check()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"name": "x", "version": "1", "components": [{}]}']
)
def test_a_manifest_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(StartError, match=r"plugin\.json cannot be read"):
        Plugin(text).check()


def test_types_that_cannot_be_read_are_told() -> None:
    with pytest.raises(StartError, match="type definitions cannot be read"):
        Plugin('{"name": "x", "version": "1"}').types('{"types": [{}]}').check()
