"""Log lines have the form that the host reads."""

from __future__ import annotations

import json
import logging
import os

from wharf.logging import HclogHandler


def lines(log: logging.Logger, tell: object) -> list[dict[str, object]]:
    """What a function logs, line by line."""
    read, write = os.pipe()
    handler = HclogHandler(write)
    log.addHandler(handler)
    try:
        assert callable(tell)
        tell()
    finally:
        log.removeHandler(handler)
        os.close(write)
    with os.fdopen(read, "rb") as pipe:
        return [json.loads(line) for line in pipe]


def logger(name: str) -> logging.Logger:
    log = logging.getLogger(name)
    log.setLevel(1)
    log.propagate = False
    return log


def test_level_message_time_module_and_fields() -> None:
    log = logger("deb.index")
    told = lines(log, lambda: log.warning("index %s read", "main", extra={"packages": 1_200}))[0]
    timestamp = str(told.pop("@timestamp"))
    assert told == {
        "@level": "warn",
        "@message": "index main read",
        "@module": "deb.index",
        "packages": 1_200,
    }
    assert (len(timestamp), timestamp[-1]) == (len("2030-01-02T03:04:05.000006Z"), "Z")


def test_every_level_has_a_word() -> None:
    log = logger("levels")

    def tell() -> None:
        for level in (5, 10, 20, 30, 40, 50):
            log.log(level, "x")

    words = [line["@level"] for line in lines(log, tell)]
    assert words == ["trace", "debug", "info", "warn", "error", "error"]


def test_an_exception_comes_with_its_trace() -> None:
    log = logger("errors")

    def tell() -> None:
        try:
            int("x")
        except ValueError:
            log.exception("failed")

    told = lines(log, tell)[0]
    assert told["error"] == "ValueError: invalid literal for int() with base 10: 'x'"
    assert "test_logging.py" in str(told["traceback"])


def test_a_long_text_is_cut_to_its_end_and_odd_values_are_told() -> None:
    log = logger("long")
    told = lines(
        log, lambda: log.info("x" * 100_000 + "end", extra={"value": object, "text": "\ud800"})
    )[0]
    assert len(json.dumps(told)) < 60 << 10
    assert str(told["@message"]).endswith("end")


def test_nobody_who_reads_is_survived() -> None:
    read, write = os.pipe()
    os.close(read)
    log = logger("unread")
    handler = HclogHandler(write)
    log.addHandler(handler)
    log.error("nobody hears this")
    log.removeHandler(handler)
    os.close(write)
