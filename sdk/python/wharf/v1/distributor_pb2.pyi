from wharf.v1 import event_pb2 as _event_pb2
from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Publication(_message.Message):
    __slots__ = ("id", "version", "identifier")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    id: int
    version: int
    identifier: str
    def __init__(self, id: _Optional[int] = ..., version: _Optional[int] = ..., identifier: _Optional[str] = ...) -> None: ...

class PublishRequest(_message.Message):
    __slots__ = ("context", "attachment", "version", "units", "previous", "timestamp_ms", "base_path", "base_url", "full", "signing")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    BASE_PATH_FIELD_NUMBER: _ClassVar[int]
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    SIGNING_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    version: int
    units: int
    previous: Publication
    timestamp_ms: int
    base_path: str
    base_url: str
    full: bool
    signing: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., version: _Optional[int] = ..., units: _Optional[int] = ..., previous: _Optional[_Union[Publication, _Mapping]] = ..., timestamp_ms: _Optional[int] = ..., base_path: _Optional[str] = ..., base_url: _Optional[str] = ..., full: _Optional[bool] = ..., signing: _Optional[_Iterable[str]] = ...) -> None: ...

class UnpublishRequest(_message.Message):
    __slots__ = ("context", "attachment", "publication")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    publication: Publication
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., publication: _Optional[_Union[Publication, _Mapping]] = ...) -> None: ...

class ReissueRequest(_message.Message):
    __slots__ = ("context", "attachment", "publication", "timestamp_ms", "signing")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    SIGNING_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    attachment: _model_pb2.Attachment
    publication: Publication
    timestamp_ms: int
    signing: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., publication: _Optional[_Union[Publication, _Mapping]] = ..., timestamp_ms: _Optional[int] = ..., signing: _Optional[_Iterable[str]] = ...) -> None: ...

class ClientConfigRequest(_message.Message):
    __slots__ = ("attachment", "publication", "base_url", "options")
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    attachment: _model_pb2.Attachment
    publication: Publication
    base_url: str
    options: str
    def __init__(self, attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ..., publication: _Optional[_Union[Publication, _Mapping]] = ..., base_url: _Optional[str] = ..., options: _Optional[str] = ...) -> None: ...

class ClientConfigResponse(_message.Message):
    __slots__ = ("files", "data")
    FILES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[ClientFile]
    data: str
    def __init__(self, files: _Optional[_Iterable[_Union[ClientFile, _Mapping]]] = ..., data: _Optional[str] = ...) -> None: ...

class ClientFile(_message.Message):
    __slots__ = ("name", "media_type", "content")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    media_type: str
    content: bytes
    def __init__(self, name: _Optional[str] = ..., media_type: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...
