"""What several tests use: a plugin with one component of each role, whose methods are functions of the test."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wharf import (
    Action,
    Builder,
    BuildRequest,
    Context,
    Distributor,
    Done,
    Importer,
    ListRequest,
    Plugin,
    PublishRequest,
    RunRequest,
    SyncRequest,
)
from wharf.testing import FakeHost, Harness

sys.path.insert(0, str(Path(__file__).parent))

MANIFEST = {
    "name": "try",
    "version": "0.1.0",
    "components": [
        {"id": "in", "role": "importer", "operations": ["sync"], "content_types": ["word"]},
        {"id": "out", "role": "distributor", "operations": ["publish"]},
        {"id": "make", "role": "builder", "operations": ["build"], "produces": ["word"]},
        {"id": "do", "role": "action", "operations": ["run"]},
    ],
}
TYPES = {"types": [{"id": "word", "unit_key": ["text"]}]}
Method = Callable[[Context], Done]


class In(Importer):
    """Does what the test says, whatever is called."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.request: object = None

    def sync(self, request: SyncRequest, context: Context) -> Done:
        self.request = request
        return self.method(context)

    def list(self, request: ListRequest, context: Context) -> Done:
        return self.method(context)


class Out(Distributor):
    def __init__(self, method: Method) -> None:
        self.method = method

    def publish(self, request: PublishRequest, context: Context) -> Done:
        return self.method(context)


class Make(Builder):
    def __init__(self, method: Method) -> None:
        self.method = method

    def build(self, request: BuildRequest, context: Context) -> Done:
        return self.method(context)


class Do(Action):
    def __init__(self, method: Method) -> None:
        self.method = method

    def run(self, request: RunRequest, context: Context) -> Done:
        return self.method(context)


def plugin(method: Method) -> Plugin:
    """A plugin whose every method is this function."""
    return (
        Plugin(json.dumps(MANIFEST))
        .types(json.dumps(TYPES))
        .importer("in", In(method))
        .distributor("out", Out(method))
        .builder("make", Make(method))
        .action("do", Do(method))
    )


Start = Callable[..., Harness]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a harness around a function, and ends it after the test."""

    def start(method: Method, host: FakeHost | None = None, grace: float = 1.2) -> Harness:
        harness = Harness(plugin(method).grace(grace), host)
        request.addfinalizer(harness.close)
        return harness

    return start
