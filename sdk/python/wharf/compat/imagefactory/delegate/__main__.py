"""The program: `python -m wharf.compat.imagefactory.delegate NAME.info FD`."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory.delegate._channel import Channel
from wharf.compat.imagefactory.delegate._load import PluginError
from wharf.compat.imagefactory.delegate._told import Logs
from wharf.compat.imagefactory.delegate._work import Work
from wharf.compat.imagefactory.imgfac import ImageFactoryException, provide


def main(info: Path, connection: socket.socket) -> None:
    """Does what it is told, one thing after another, until the other side is gone."""
    provide()
    channel = Channel(connection)
    logging.getLogger().addHandler(Logs(channel))
    logging.getLogger().setLevel(logging.INFO)
    work = Work(info, channel)
    signal.signal(signal.SIGTERM, work.stop)
    while (order := channel.receive()) is not None:
        _do(work, order, channel)


def _do(work: Work, order: dict[str, Any], channel: Channel) -> None:
    try:
        answer = work.do(order)
    except ImageFactoryException as error:
        channel.tell("failed", text=_text(error), trace="")
    except PluginError as error:
        channel.tell("unusable", text=str(error), trace="")
    except Exception as error:  # noqa: BLE001 - whatever the plugin's code raises
        channel.tell("broken", text=_text(error), trace=traceback.format_exc())
    else:
        channel.tell("done", answer=answer)


def _text(error: Exception) -> str:
    return str(error) or f"the plugin raised {type(error).__name__}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
