r"""Trying a plugin without a process of its own and without a host.

`Harness` serves the plugin on a private socket: the real messages, the real codec, the real cancellation, with a
`FakeHost` in place of service `Host`. A test says what upstream and repository hold, makes a call, and looks at what
came of it:

    host = FakeHost().file("https://words.example/list", b"hello\n")
    with Harness(plugin(), host) as harness:
        run = harness.call("importer").settings({"url": "https://words.example/list"}).sync()
    assert run.keys() == [{"text": "hello"}]

Every run is held against the contract: batches within their limits, one closing event, units of declared types with
whole keys. A breach is a `ContractError` that says which.
"""

from wharf.testing._call import Call
from wharf.testing._contract import ContractError
from wharf.testing._harness import Harness
from wharf.testing._host import FakeHost
from wharf.testing._run import Run, Running

__all__ = ["Call", "ContractError", "FakeHost", "Harness", "Run", "Running"]
