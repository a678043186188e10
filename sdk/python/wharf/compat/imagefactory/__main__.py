"""The program that the host starts."""

from __future__ import annotations

import sys
from pathlib import Path

from wharf.compat.imagefactory._plugin import Delegates


def main(arguments: list[str]) -> int:
    """Serves the plugin of an `.info`; gives the exit status."""
    match arguments:
        case [info, manifest]:
            delegates = Delegates(Path(info))
            try:
                return delegates.plugin(manifest).serve()
            finally:
                delegates.close()
        case _:
            sys.stderr.write(
                "usage: python -m wharf.compat.imagefactory NAME.info MANIFEST\n"
                "wharf starts it by itself for every NAME.info that it finds: in a folder of WHARF_PLUGIN_PATH, or by a\n"
                "link in DATA/plugins.d. `wharf plugin list` shows them.\n"
            )
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
