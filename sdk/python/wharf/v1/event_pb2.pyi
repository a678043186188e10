from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LogLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOG_LEVEL_UNSPECIFIED: _ClassVar[LogLevel]
    LOG_LEVEL_TRACE: _ClassVar[LogLevel]
    LOG_LEVEL_DEBUG: _ClassVar[LogLevel]
    LOG_LEVEL_INFO: _ClassVar[LogLevel]
    LOG_LEVEL_WARN: _ClassVar[LogLevel]
    LOG_LEVEL_ERROR: _ClassVar[LogLevel]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ADDED: _ClassVar[Outcome]
    OUTCOME_CHANGED: _ClassVar[Outcome]
    OUTCOME_UNCHANGED: _ClassVar[Outcome]
    OUTCOME_REMOVED: _ClassVar[Outcome]
    OUTCOME_SKIPPED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
LOG_LEVEL_UNSPECIFIED: LogLevel
LOG_LEVEL_TRACE: LogLevel
LOG_LEVEL_DEBUG: LogLevel
LOG_LEVEL_INFO: LogLevel
LOG_LEVEL_WARN: LogLevel
LOG_LEVEL_ERROR: LogLevel
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ADDED: Outcome
OUTCOME_CHANGED: Outcome
OUTCOME_UNCHANGED: Outcome
OUTCOME_REMOVED: Outcome
OUTCOME_SKIPPED: Outcome
OUTCOME_FAILED: Outcome

