from wharf.v1 import event_pb2 as _event_pb2
from wharf.v1 import model_pb2 as _model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECK_SCOPE_UNSPECIFIED: _ClassVar[CheckScope]
    CHECK_SCOPE_INSTANCE: _ClassVar[CheckScope]
    CHECK_SCOPE_ATTACHMENT: _ClassVar[CheckScope]
    CHECK_SCOPE_ARGUMENTS: _ClassVar[CheckScope]

class HookDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOOK_DECISION_UNSPECIFIED: _ClassVar[HookDecision]
    HOOK_DECISION_PROCEED: _ClassVar[HookDecision]
    HOOK_DECISION_SKIP: _ClassVar[HookDecision]
    HOOK_DECISION_REPLACE: _ClassVar[HookDecision]
    HOOK_DECISION_REFUSE: _ClassVar[HookDecision]
CHECK_SCOPE_UNSPECIFIED: CheckScope
CHECK_SCOPE_INSTANCE: CheckScope
CHECK_SCOPE_ATTACHMENT: CheckScope
CHECK_SCOPE_ARGUMENTS: CheckScope
HOOK_DECISION_UNSPECIFIED: HookDecision
HOOK_DECISION_PROCEED: HookDecision
HOOK_DECISION_SKIP: HookDecision
HOOK_DECISION_REPLACE: HookDecision
HOOK_DECISION_REFUSE: HookDecision

class DescribeRequest(_message.Message):
    __slots__ = ("host_version", "languages", "features")
    HOST_VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    host_version: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, host_version: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., features: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("name", "version", "components", "types", "features")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    components: _containers.RepeatedCompositeFieldContainer[Component]
    types: _containers.RepeatedScalarFieldContainer[str]
    features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., components: _Optional[_Iterable[_Union[Component, _Mapping]]] = ..., types: _Optional[_Iterable[str]] = ..., features: _Optional[_Iterable[str]] = ...) -> None: ...

class Component(_message.Message):
    __slots__ = ("id", "role", "profile", "operations", "types")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    id: str
    role: str
    profile: str
    operations: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., role: _Optional[str] = ..., profile: _Optional[str] = ..., operations: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[str]] = ...) -> None: ...

