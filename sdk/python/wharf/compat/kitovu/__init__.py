"""Sync plugins of kitovu, run unchanged: a class with its eight methods, registered in the entry point group
`kitovu.sync.plugin`, becomes an importer of the style list + fetch.

    python -m wharf.compat.kitovu                      # which there are
    python -m wharf.compat.kitovu NAME --write DIR     # make the folder of a wharf plugin for one

The way through: `_interface` has the names that plugins import, when kitovu itself is not installed; `_provide` puts
them where they are looked for; `_session` is one connected plugin object; `_importer` answers the host's calls with it;
`_folder` writes `plugin.json`, the type and the script.
"""
