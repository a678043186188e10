from google.protobuf import empty_pb2 as _empty_pb2
from wharf.v1 import event_pb2 as _event_pb2
from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StateScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_SCOPE_UNSPECIFIED: _ClassVar[StateScope]
    STATE_SCOPE_INSTANCE: _ClassVar[StateScope]
    STATE_SCOPE_ATTACHMENT: _ClassVar[StateScope]
STATE_SCOPE_UNSPECIFIED: StateScope
STATE_SCOPE_INSTANCE: StateScope
STATE_SCOPE_ATTACHMENT: StateScope

class QueryUnitsRequest(_message.Message):
    __slots__ = ("repository", "version", "types", "where", "fields", "order_by", "without_files")
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FILES_FIELD_NUMBER: _ClassVar[int]
    repository: str
    version: int
    types: _containers.RepeatedScalarFieldContainer[str]
    where: _containers.RepeatedCompositeFieldContainer[_event_pb2.FieldEquals]
    fields: _containers.RepeatedScalarFieldContainer[str]
    order_by: _containers.RepeatedScalarFieldContainer[str]
    without_files: bool
    def __init__(self, repository: _Optional[str] = ..., version: _Optional[int] = ..., types: _Optional[_Iterable[str]] = ..., where: _Optional[_Iterable[_Union[_event_pb2.FieldEquals, _Mapping]]] = ..., fields: _Optional[_Iterable[str]] = ..., order_by: _Optional[_Iterable[str]] = ..., without_files: _Optional[bool] = ...) -> None: ...

class GetUnitsRequest(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[_model_pb2.UnitRef]
    def __init__(self, units: _Optional[_Iterable[_Union[_model_pb2.UnitRef, _Mapping]]] = ...) -> None: ...

class SavedUnits(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[SavedUnit]
    def __init__(self, units: _Optional[_Iterable[_Union[SavedUnit, _Mapping]]] = ...) -> None: ...

class SavedUnit(_message.Message):
    __slots__ = ("id", "created")
    ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    id: int
    created: bool
    def __init__(self, id: _Optional[int] = ..., created: _Optional[bool] = ...) -> None: ...

class HasArtifactsRequest(_message.Message):
    __slots__ = ("digests",)
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    digests: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, digests: _Optional[_Iterable[str]] = ...) -> None: ...

class HasArtifactsResponse(_message.Message):
    __slots__ = ("present",)
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    present: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, present: _Optional[_Iterable[bool]] = ...) -> None: ...

