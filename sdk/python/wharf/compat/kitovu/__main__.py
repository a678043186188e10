"""The command: lists kitovu's plugins, writes the folder of a wharf plugin for one, and is that plugin."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wharf.compat.kitovu import _folder
from wharf.errors import Error


def main(arguments: list[str]) -> int:
    """Does what the arguments say; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m wharf.compat.kitovu",
        description="Plugins of kitovu as plugins of wharf. Without a name: lists those that are installed.",
    )
    parser.add_argument("name", nargs="?", help=f"as registered in {_folder.GROUP}")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--write", metavar="DIR", type=Path, help="make the plugin's folder in DIR")
    does.add_argument(
        "--serve", metavar="FOLDER", type=Path, help="be the plugin of FOLDER; for wharf"
    )
    given = parser.parse_args(arguments)
    if given.name is None:
        lines = [f"{entry.name}\t{entry.value}" for entry in _folder.found()]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return 0
    if given.serve is not None:
        return _folder.serve(given.name, given.serve)
    if given.write is None:
        parser.error("say --write DIR")
    own = _folder.write(given.name, given.write)
    sys.stdout.write(
        f"{own} is a plugin of wharf now. Go on with:\n"
        f"  export WHARF_PLUGIN_PATH={given.write}\n"
        f"  wharf attach REPOSITORY {own.name}.importer --set remote_dir=... --set ...\n"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Error as error:
        sys.stderr.write(f"error: {error.whole_message()}\n")
        sys.exit(2)
