from wharf.v1 import event_pb2 as _event_pb2
from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TestMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEST_MODE_UNSPECIFIED: _ClassVar[TestMode]
    TEST_MODE_OFF: _ClassVar[TestMode]
    TEST_MODE_DRY: _ClassVar[TestMode]
    TEST_MODE_LIVE: _ClassVar[TestMode]
TEST_MODE_UNSPECIFIED: TestMode
TEST_MODE_OFF: TestMode
TEST_MODE_DRY: TestMode
TEST_MODE_LIVE: TestMode

class RunRequest(_message.Message):
    __slots__ = ("context", "instance", "arguments", "units", "user", "test", "idempotency_key")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    instance: _model_pb2.Instance
    arguments: str
    units: _containers.RepeatedCompositeFieldContainer[_model_pb2.Unit]
    user: str
    test: TestMode
    idempotency_key: str
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., instance: _Optional[_Union[_model_pb2.Instance, _Mapping]] = ..., arguments: _Optional[str] = ..., units: _Optional[_Iterable[_Union[_model_pb2.Unit, _Mapping]]] = ..., user: _Optional[str] = ..., test: _Optional[_Union[TestMode, str]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...
