"""A call, as a host would make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from wharf.model import Contribution, File, Unit, UnitRef
from wharf.model._json import to_json
from wharf.role import Mode, Policy, Stage, TestMode
from wharf.testing._contract import Contract
from wharf.testing._run import Run, Running
from wharf.v1 import (
    action_pb2,
    builder_pb2,
    distributor_pb2,
    event_pb2,
    importer_pb2,
    model_pb2,
    plugin_pb2,
)

if TYPE_CHECKING:
    from wharf.testing._harness import Harness


class Call:
    """A call to one component. Say what differs from a first run with empty settings, then make it."""

    def __init__(self, harness: Harness, component: str) -> None:
        instance = model_pb2.Instance(component=component, name="default", settings="{}")
        self._harness = harness
        self._attachment = model_pb2.Attachment(instance=instance, repository="test", settings="{}")
        self._sync = importer_pb2.SyncRequest(
            mode=importer_pb2.MODE_MIRROR, policy=importer_pb2.POLICY_IMMEDIATE
        )
        self._build = builder_pb2.BuildRequest()
        self._publish = distributor_pb2.PublishRequest(version=1, base_path="test")

    def settings(self, settings: Mapping[str, object]) -> Call:
        """The effective settings; for actions, the arguments; for builders, the parameters."""
        self._attachment.settings = to_json("the settings", dict(settings))
        return self

    def state(self, state: bytes) -> Call:
        """The kept state of the run before: `Run.state`."""
        self._attachment.state = state
        return self

    def secrets(self, *names: str) -> Call:
        """Names of secrets that the instance has."""
        self._attachment.instance.secrets[:] = names
        return self

    def full(self) -> Call:
        """Upstream's shortcuts must not be used."""
        self._sync.full = True
        self._publish.full = True
        return self

    def last(self, outcome: str) -> Call:
        """How the last sync ended, `succeeded` or `partial`; without this there was none."""
        self._sync.last.CopyFrom(importer_pb2.LastSync(finished_ms=1, version=1, outcome=outcome))
        return self

    def mode(self, mode: Mode) -> Call:
        """The mode of a sync; mirror without this."""
        self._sync.mode = mode.value
        return self

    def policy(self, policy: Policy) -> Call:
        """The policy of a sync; immediate without this."""
        self._sync.policy = policy.value
        return self

    def checkpoint(self, data: bytes) -> Call:
        """What an earlier attempt left."""
        self._sync.checkpoint = data
        return self

    def timestamp_ms(self, timestamp_ms: int) -> Call:
        """The time to write into a publication's metadata."""
        self._publish.timestamp_ms = timestamp_ms
        return self

    def previous(self, publication: int) -> Call:
        """The publication before."""
        self._publish.previous.id = publication
        return self

    def signing(self, key: str) -> Call:
        """The host signs; `FakeHost.signer` says how."""
        self._publish.signing[:] = [key]
        return self

    def template(self, media_type: str, content: bytes) -> Call:
        """What a builder makes something of."""
        self._build.template.media_type = media_type
        self._build.template.content = content
        return self

    def target(self, name: str = "", version: str = "", architecture: str = "") -> Call:
        """What a builder builds for; what is empty is "any"."""
        target = builder_pb2.Target(name=name, version=version, architecture=architecture)
        self._build.target.CopyFrom(target)
        return self

    def parent(self, unit: Unit) -> Call:
        """The unit of the stage before; its files lie in the work folder."""
        self._build.parent.CopyFrom(unit.wire)
        return self

    def contribution(self, contribution: Contribution) -> Call:
        """What a hook or an earlier step gave to a build."""
        self._build.contributions.append(contribution.to_wire())
        return self

    def provider(self, settings: Mapping[str, object], name: str = "default") -> Call:
        """The provider that a snapshot is made on."""
        written = to_json("the settings", dict(settings))
        self._build.provider.CopyFrom(model_pb2.Instance(name=name, settings=written))
        return self

    def start(self, service: str, method: str, request: Message) -> Running:
        """Makes any long call and hands out its events one by one."""
        events = self._harness.stream(service, method, request)
        return Running(events, Contract(self._harness.registry))

    def start_sync(self) -> Running:
        """Starts `sync` and hands out its events one by one."""
        request = importer_pb2.SyncRequest(
            context=self._harness.context(), attachment=self._attachment
        )
        request.MergeFrom(self._sync)
        return self.start("Importer", "Sync", request)

    def sync(self) -> Run:
        """Makes `sync`."""
        return self.start_sync().finish()

    def list(self, cursor: str = "") -> Run:
        """Makes `list`."""
        request = importer_pb2.ListRequest(
            context=self._harness.context(), attachment=self._attachment, cursor=cursor
        )
        return self.start("Importer", "List", request).finish()

    def fetch(self, item: event_pb2.ListedItem, offset: int = 0) -> Run:
        """Makes `fetch` for an item that was listed."""
        request = importer_pb2.FetchRequest(
            context=self._harness.context(),
            attachment=self._attachment,
            unit=item.unit,
            revision=item.revision,
            offset=offset,
        )
        return self.start("Importer", "Fetch", request).finish()

    def upload(
        self,
        files: Sequence[File],
        *,
        kind: str = "",
        key: Mapping[str, object] | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> Run:
        """Makes `upload` with files that lie in the work folder, and what the user said of them."""
        request = importer_pb2.UploadRequest(
            context=self._harness.context(),
            attachment=self._attachment,
            type=kind,
            key=to_json("the key", dict(key)) if key else "",
            attributes=to_json("the attributes", dict(attributes)) if attributes else "",
            files=[file.wire for file in files],
        )
        return self.start("Importer", "Upload", request).finish()

    def resolve(self, units: Sequence[UnitRef]) -> Run:
        """Makes `resolve` for these units of version 1."""
        request = importer_pb2.ResolveRequest(
            context=self._harness.context(),
            attachment=self._attachment,
            version=1,
            units=[unit.wire for unit in units],
        )
        return self.start("Importer", "Resolve", request).finish()

    def publish(self) -> Run:
        """Makes `publish`."""
        request = distributor_pb2.PublishRequest(
            context=self._harness.context(), attachment=self._attachment
        )
        request.MergeFrom(self._publish)
        return self.start("Distributor", "Publish", request).finish()

    def unpublish(self, identifier: str) -> Run:
        """Makes `unpublish` for the publication with this identifier."""
        request = distributor_pb2.UnpublishRequest(
            context=self._harness.context(),
            attachment=self._attachment,
            publication=distributor_pb2.Publication(id=1, version=1, identifier=identifier),
        )
        return self.start("Distributor", "Unpublish", request).finish()

    def reissue(self, publication: int) -> Run:
        """Makes `reissue` for the publication with this number."""
        request = distributor_pb2.ReissueRequest(
            context=self._harness.context(),
            attachment=self._attachment,
            publication=distributor_pb2.Publication(id=publication, version=1),
            timestamp_ms=self._publish.timestamp_ms,
            signing=self._publish.signing,
        )
        return self.start("Distributor", "Reissue", request).finish()

    def client_config(self, base_url: str) -> distributor_pb2.ClientConfigResponse:
        """Makes `ClientConfig` for publication 1, served at this address."""
        request = distributor_pb2.ClientConfigRequest(
            attachment=self._attachment,
            publication=distributor_pb2.Publication(id=1, version=1),
            base_url=base_url,
        )
        answer = distributor_pb2.ClientConfigResponse
        return self._harness.ask("Distributor", "ClientConfig", request, answer)

    def build(self, stage: Stage) -> Run:
        """Makes `build`, with the settings as parameters."""
        request = builder_pb2.BuildRequest(
            context=self._harness.context(),
            instance=self._attachment.instance,
            stage=stage.value,
            parameters=self._attachment.settings,
        )
        request.MergeFrom(self._build)
        return self.start("Builder", "Build", request).finish()

    def run(self, units: Sequence[Unit] = (), test: TestMode = TestMode.OFF) -> Run:
        """Makes `run` for these units, with the settings as arguments."""
        request = action_pb2.RunRequest(
            context=self._harness.context(),
            instance=self._attachment.instance,
            arguments=self._attachment.settings,
            units=[unit.wire for unit in units],
            test=test.value,
        )
        return self.start("Action", "Run", request).finish()

    def check(self) -> plugin_pb2.CheckResponse:
        """Makes `Check` for an attachment, with the settings as values."""
        request = plugin_pb2.CheckRequest(
            component=self._attachment.instance.component,
            scope=plugin_pb2.CHECK_SCOPE_ATTACHMENT,
            values=self._attachment.settings,
            repository=self._attachment.repository,
            context=self._harness.context(),
        )
        return self._harness.ask("Plugin", "Check", request, plugin_pb2.CheckResponse)

    def ready(self) -> Sequence[model_pb2.FieldProblem]:
        """Makes `Ready` for the instance. No reasons: it is."""
        request = plugin_pb2.ReadyRequest(instance=self._attachment.instance)
        return self._harness.ask("Plugin", "Ready", request, plugin_pb2.ReadyResponse).reasons

    def choices(self, field: str) -> Sequence[plugin_pb2.Choice]:
        """Makes `Choices` for a field, with the settings as what is filled in."""
        request = plugin_pb2.ChoicesRequest(
            component=self._attachment.instance.component,
            field=field,
            values=self._attachment.settings,
        )
        return self._harness.ask("Plugin", "Choices", request, plugin_pb2.ChoicesResponse).choices

    def attached(self) -> None:
        """Tells that the instance was bound to a repository."""
        request = plugin_pb2.AttachedRequest(attachment=self._attachment)
        self._harness.ask("Plugin", "Attached", request, plugin_pb2.AttachedResponse)

    def detached(self) -> None:
        """Tells that the instance is about to be unbound."""
        request = plugin_pb2.DetachedRequest(attachment=self._attachment)
        self._harness.ask("Plugin", "Detached", request, plugin_pb2.DetachedResponse)

    def plan(self, operation: str) -> Sequence[model_pb2.JobSpec]:
        """Makes `Plan` for an operation, with the settings as arguments."""
        request = plugin_pb2.PlanRequest(
            instance=self._attachment.instance,
            operation=operation,
            arguments=self._attachment.settings,
        )
        return self._harness.ask("Plugin", "Plan", request, plugin_pb2.PlanResponse).jobs
