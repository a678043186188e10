from wharf.v1 import event_pb2 as _event_pb2
from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_MIRROR: _ClassVar[Mode]
    MODE_ADDITIVE: _ClassVar[Mode]

class Policy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLICY_UNSPECIFIED: _ClassVar[Policy]
    POLICY_IMMEDIATE: _ClassVar[Policy]
    POLICY_ON_DEMAND: _ClassVar[Policy]
    POLICY_STREAMED: _ClassVar[Policy]
MODE_UNSPECIFIED: Mode
MODE_MIRROR: Mode
MODE_ADDITIVE: Mode
POLICY_UNSPECIFIED: Policy
POLICY_IMMEDIATE: Policy
POLICY_ON_DEMAND: Policy
POLICY_STREAMED: Policy

class LastSync(_message.Message):
    __slots__ = ("finished_ms", "version", "outcome")
    FINISHED_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    finished_ms: int
    version: int
    outcome: str
    def __init__(self, finished_ms: _Optional[int] = ..., version: _Optional[int] = ..., outcome: _Optional[str] = ...) -> None: ...

class SyncRequest(_message.Message):
    __slots__ = ("context", "attachment", "base_version", "base_units", "mode", "policy", "dry_run", "full", "full_reasons", "last", "only", "checkpoint")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    BASE_UNITS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    FULL_REASONS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    ONLY_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    base_version: int
    base_units: int
    mode: Mode
    policy: Policy
    dry_run: bool
    full: bool
    full_reasons: _containers.RepeatedScalarFieldContainer[str]
    last: LastSync
    only: _containers.RepeatedScalarFieldContainer[str]
    checkpoint: bytes
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., base_version: _Optional[int] = ..., base_units: _Optional[int] = ..., mode: _Optional[_Union[Mode, str]] = ..., policy: _Optional[_Union[Policy, str]] = ..., dry_run: _Optional[bool] = ..., full: _Optional[bool] = ..., full_reasons: _Optional[_Iterable[str]] = ..., last: _Optional[_Union[LastSync, _Mapping]] = ..., only: _Optional[_Iterable[str]] = ..., checkpoint: _Optional[bytes] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("context", "attachment", "cursor", "only")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    ONLY_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    cursor: str
    only: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., cursor: _Optional[str] = ..., only: _Optional[_Iterable[str]] = ...) -> None: ...

class FetchRequest(_message.Message):
    __slots__ = ("context", "attachment", "unit", "revision", "offset")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    unit: _model_pb2.Unit
    revision: str
    offset: int
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., unit: _Optional[_Union[_model_pb2.Unit, _Mapping]] = ..., revision: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class UploadRequest(_message.Message):
    __slots__ = ("context", "attachment", "type", "key", "attributes", "files")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    type: str
    key: str
    attributes: str
    files: _containers.RepeatedCompositeFieldContainer[_model_pb2.File]
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., type: _Optional[str] = ..., key: _Optional[str] = ..., attributes: _Optional[str] = ..., files: _Optional[_Iterable[_Union[_model_pb2.File, _Mapping]]] = ...) -> None: ...

class ResolveRequest(_message.Message):
    __slots__ = ("context", "attachment", "version", "units", "options")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    version: int
    units: _containers.RepeatedCompositeFieldContainer[_model_pb2.UnitRef]
    options: str
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., version: _Optional[int] = ..., units: _Optional[_Iterable[_Union[_model_pb2.UnitRef, _Mapping]]] = ..., options: _Optional[str] = ...) -> None: ...
