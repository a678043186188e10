"""The hello importer of the examples does what the README says of it."""

import runpy
from pathlib import Path

from wharf import Plugin
from wharf.testing import FakeHost, Harness

HELLO = Path(__file__).parents[1] / "examples/hello"
URL = "https://words.example/list"


def hello() -> Plugin:
    plugin: Plugin = runpy.run_path(str(HELLO / "hello.py"))["plugin"]()
    return plugin.types((HELLO / "types/greeting.json").read_text())


def test_it_makes_a_unit_of_every_line() -> None:
    host = FakeHost().file(URL, b"hello\ngood morning\n")
    with Harness(hello(), host) as harness:
        run = harness.call("importer").settings({"url": URL}).sync()
    assert run.keys() == [{"text": "hello"}, {"text": "good morning"}]
    assert run.done().changed
    assert host.requests == [URL]


def test_an_unreachable_list_is_the_hosts_error() -> None:
    with Harness(hello()) as harness:
        run = harness.call("importer").settings({"url": URL}).sync()
    assert run.failure().code == "source.not_found"


def test_it_is_the_same_plugin_as_in_rust() -> None:
    rust = HELLO.parents[2] / "rust/examples/hello"
    for file in ("plugin.json", "types/greeting.json"):
        assert (HELLO / file).read_text() == (rust / file).read_text()
