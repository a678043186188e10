"""Plugins of Image Factory, run unchanged: a package with a `delegate_class`, and a `NAME.info` in it, becomes builders and
a distributor of wharf. The host finds the `.info`, says what it stands for, and starts this:

    python -m wharf.compat.imagefactory NAME.info MANIFEST

The way through: `_plugin` makes the plugin of the manifest; `_builder`, `_hooks` and `_push` answer the host's calls;
`_process` is a delegate's own process, which is ended when a call is cancelled, and `_kept` lets one live from a hook to the
build behind it; `delegate` is what runs in there; `imgfac` are the names that plugins import. A delegate never meets the
host, and the program never meets the plugin's code.
"""
