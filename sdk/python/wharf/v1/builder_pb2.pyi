from wharf.v1 import event_pb2 as _event_pb2
from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_BASE: _ClassVar[Stage]
    STAGE_TARGET: _ClassVar[Stage]
    STAGE_SNAPSHOT: _ClassVar[Stage]
STAGE_UNSPECIFIED: Stage
STAGE_BASE: Stage
STAGE_TARGET: Stage
STAGE_SNAPSHOT: Stage

class Target(_message.Message):
    __slots__ = ("name", "version", "architecture")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    architecture: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., architecture: _Optional[str] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ("media_type", "content")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    content: bytes
    def __init__(self, media_type: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class BuildRequest(_message.Message):
    __slots__ = ("context", "instance", "stage", "template", "target", "parent", "parameters", "contributions", "provider")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    instance: _model_pb2.Instance
    stage: Stage
    template: Template
    target: Target
    parent: _model_pb2.Unit
    parameters: str
    contributions: _containers.RepeatedCompositeFieldContainer[_model_pb2.Contribution]
    provider: _model_pb2.Instance
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., instance: _Optional[_Union[_model_pb2.Instance, _Mapping]] = ..., stage: _Optional[_Union[Stage, str]] = ..., template: _Optional[_Union[Template, _Mapping]] = ..., target: _Optional[_Union[Target, _Mapping]] = ..., parent: _Optional[_Union[_model_pb2.Unit, _Mapping]] = ..., parameters: _Optional[str] = ..., contributions: _Optional[_Iterable[_Union[_model_pb2.Contribution, _Mapping]]] = ..., provider: _Optional[_Union[_model_pb2.Instance, _Mapping]] = ...) -> None: ...