class ReadyRequest(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: _model_pb2.Instance
    def __init__(self, instance: _Optional[_Union[_model_pb2.Instance, _Mapping]] = ...) -> None: ...

class ReadyResponse(_message.Message):
    __slots__ = ("reasons",)
    REASONS_FIELD_NUMBER: _ClassVar[int]
    reasons: _containers.RepeatedCompositeFieldContainer[_model_pb2.FieldProblem]
    def __init__(self, reasons: _Optional[_Iterable[_Union[_model_pb2.FieldProblem, _Mapping]]] = ...) -> None: ...

class CheckRequest(_message.Message):
    __slots__ = ("component", "scope", "values", "repository", "previous", "context")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    component: str
    scope: CheckScope
    values: str
    repository: str
    previous: str
    context: _model_pb2.JobContext
    def __init__(self, component: _Optional[str] = ..., scope: _Optional[_Union[CheckScope, str]] = ..., values: _Optional[str] = ..., repository: _Optional[str] = ..., previous: _Optional[str] = ..., context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ...) -> None: ...

class CheckResponse(_message.Message):
    __slots__ = ("errors", "warnings", "normalised")
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    NORMALISED_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedCompositeFieldContainer[_model_pb2.FieldProblem]
    warnings: _containers.RepeatedCompositeFieldContainer[_model_pb2.FieldProblem]
    normalised: str
    def __init__(self, errors: _Optional[_Iterable[_Union[_model_pb2.FieldProblem, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_model_pb2.FieldProblem, _Mapping]]] = ..., normalised: _Optional[str] = ...) -> None: ...

class ChoicesRequest(_message.Message):
    __slots__ = ("component", "field", "values")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    component: str
    field: str
    values: str
    def __init__(self, component: _Optional[str] = ..., field: _Optional[str] = ..., values: _Optional[str] = ...) -> None: ...

class ChoicesResponse(_message.Message):
    __slots__ = ("choices",)
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    choices: _containers.RepeatedCompositeFieldContainer[Choice]
    def __init__(self, choices: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("value", "label")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    value: str
    label: str
    def __init__(self, value: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class AttachedRequest(_message.Message):
    __slots__ = ("attachment",)
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    attachment: _model_pb2.Attachment
    def __init__(self, attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ...) -> None: ...

class AttachedResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DetachedRequest(_message.Message):
    __slots__ = ("attachment",)
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    attachment: _model_pb2.Attachment
    def __init__(self, attachment: _Optional[_Union[_model_pb2.Attachment, _Mapping]] = ...) -> None: ...

class DetachedResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ("instance", "operation", "arguments", "units", "user")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    instance: _model_pb2.Instance
    operation: str
    arguments: str
    units: _containers.RepeatedCompositeFieldContainer[_model_pb2.UnitRef]
    user: str
    def __init__(self, instance: _Optional[_Union[_model_pb2.Instance, _Mapping]] = ..., operation: _Optional[str] = ..., arguments: _Optional[str] = ..., units: _Optional[_Iterable[_Union[_model_pb2.UnitRef, _Mapping]]] = ..., user: _Optional[str] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_model_pb2.JobSpec]
    def __init__(self, jobs: _Optional[_Iterable[_Union[_model_pb2.JobSpec, _Mapping]]] = ...) -> None: ...

class HookRequest(_message.Message):
    __slots__ = ("context", "name", "subject", "outcome", "error", "instance", "parameters", "parent", "unit")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    name: str
    subject: str
    outcome: _event_pb2.Outcome
    error: _model_pb2.Error
    instance: _model_pb2.Instance
    parameters: str
    parent: _model_pb2.Unit
    unit: _model_pb2.Unit
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., name: _Optional[str] = ..., subject: _Optional[str] = ..., outcome: _Optional[_Union[_event_pb2.Outcome, str]] = ..., error: _Optional[_Union[_model_pb2.Error, _Mapping]] = ..., instance: _Optional[_Union[_model_pb2.Instance, _Mapping]] = ..., parameters: _Optional[str] = ..., parent: _Optional[_Union[_model_pb2.Unit, _Mapping]] = ..., unit: _Optional[_Union[_model_pb2.Unit, _Mapping]] = ...) -> None: ...

class HookResponse(_message.Message):
    __slots__ = ("decision", "error", "contributions", "unit")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    decision: HookDecision
    error: _model_pb2.Error
    contributions: _containers.RepeatedCompositeFieldContainer[_model_pb2.Contribution]
    unit: _model_pb2.Unit
    def __init__(self, decision: _Optional[_Union[HookDecision, str]] = ..., error: _Optional[_Union[_model_pb2.Error, _Mapping]] = ..., contributions: _Optional[_Iterable[_Union[_model_pb2.Contribution, _Mapping]]] = ..., unit: _Optional[_Union[_model_pb2.Unit, _Mapping]] = ...) -> None: ...

class MigrationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MigrationsResponse(_message.Message):
    __slots__ = ("migrations", "fast_forward", "removed_up_to", "removed_hint")
    MIGRATIONS_FIELD_NUMBER: _ClassVar[int]
    FAST_FORWARD_FIELD_NUMBER: _ClassVar[int]
    REMOVED_UP_TO_FIELD_NUMBER: _ClassVar[int]
    REMOVED_HINT_FIELD_NUMBER: _ClassVar[int]
    migrations: _containers.RepeatedCompositeFieldContainer[Migration]
    fast_forward: bool
    removed_up_to: int
    removed_hint: str
    def __init__(self, migrations: _Optional[_Iterable[_Union[Migration, _Mapping]]] = ..., fast_forward: _Optional[bool] = ..., removed_up_to: _Optional[int] = ..., removed_hint: _Optional[str] = ...) -> None: ...

class Migration(_message.Message):
    __slots__ = ("number", "name")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    number: int
    name: str
    def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class MigrateRequest(_message.Message):
    __slots__ = ("context", "number", "dry_run")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    context: _model_pb2.JobContext
    number: int
    dry_run: bool
    def __init__(self, context: _Optional[_Union[_model_pb2.JobContext, _Mapping]] = ..., number: _Optional[int] = ..., dry_run: _Optional[bool] = ...) -> None: ...
