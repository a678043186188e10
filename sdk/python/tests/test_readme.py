"""The README shows code that runs, and the plugin that stands in the examples."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

SDK = Path(__file__).parents[1]
README = (SDK / "README.md").read_text()


def blocks(language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found


def test_the_plugin_that_it_shows_is_the_example() -> None:
    assert (SDK / "examples/hello/hello.py").read_text() in blocks("python")
    assert (SDK / "examples/hello/types/greeting.json").read_text() in blocks("json")
    shown = json.loads(blocks("json")[0])
    example = json.loads((SDK / "examples/hello/plugin.json").read_text())
    assert (shown["name"], shown["executable"]) == (example["name"], example["executable"])


def test_its_documents_are_json() -> None:
    for block in blocks("json"):
        json.loads(block)


@pytest.mark.parametrize("block", blocks("python"))
def test_its_code_runs(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hello = SDK / "examples/hello"
    monkeypatch.syspath_prepend(str(hello))
    namespace: dict[str, object] = {"__name__": "shown", "__file__": str(hello / "test_hello.py")}
    exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102
    for name, shown in namespace.items():
        if name.startswith("test_") and callable(shown):
            shown()
    sys.modules.pop("hello", None)
