"""What each role is asked, and how its answers travel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import grpc
import pytest
from conftest import MANIFEST, plugin

from wharf import (
    Action,
    Attachment,
    Builder,
    BuildRequest,
    Check,
    Checked,
    CheckScope,
    Choice,
    ClientConfig,
    ClientConfigRequest,
    Context,
    Contribution,
    Distributor,
    Done,
    FetchRequest,
    File,
    Importer,
    Instance,
    Job,
    ListedItem,
    ListRequest,
    Migration,
    Migrations,
    Mode,
    Plan,
    Plugin,
    Policy,
    PublishRequest,
    Query,
    ReissueRequest,
    ResolveRequest,
    RunRequest,
    Stage,
    SyncRequest,
    Target,
    TestMode,
    Unit,
    UnitRef,
    UnpublishRequest,
    UploadRequest,
    UsageError,
)
from wharf.testing import FakeHost, Harness
from wharf.v1 import importer_pb2, model_pb2, plugin_pb2


class Keeper:
    """Keeps the last request."""

    seen: object = None

    def saw(self) -> object:
        return self.seen


class In(Importer):
    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper

    def _seen(self, request: object) -> Done:
        self.keeper.seen = request
        return Done.changed()

    def sync(self, request: SyncRequest, context: Context) -> Done:
        return self._seen(request)

    def list(self, request: ListRequest, context: Context) -> Done:
        return self._seen(request)

    def fetch(self, request: FetchRequest, context: Context) -> Done:
        return self._seen(request)

    def upload(self, request: UploadRequest, context: Context) -> Done:
        return self._seen(request)

    def resolve(self, request: ResolveRequest, context: Context) -> Done:
        return self._seen(request)

    def check(self, check: Check) -> Checked:
        self.keeper.seen = check
        url = check.values.get("url", "")
        if url == "bug":
            raise ValueError("a bug")
        if not url:
            raise UsageError("config.url", "name one", field="/url")
        if url.endswith("/"):
            return Checked.good().error("/url", "config.url", "name a file, not a folder")
        return Checked.good().normalised({"url": url.strip()}).warning("/url", "config.odd", "odd")

    def ready(self, instance: Instance) -> Checked:
        return Checked.good().error("", "source.unreachable", f"{instance.name} is down")

    def choices(self, field: str, filled: Check) -> Sequence[Choice]:
        return [Choice(field, f"{field} of {filled.values['of']}")]

    def attached(self, attachment: Attachment) -> None:
        self.keeper.seen = attachment.repository

    def detached(self, attachment: Attachment) -> None:
        self.keeper.seen = f"no more {attachment.repository}"

    def plan(self, plan: Plan) -> Sequence[Job]:
        return [Job(plan.operation, {"full": True}, name=plan.arguments["name"])]


class Out(Distributor):
    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper

    def publish(self, request: PublishRequest, context: Context) -> Done:
        self.keeper.seen = request
        return Done.changed()

    def unpublish(self, request: UnpublishRequest, context: Context) -> Done:
        self.keeper.seen = request
        return Done.changed()

    def reissue(self, request: ReissueRequest, context: Context) -> Done:
        self.keeper.seen = request
        return Done.changed()

    def client_config(self, request: ClientConfigRequest) -> ClientConfig:
        text = f"deb {request.base_url}".encode()
        return ClientConfig().file("/etc/x", "text/plain", text).data({"url": request.base_url})


class Make(Builder):
    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper

    def build(self, request: BuildRequest, context: Context) -> Done:
        self.keeper.seen = request
        return Done.changed()


class Do(Action):
    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper

    def run(self, request: RunRequest, context: Context) -> Done:
        self.keeper.seen = request
        return Done.changed()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def harness(keeper: Keeper) -> Iterator[Harness]:
    made = (
        Plugin(json.dumps(MANIFEST))
        .importer("in", In(keeper))
        .distributor("out", Out(keeper))
        .builder("make", Make(keeper))
        .action("do", Do(keeper))
    )
    with Harness(made) as harness:
        yield harness


def test_describe_is_derived_from_the_manifest(harness: Harness) -> None:
    described = harness.describe()
    assert (described.name, described.version) == ("try", "0.1.0")
    found = [(it.id, it.role, [*it.operations], [*it.types]) for it in described.components]
    assert found[0] == ("in", "importer", ["sync"], ["word"])
    assert found[2] == ("make", "builder", ["build"], ["word"])


def test_a_sync_knows_all_that_it_was_told(harness: Harness, keeper: Keeper) -> None:
    call = harness.call("in").settings({"url": "x"}).state(b'{"etag":"e"}').secrets("password")
    call = call.full().last("partial").mode(Mode.ADDITIVE).policy(Policy.ON_DEMAND).checkpoint(b"c")
    call.sync().done()
    request = keeper.seen
    assert isinstance(request, SyncRequest)
    assert request.attachment.settings == {"url": "x"}
    assert request.attachment.state == {"etag": "e"}
    assert request.attachment.instance.secrets == ["password"]
    assert (request.full, request.mode, request.policy) == (True, Mode.ADDITIVE, Policy.ON_DEMAND)
    assert (request.last and request.last.outcome, request.checkpoint) == ("partial", b"c")


def test_state_that_is_no_json_is_no_state(harness: Harness, keeper: Keeper) -> None:
    harness.call("in").state(b"\xff").sync().done()
    assert isinstance(keeper.seen, SyncRequest)
    assert keeper.seen.attachment.state is None
    assert keeper.seen.attachment.state_bytes == b"\xff"


# F32
def test_an_unknown_mode_of_a_newer_host_counts_as_none(harness: Harness, keeper: Keeper) -> None:
    attachment = model_pb2.Attachment(instance=model_pb2.Instance(component="in"))
    request = importer_pb2.SyncRequest(attachment=attachment)
    request.MergeFromString(b"\x28\x63")  # mode = 99
    harness.call("in").start("Importer", "Sync", request).finish().done()
    assert isinstance(keeper.seen, SyncRequest)
    assert keeper.seen.mode is Mode.UNSPECIFIED


def test_listing_and_fetching_know_their_places(harness: Harness, keeper: Keeper) -> None:
    harness.call("in").list("behind").done()
    assert isinstance(keeper.seen, ListRequest)
    assert keeper.seen.cursor == "behind"

    item = ListedItem(Unit("word", {"text": "a"}, files=[File("a")]), revision="r")
    harness.call("in").fetch(item.wire, 5).done()
    assert isinstance(keeper.seen, FetchRequest)
    assert (keeper.seen.offset, keeper.seen.revision, keeper.seen.unit.kind) == (5, "r", "word")


def test_uploads_and_questions_carry_what_the_user_said(harness: Harness, keeper: Keeper) -> None:
    files = [File("a.txt", staged="up/a", size=1)]
    harness.call("in").upload(files, kind="word", key={"text": "a"}, attributes={"form": {}}).done()
    assert isinstance(keeper.seen, UploadRequest)
    assert (keeper.seen.kind, keeper.seen.key, keeper.seen.attributes) == (
        "word",
        {"text": "a"},
        {"form": {}},
    )
    assert keeper.seen.files[0].staged_path == "up/a"
    harness.call("in").resolve([UnitRef.id(4)]).done()
    assert isinstance(keeper.seen, ResolveRequest)
    assert ([unit.number for unit in keeper.seen.units], keeper.seen.options) == ([4], {})


def test_a_check_names_fields_and_normalises(harness: Harness, keeper: Keeper) -> None:
    good = harness.call("in").settings({"url": " a "}).check()
    assert (good.normalised, good.warnings[0].code) == ('{"url":"a"}', "config.odd")
    assert isinstance(keeper.seen, Check)
    assert (keeper.seen.scope, keeper.seen.repository) == (CheckScope.ATTACHMENT, "test")
    assert harness.call("in").settings({"url": "a/"}).check().errors[0].field == "/url"
    raised = harness.call("in").check().errors[0]
    assert (raised.field, raised.message) == ("/url", "name one")


def test_a_bug_in_a_check_is_an_internal_status(harness: Harness) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        harness.call("in").settings({"url": "bug"}).check()
    assert isinstance(failed.value, grpc.Call)
    assert failed.value.code() == grpc.StatusCode.INTERNAL
    assert "ValueError: a bug" in (failed.value.details() or "")


def test_the_other_answers_of_a_component(harness: Harness, keeper: Keeper) -> None:
    assert harness.call("in").ready()[0].message == "default is down"
    choices = harness.call("in").settings({"of": "x"}).choices("suite")
    assert (choices[0].value, choices[0].label) == ('"suite"', "suite of x")
    harness.call("in").attached()
    assert keeper.saw() == "test"
    harness.call("in").detached()
    assert keeper.saw() == "no more test"
    (job,) = harness.call("in").settings({"name": "n"}).plan("sync")
    assert (job.operation, job.name, job.arguments) == ("sync", "n", '{"full":true}')


def test_a_component_without_choices_offers_none() -> None:
    with Harness(plugin(lambda context: Done.changed())) as harness:
        with pytest.raises(grpc.RpcError) as refused:
            harness.call("in").choices("suite")
        assert isinstance(refused.value, grpc.Call)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_distributor_knows_what_it_publishes(harness: Harness, keeper: Keeper) -> None:
    harness.call("out").timestamp_ms(5).previous(3).signing("main").full().publish().done()
    request = keeper.seen
    assert isinstance(request, PublishRequest)
    assert (request.version, request.timestamp_ms, request.signing) == (1, 5, ["main"])
    assert request.previous is not None
    assert request.previous.id == 3
    harness.call("out").publish().done()
    assert isinstance(keeper.seen, PublishRequest)
    assert keeper.seen.previous is None
    harness.call("out").timestamp_ms(6).reissue(4).done()
    assert isinstance(keeper.seen, ReissueRequest)
    assert (keeper.seen.publication.id, keeper.seen.timestamp_ms) == (4, 6)
    harness.call("out").unpublish("there").done()
    assert isinstance(keeper.seen, UnpublishRequest)
    assert keeper.seen.publication.identifier == "there"


def test_clients_are_told_what_they_need(harness: Harness) -> None:
    config = harness.call("out").client_config("http://here/")
    assert (config.files[0].name, config.files[0].content) == ("/etc/x", b"deb http://here/")
    assert config.data == '{"url":"http://here/"}'


def test_builders_and_actions_read_their_arguments(harness: Harness, keeper: Keeper) -> None:
    harness.call("make").settings({"size": 1}).build(Stage.TARGET).done()
    assert isinstance(keeper.seen, BuildRequest)
    assert (keeper.seen.stage, keeper.seen.parameters) == (Stage.TARGET, {"size": 1})
    assert (keeper.seen.parent, keeper.seen.provider) == (None, None)
    call = harness.call("make").template("text/plain", b"recipe").target("fedora", version="44")
    motd = Contribution("file", "/etc/motd", b"hi", order=2)
    call = call.parent(Unit("word", {"text": "base"})).contribution(motd).provider({"zone": "a"})
    call.build(Stage.SNAPSHOT).done()
    made = keeper.seen
    assert (made.template_type, made.template) == ("text/plain", b"recipe")
    assert made.target == Target("fedora", "44")
    assert made.contributions == [motd]
    assert (made.parent and made.parent.key_text) == '{"text":"base"}'
    assert (made.provider and made.provider.settings) == {"zone": "a"}
    harness.call("do").settings({"to": "a"}).run([Unit("word", {"text": "a"})], TestMode.DRY).done()
    assert isinstance(keeper.seen, RunRequest)
    assert (keeper.seen.arguments, keeper.seen.test) == ({"to": "a"}, TestMode.DRY)
    assert keeper.seen.units[0].read_key() == {"text": "a"}


@pytest.mark.parametrize(
    ("component", "status"),
    [("none", grpc.StatusCode.NOT_FOUND), ("out", grpc.StatusCode.UNIMPLEMENTED)],
)
def test_who_is_no_importer_cannot_sync(
    harness: Harness, component: str, status: grpc.StatusCode
) -> None:
    assert harness.call(component).sync().status == status


class Languages(Migrations):
    def migrate(self, migration: Migration, context: Context) -> Done:
        assert (migration.number, migration.name) == (1, "the language becomes part of the key")
        for unit in context.units(Query("word")):
            key = unit.read_key()
            context.unit(Unit.existing("word", unit.id, {"lang": "en", **key}))
        return Done.changed()


def test_a_migration_changes_units_that_are_there() -> None:
    migrations = [{"number": 1, "name": "the language becomes part of the key"}]
    manifest = json.dumps(
        {**MANIFEST, "components": [], "migrations": migrations, "fast_forward": True}
    )
    host = FakeHost().unit(Unit("word", {"text": "a"})).unit(Unit("word", {"text": "b"}))
    with Harness(Plugin(manifest).migrations(Languages()), host) as harness:
        run = harness.migrate(1)
        assert [(unit.id, unit.read_key()["lang"]) for unit in run.units] == [(1, "en"), (2, "en")]
        told = harness.ask(
            "Plugin",
            "Migrations",
            plugin_pb2.MigrationsRequest(),
            plugin_pb2.MigrationsResponse,
        )
        assert (told.migrations[0].number, told.fast_forward) == (1, True)
        assert harness.migrate(2).status == grpc.StatusCode.NOT_FOUND