class OpenArtifactRequest(_message.Message):
    __slots__ = ("digest", "offset")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    digest: str
    offset: int
    def __init__(self, digest: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class ArtifactChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class PutArtifactResponse(_message.Message):
    __slots__ = ("digest", "size")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    size: int
    def __init__(self, digest: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class DownloadRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Download]
    def __init__(self, items: _Optional[_Iterable[_Union[Download, _Mapping]]] = ...) -> None: ...

class Download(_message.Message):
    __slots__ = ("sources", "size", "digests", "max_bytes", "if_none_match", "if_modified_since")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    IF_NONE_MATCH_FIELD_NUMBER: _ClassVar[int]
    IF_MODIFIED_SINCE_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[_model_pb2.Source]
    size: int
    digests: _containers.RepeatedScalarFieldContainer[str]
    max_bytes: int
    if_none_match: str
    if_modified_since: str
    def __init__(self, sources: _Optional[_Iterable[_Union[_model_pb2.Source, _Mapping]]] = ..., size: _Optional[int] = ..., digests: _Optional[_Iterable[str]] = ..., max_bytes: _Optional[int] = ..., if_none_match: _Optional[str] = ..., if_modified_since: _Optional[str] = ...) -> None: ...

class Downloaded(_message.Message):
    __slots__ = ("index", "staged", "size", "digest", "not_modified", "etag", "last_modified", "final_url", "media_type", "error")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NOT_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    FINAL_URL_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    index: int
    staged: str
    size: int
    digest: str
    not_modified: bool
    etag: str
    last_modified: str
    final_url: str
    media_type: str
    error: _model_pb2.Error
    def __init__(self, index: _Optional[int] = ..., staged: _Optional[str] = ..., size: _Optional[int] = ..., digest: _Optional[str] = ..., not_modified: _Optional[bool] = ..., etag: _Optional[str] = ..., last_modified: _Optional[str] = ..., final_url: _Optional[str] = ..., media_type: _Optional[str] = ..., error: _Optional[_Union[_model_pb2.Error, _Mapping]] = ...) -> None: ...

class GetSecretRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSecretResponse(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    def __init__(self, value: _Optional[bytes] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ("scope", "key")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    scope: StateScope
    key: str
    def __init__(self, scope: _Optional[_Union[StateScope, str]] = ..., key: _Optional[str] = ...) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("revision", "value")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    revision: int
    value: bytes
    def __init__(self, revision: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...

class PutStateRequest(_message.Message):
    __slots__ = ("scope", "key", "value", "revision", "durable")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    scope: StateScope
    key: str
    value: bytes
    revision: int
    durable: bool
    def __init__(self, scope: _Optional[_Union[StateScope, str]] = ..., key: _Optional[str] = ..., value: _Optional[bytes] = ..., revision: _Optional[int] = ..., durable: _Optional[bool] = ...) -> None: ...

class PutStateResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class GetSettingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: str
    def __init__(self, settings: _Optional[str] = ...) -> None: ...

class SpawnJobRequest(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _model_pb2.JobSpec
    def __init__(self, job: _Optional[_Union[_model_pb2.JobSpec, _Mapping]] = ...) -> None: ...

class SpawnJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: int
    def __init__(self, job: _Optional[int] = ...) -> None: ...

class WaitJobRequest(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: int
    def __init__(self, job: _Optional[int] = ...) -> None: ...

class WaitJobResponse(_message.Message):
    __slots__ = ("state", "result", "error")
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    state: str
    result: _event_pb2.Result
    error: _model_pb2.Error
    def __init__(self, state: _Optional[str] = ..., result: _Optional[_Union[_event_pb2.Result, _Mapping]] = ..., error: _Optional[_Union[_model_pb2.Error, _Mapping]] = ...) -> None: ...

class AcquireRequest(_message.Message):
    __slots__ = ("kind", "name", "amount", "wait_ms")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    amount: int
    wait_ms: int
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., amount: _Optional[int] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class AcquireResponse(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: int
    def __init__(self, grant: _Optional[int] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: int
    def __init__(self, grant: _Optional[int] = ...) -> None: ...

class ContributeRequest(_message.Message):
    __slots__ = ("to", "contribution")
    TO_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    to: str
    contribution: _model_pb2.Contribution
    def __init__(self, to: _Optional[str] = ..., contribution: _Optional[_Union[_model_pb2.Contribution, _Mapping]] = ...) -> None: ...

class SignRequest(_message.Message):
    __slots__ = ("service", "format", "staged", "inline")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    service: str
    format: str
    staged: str
    inline: bytes
    def __init__(self, service: _Optional[str] = ..., format: _Optional[str] = ..., staged: _Optional[str] = ..., inline: _Optional[bytes] = ...) -> None: ...

class SignResponse(_message.Message):
    __slots__ = ("signature", "fingerprint", "public_key")
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    signature: bytes
    fingerprint: str
    public_key: bytes
    def __init__(self, signature: _Optional[bytes] = ..., fingerprint: _Optional[str] = ..., public_key: _Optional[bytes] = ...) -> None: ...

class EmitRequest(_message.Message):
    __slots__ = ("name", "payload")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    name: str
    payload: str
    def __init__(self, name: _Optional[str] = ..., payload: _Optional[str] = ...) -> None: ...

class CancelRequested(_message.Message):
    __slots__ = ("grace_ms", "reason")
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    grace_ms: int
    reason: str
    def __init__(self, grace_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