class Event(_message.Message):
    __slots__ = ("log", "progress", "items", "units", "keep", "remove", "output", "files", "pass_through", "reuse", "aliases", "warning", "link", "checkpoint", "metadata", "job", "listed", "content", "resolved", "result", "error", "variants")
    LOG_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    PASS_THROUGH_FIELD_NUMBER: _ClassVar[int]
    REUSE_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    log: Log
    progress: Progress
    items: Items
    units: Units
    keep: Keep
    remove: UnitRefs
    output: Output
    files: PublishedFiles
    pass_through: PassThrough
    reuse: Reuse
    aliases: Aliases
    warning: Warning
    link: WebLink
    checkpoint: Checkpoint
    metadata: str
    job: _model_pb2.JobSpec
    listed: ListedItems
    content: Content
    resolved: UnitRefs
    result: Result
    error: _model_pb2.Error
    variants: Variants
    def __init__(self, log: _Optional[_Union[Log, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., items: _Optional[_Union[Items, _Mapping]] = ..., units: _Optional[_Union[Units, _Mapping]] = ..., keep: _Optional[_Union[Keep, _Mapping]] = ..., remove: _Optional[_Union[UnitRefs, _Mapping]] = ..., output: _Optional[_Union[Output, _Mapping]] = ..., files: _Optional[_Union[PublishedFiles, _Mapping]] = ..., pass_through: _Optional[_Union[PassThrough, _Mapping]] = ..., reuse: _Optional[_Union[Reuse, _Mapping]] = ..., aliases: _Optional[_Union[Aliases, _Mapping]] = ..., warning: _Optional[_Union[Warning, _Mapping]] = ..., link: _Optional[_Union[WebLink, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., metadata: _Optional[str] = ..., job: _Optional[_Union[_model_pb2.JobSpec, _Mapping]] = ..., listed: _Optional[_Union[ListedItems, _Mapping]] = ..., content: _Optional[_Union[Content, _Mapping]] = ..., resolved: _Optional[_Union[UnitRefs, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., error: _Optional[_Union[_model_pb2.Error, _Mapping]] = ..., variants: _Optional[_Union[Variants, _Mapping]] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("level", "text", "fields")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    level: LogLevel
    text: str
    fields: _containers.ScalarMap[str, str]
    def __init__(self, level: _Optional[_Union[LogLevel, str]] = ..., text: _Optional[str] = ..., fields: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("done", "total", "unit", "phase", "sub_done", "sub_total", "activity")
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    SUB_DONE_FIELD_NUMBER: _ClassVar[int]
    SUB_TOTAL_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    done: int
    total: int
    unit: str
    phase: str
    sub_done: int
    sub_total: int
    activity: str
    def __init__(self, done: _Optional[int] = ..., total: _Optional[int] = ..., unit: _Optional[str] = ..., phase: _Optional[str] = ..., sub_done: _Optional[int] = ..., sub_total: _Optional[int] = ..., activity: _Optional[str] = ...) -> None: ...

class Items(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("key", "outcome", "error")
    KEY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    key: str
    outcome: Outcome
    error: _model_pb2.Error
    def __init__(self, key: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., error: _Optional[_Union[_model_pb2.Error, _Mapping]] = ...) -> None: ...

class Units(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[_model_pb2.Unit]
    def __init__(self, units: _Optional[_Iterable[_Union[_model_pb2.Unit, _Mapping]]] = ...) -> None: ...

class UnitRefs(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[_model_pb2.UnitRef]
    def __init__(self, units: _Optional[_Iterable[_Union[_model_pb2.UnitRef, _Mapping]]] = ...) -> None: ...

class Keep(_message.Message):
    __slots__ = ("type", "keys", "field")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    type: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    field: FieldEquals
    def __init__(self, type: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., field: _Optional[_Union[FieldEquals, _Mapping]] = ...) -> None: ...

class FieldEquals(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("name", "media_type", "staged", "inline")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    name: str
    media_type: str
    staged: str
    inline: bytes
    def __init__(self, name: _Optional[str] = ..., media_type: _Optional[str] = ..., staged: _Optional[str] = ..., inline: _Optional[bytes] = ...) -> None: ...

class PublishedFiles(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[PublishedFile]
    def __init__(self, files: _Optional[_Iterable[_Union[PublishedFile, _Mapping]]] = ...) -> None: ...

class PublishedFile(_message.Message):
    __slots__ = ("path", "unit", "digest", "staged", "inline", "media_type", "modified_ms", "entry_point", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PATH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_MS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_POINT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    path: str
    unit: UnitFile
    digest: str
    staged: str
    inline: bytes
    media_type: str
    modified_ms: int
    entry_point: bool
    headers: _containers.ScalarMap[str, str]
    def __init__(self, path: _Optional[str] = ..., unit: _Optional[_Union[UnitFile, _Mapping]] = ..., digest: _Optional[str] = ..., staged: _Optional[str] = ..., inline: _Optional[bytes] = ..., media_type: _Optional[str] = ..., modified_ms: _Optional[int] = ..., entry_point: _Optional[bool] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UnitFile(_message.Message):
    __slots__ = ("unit", "path")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    unit: int
    path: str
    def __init__(self, unit: _Optional[int] = ..., path: _Optional[str] = ...) -> None: ...

class PassThrough(_message.Message):
    __slots__ = ("prefix", "types")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, prefix: _Optional[str] = ..., types: _Optional[_Iterable[str]] = ...) -> None: ...

class Reuse(_message.Message):
    __slots__ = ("publication", "prefix")
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    publication: int
    prefix: str
    def __init__(self, publication: _Optional[int] = ..., prefix: _Optional[str] = ...) -> None: ...

class Aliases(_message.Message):
    __slots__ = ("aliases",)
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[Alias]
    def __init__(self, aliases: _Optional[_Iterable[_Union[Alias, _Mapping]]] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("path", "target", "redirect")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_FIELD_NUMBER: _ClassVar[int]
    path: str
    target: str
    redirect: bool
    def __init__(self, path: _Optional[str] = ..., target: _Optional[str] = ..., redirect: _Optional[bool] = ...) -> None: ...

class Variants(_message.Message):
    __slots__ = ("variants",)
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    variants: _containers.RepeatedCompositeFieldContainer[Variant]
    def __init__(self, variants: _Optional[_Iterable[_Union[Variant, _Mapping]]] = ...) -> None: ...

class Variant(_message.Message):
    __slots__ = ("path", "target", "media_type", "also", "encoding")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    path: str
    target: str
    media_type: str
    also: _containers.RepeatedScalarFieldContainer[str]
    encoding: str
    def __init__(self, path: _Optional[str] = ..., target: _Optional[str] = ..., media_type: _Optional[str] = ..., also: _Optional[_Iterable[str]] = ..., encoding: _Optional[str] = ...) -> None: ...

class Warning(_message.Message):
    __slots__ = ("code", "text", "item")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    item: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ..., item: _Optional[str] = ...) -> None: ...

class WebLink(_message.Message):
    __slots__ = ("label", "url")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    label: str
    url: str
    def __init__(self, label: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class ListedItems(_message.Message):
    __slots__ = ("items", "cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ListedItem]
    cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[ListedItem, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListedItem(_message.Message):
    __slots__ = ("unit", "revision", "modified_ms")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_MS_FIELD_NUMBER: _ClassVar[int]
    unit: _model_pb2.Unit
    revision: str
    modified_ms: int
    def __init__(self, unit: _Optional[_Union[_model_pb2.Unit, _Mapping]] = ..., revision: _Optional[str] = ..., modified_ms: _Optional[int] = ...) -> None: ...

class Content(_message.Message):
    __slots__ = ("chunk", "source", "staged", "revision")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    source: _model_pb2.Source
    staged: str
    revision: str
    def __init__(self, chunk: _Optional[bytes] = ..., source: _Optional[_Union[_model_pb2.Source, _Mapping]] = ..., staged: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("changed", "nothing_to_do", "summary", "outputs", "state", "announced", "identifier")
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    NOTHING_TO_DO_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    nothing_to_do: bool
    summary: str
    outputs: str
    state: bytes
    announced: int
    identifier: str
    def __init__(self, changed: _Optional[bool] = ..., nothing_to_do: _Optional[bool] = ..., summary: _Optional[str] = ..., outputs: _Optional[str] = ..., state: _Optional[bytes] = ..., announced: _Optional[int] = ..., identifier: _Optional[str] = ...) -> None: ...
