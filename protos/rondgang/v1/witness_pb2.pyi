from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NotCosignedReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOT_COSIGNED_REASON_UNSPECIFIED: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_MALFORMED: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_UNKNOWN_KEY: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_OTHER_REGION: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_CLOSED: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_BAD_PROOF: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_FORKED: _ClassVar[NotCosignedReason]
    NOT_COSIGNED_REASON_BAD_RESET: _ClassVar[NotCosignedReason]
NOT_COSIGNED_REASON_UNSPECIFIED: NotCosignedReason
NOT_COSIGNED_REASON_MALFORMED: NotCosignedReason
NOT_COSIGNED_REASON_UNKNOWN_KEY: NotCosignedReason
NOT_COSIGNED_REASON_OTHER_REGION: NotCosignedReason
NOT_COSIGNED_REASON_CLOSED: NotCosignedReason
NOT_COSIGNED_REASON_BAD_PROOF: NotCosignedReason
NOT_COSIGNED_REASON_FORKED: NotCosignedReason
NOT_COSIGNED_REASON_BAD_RESET: NotCosignedReason

class AddCheckpointRequest(_message.Message):
    __slots__ = ("note", "old_size", "proof", "first_entry", "first_proof")
    NOTE_FIELD_NUMBER: _ClassVar[int]
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    FIRST_ENTRY_FIELD_NUMBER: _ClassVar[int]
    FIRST_PROOF_FIELD_NUMBER: _ClassVar[int]
    note: bytes
    old_size: int
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    first_entry: bytes
    first_proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, note: _Optional[bytes] = ..., old_size: _Optional[int] = ..., proof: _Optional[_Iterable[bytes]] = ..., first_entry: _Optional[bytes] = ..., first_proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class AddCheckpointResponse(_message.Message):
    __slots__ = ("cosignature", "conflict", "not_cosigned")
    COSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    NOT_COSIGNED_FIELD_NUMBER: _ClassVar[int]
    cosignature: bytes
    conflict: Conflict
    not_cosigned: NotCosigned
    def __init__(self, cosignature: _Optional[bytes] = ..., conflict: _Optional[_Union[Conflict, _Mapping]] = ..., not_cosigned: _Optional[_Union[NotCosigned, _Mapping]] = ...) -> None: ...

class Conflict(_message.Message):
    __slots__ = ("size", "note")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    size: int
    note: bytes
    def __init__(self, size: _Optional[int] = ..., note: _Optional[bytes] = ...) -> None: ...

class NotCosigned(_message.Message):
    __slots__ = ("reason", "note")
    REASON_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    reason: NotCosignedReason
    note: bytes
    def __init__(self, reason: _Optional[_Union[NotCosignedReason, str]] = ..., note: _Optional[bytes] = ...) -> None: ...

class ExchangeRequest(_message.Message):
    __slots__ = ("notes",)
    NOTES_FIELD_NUMBER: _ClassVar[int]
    notes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, notes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ExchangeResponse(_message.Message):
    __slots__ = ("own", "notes")
    OWN_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    own: bytes
    notes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, own: _Optional[bytes] = ..., notes: _Optional[_Iterable[bytes]] = ...) -> None: ...
