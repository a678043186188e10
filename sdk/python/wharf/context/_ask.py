"""What a call can ask of the host. Each method raises what the host says about the request, and `Cancelled`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wharf import host
from wharf.context._core import Call
from wharf.errors import Error
from wharf.host import (
    Claim,
    Download,
    Downloaded,
    JobEnd,
    Query,
    SavedUnit,
    Signed,
    SignForm,
    State,
    StateScope,
)
from wharf.model import Contribution, Job, Unit, UnitRef
from wharf.model._json import from_object
from wharf.v1 import event_pb2, host_pb2


class Ask(Call):
    """The part of `Context` for questions."""

    def download(self, download: Download) -> Downloaded:
        """Has the host download one file into the work folder."""
        return host.download(self._way, download)

    def download_all(
        self, downloads: Iterable[Download]
    ) -> Iterator[tuple[int, Downloaded | Error]]:
        """Has the host download many files; each is answered as it is done, with its place in the list. The failure of
        one download is in its own answer.
        """
        return host.download_all(self._way, downloads)

    def units(self, query: Query | None = None) -> Iterator[Unit]:
        """Units of the job's version. They come in pages, as they are read."""
        return host.units(self._way, query or Query())

    def get_units(self, units: Iterable[UnitRef]) -> list[Unit]:
        """These units, as far as the job may see them."""
        return host.get_units(self._way, units)

    def save_units(self, units: Iterable[Unit]) -> Iterator[SavedUnit]:
        """As `unit`, but says what was new, in the order given. They are sent as the answers are read."""
        return host.save_units(self._way, units)

    def has_artifacts(self, digests: Sequence[str]) -> list[bool]:
        """Which of these digests, each `sha256:HEX`, the host has bytes for; in the order asked."""
        return host.has_artifacts(self._way, digests)

    def open_artifact(self, digest: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a file that the job may read, by `sha256:HEX`, from an offset."""
        return host.open_artifact(self._way, digest, offset)

    def put_artifact(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Writes bytes into the host's store; gives `sha256:HEX` and size."""
        return host.put_artifact(self._way, pieces)

    def secret(self, name: str) -> bytes:
        """A secret of the call's instance, by one of the names that the instance lists."""
        request = host_pb2.GetSecretRequest(name=name)
        return self._way.ask("GetSecret", request, host_pb2.GetSecretResponse).value

    def settings(self) -> dict[str, Any]:
        """The effective settings of the job's attachment or instance, as they are now."""
        answer = self._way.ask(
            "GetSettings", host_pb2.GetSettingsRequest(), host_pb2.GetSettingsResponse
        )
        return from_object("the settings", answer.settings)

    def sign(self, form: SignForm, data: bytes) -> Signed:
        """Has the host sign something with the key that the attachment names, of which the request tells in
        `signing`.
        """
        return host.sign(self._way, form, data, self.work_dir)

    def get_state(self, scope: StateScope, key: str) -> State | None:
        """A small piece of the plugin's own state; `None` when there is none."""
        return host.get_state(self._way, scope, key)

    def put_state(self, scope: StateScope, key: str, state: State, *, durable: bool = False) -> int:
        """Replaces a piece of state, at most 64 KiB; its revision is that of the state it replaces, 0 when there is
        none. Counts only if the job succeeds, unless `durable`. Gives the new revision. An operation error with code
        `conflict` says that somebody else was faster.
        """
        return host.put_state(self._way, scope, key, state, durable=durable)

    def spawn_job(self, job: Job) -> int:
        """Starts another job; gives its number."""
        return host.spawn_job(self._way, job)

    def wait_job(self, number: int) -> JobEnd:
        """Waits for the end of a job."""
        return host.wait_job(self._way, number)

    def acquire(self, claim: Claim) -> int:
        """Takes a lock, a place in a queue or space; gives the grant. It ends with the job, however that ends."""
        return host.acquire(self._way, claim)

    def release(self, grant: int) -> None:
        """Gives a grant back."""
        host.release(self._way, grant)

    def contribute(self, to: str, contribution: Contribution) -> None:
        """Gives content to a later step of a build, which the component `PLUGIN.COMPONENT` makes."""
        host.contribute(self._way, to, contribution)

    def emit(self, name: str, payload: Mapping[str, object] | None = None) -> None:
        """An event that rules can see."""
        host.emit(self._way, name, payload or {})

    def watch_items(self) -> Iterator[event_pb2.Item]:
        """What became of the declared items, as it becomes known."""
        return host.watch_items(self._way)
