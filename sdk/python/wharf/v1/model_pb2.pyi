from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_CLASS_UNSPECIFIED: _ClassVar[ErrorClass]
    ERROR_CLASS_USAGE: _ClassVar[ErrorClass]
    ERROR_CLASS_OPERATION: _ClassVar[ErrorClass]
    ERROR_CLASS_CANCELLED: _ClassVar[ErrorClass]
    ERROR_CLASS_FAULT: _ClassVar[ErrorClass]

class ErrorScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_SCOPE_UNSPECIFIED: _ClassVar[ErrorScope]
    ERROR_SCOPE_ITEM: _ClassVar[ErrorScope]
    ERROR_SCOPE_ATTACHMENT: _ClassVar[ErrorScope]
    ERROR_SCOPE_RUN: _ClassVar[ErrorScope]
ERROR_CLASS_UNSPECIFIED: ErrorClass
ERROR_CLASS_USAGE: ErrorClass
ERROR_CLASS_OPERATION: ErrorClass
ERROR_CLASS_CANCELLED: ErrorClass
ERROR_CLASS_FAULT: ErrorClass
ERROR_SCOPE_UNSPECIFIED: ErrorScope
ERROR_SCOPE_ITEM: ErrorScope
ERROR_SCOPE_ATTACHMENT: ErrorScope
ERROR_SCOPE_RUN: ErrorScope

class JobContext(_message.Message):
    __slots__ = ("host_address", "token", "job", "deadline_ms", "work_dir", "traceparent", "attempt")
    HOST_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    WORK_DIR_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    host_address: str
    token: str
    job: int
    deadline_ms: int
    work_dir: str
    traceparent: str
    attempt: int
    def __init__(self, host_address: _Optional[str] = ..., token: _Optional[str] = ..., job: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., work_dir: _Optional[str] = ..., traceparent: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class Instance(_message.Message):
    __slots__ = ("component", "name", "settings", "secrets")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    component: str
    name: str
    settings: str
    secrets: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, component: _Optional[str] = ..., name: _Optional[str] = ..., settings: _Optional[str] = ..., secrets: _Optional[_Iterable[str]] = ...) -> None: ...

class Attachment(_message.Message):
    __slots__ = ("instance", "repository", "settings", "state")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    instance: Instance
    repository: str
    settings: str
    state: bytes
    def __init__(self, instance: _Optional[_Union[Instance, _Mapping]] = ..., repository: _Optional[str] = ..., settings: _Optional[str] = ..., state: _Optional[bytes] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("url", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    URL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    url: str
    headers: _containers.ScalarMap[str, str]
    def __init__(self, url: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class File(_message.Message):
    __slots__ = ("path", "size", "digests", "sources", "staged", "inline", "eager", "media_type")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    EAGER_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    digests: _containers.RepeatedScalarFieldContainer[str]
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    staged: str
    inline: bytes
    eager: bool
    media_type: str
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ..., digests: _Optional[_Iterable[str]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., staged: _Optional[str] = ..., inline: _Optional[bytes] = ..., eager: _Optional[bool] = ..., media_type: _Optional[str] = ...) -> None: ...

class Unit(_message.Message):
    __slots__ = ("type", "key", "attributes", "files", "links", "id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    type: str
    key: str
    attributes: str
    files: _containers.RepeatedCompositeFieldContainer[File]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    id: int
    def __init__(self, type: _Optional[str] = ..., key: _Optional[str] = ..., attributes: _Optional[str] = ..., files: _Optional[_Iterable[_Union[File, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., id: _Optional[int] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("kind", "to")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    kind: str
    to: UnitRef
    def __init__(self, kind: _Optional[str] = ..., to: _Optional[_Union[UnitRef, _Mapping]] = ...) -> None: ...

class UnitRef(_message.Message):
    __slots__ = ("id", "type", "key")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    type: str
    key: str
    def __init__(self, id: _Optional[int] = ..., type: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class JobSpec(_message.Message):
    __slots__ = ("operation", "arguments", "name", "queue", "weight", "priority", "after", "duplicate_key", "space_bytes")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_KEY_FIELD_NUMBER: _ClassVar[int]
    SPACE_BYTES_FIELD_NUMBER: _ClassVar[int]
    operation: str
    arguments: str
    name: str
    queue: str
    weight: int
    priority: int
    after: _containers.RepeatedScalarFieldContainer[int]
    duplicate_key: str
    space_bytes: int
    def __init__(self, operation: _Optional[str] = ..., arguments: _Optional[str] = ..., name: _Optional[str] = ..., queue: _Optional[str] = ..., weight: _Optional[int] = ..., priority: _Optional[int] = ..., after: _Optional[_Iterable[int]] = ..., duplicate_key: _Optional[str] = ..., space_bytes: _Optional[int] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("kind", "name", "content", "order")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    content: bytes
    order: int
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., content: _Optional[bytes] = ..., order: _Optional[int] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "message", "scope", "item", "field", "retryable", "retry_after_ms", "details")
    CLASS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    scope: ErrorScope
    item: str
    field: str
    retryable: bool
    retry_after_ms: int
    details: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., scope: _Optional[_Union[ErrorScope, str]] = ..., item: _Optional[str] = ..., field: _Optional[str] = ..., retryable: _Optional[bool] = ..., retry_after_ms: _Optional[int] = ..., details: _Optional[str] = ..., **kwargs) -> None: ...

class FieldProblem(_message.Message):
    __slots__ = ("field", "code", "message")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    field: str
    code: str
    message: str
    def __init__(self, field: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
