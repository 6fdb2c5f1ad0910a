from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RefusalReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_REASON_UNSPECIFIED: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNSIGNED: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNKNOWN_SIGNER: _ClassVar[RefusalReason]
    REFUSAL_REASON_WRONG_ROLE: _ClassVar[RefusalReason]
    REFUSAL_REASON_REVOKED: _ClassVar[RefusalReason]
    REFUSAL_REASON_EXPIRED: _ClassVar[RefusalReason]
    REFUSAL_REASON_VERSION: _ClassVar[RefusalReason]
    REFUSAL_REASON_MALFORMED: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNKNOWN_VARIABLE: _ClassVar[RefusalReason]
    REFUSAL_REASON_CODEBOOK_MISMATCH: _ClassVar[RefusalReason]
    REFUSAL_REASON_FORBIDDEN_KIND: _ClassVar[RefusalReason]
    REFUSAL_REASON_FORBIDDEN_VARIABLE: _ClassVar[RefusalReason]
    REFUSAL_REASON_FORBIDDEN_CROSSING: _ClassVar[RefusalReason]
    REFUSAL_REASON_WRONG_PRICE: _ClassVar[RefusalReason]
    REFUSAL_REASON_TOO_LARGE: _ClassVar[RefusalReason]
    REFUSAL_REASON_WRONG_COHORT: _ClassVar[RefusalReason]
    REFUSAL_REASON_OFF_ROTATION: _ClassVar[RefusalReason]
    REFUSAL_REASON_OUTSIDE_WINDOW: _ClassVar[RefusalReason]
    REFUSAL_REASON_DEADLINE_PASSED: _ClassVar[RefusalReason]
    REFUSAL_REASON_NO_SNAPSHOT: _ClassVar[RefusalReason]
    REFUSAL_REASON_OVER_PROGRAMME_CAP: _ClassVar[RefusalReason]
    REFUSAL_REASON_OVER_COHORT_CAP: _ClassVar[RefusalReason]
    REFUSAL_REASON_OVER_LIFETIME_CAP: _ClassVar[RefusalReason]
    REFUSAL_REASON_LATE: _ClassVar[RefusalReason]
    REFUSAL_REASON_FAULT: _ClassVar[RefusalReason]
    REFUSAL_REASON_TEST_ONLY: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNKNOWN_PROGRAMME: _ClassVar[RefusalReason]
    REFUSAL_REASON_AWAITING_APPROVAL: _ClassVar[RefusalReason]
    REFUSAL_REASON_DECLINED: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNWITNESSED: _ClassVar[RefusalReason]
    REFUSAL_REASON_BEHIND_WITNESSES: _ClassVar[RefusalReason]
    REFUSAL_REASON_PAUSED: _ClassVar[RefusalReason]
REFUSAL_REASON_UNSPECIFIED: RefusalReason
REFUSAL_REASON_UNSIGNED: RefusalReason
REFUSAL_REASON_UNKNOWN_SIGNER: RefusalReason
REFUSAL_REASON_WRONG_ROLE: RefusalReason
REFUSAL_REASON_REVOKED: RefusalReason
REFUSAL_REASON_EXPIRED: RefusalReason
REFUSAL_REASON_VERSION: RefusalReason
REFUSAL_REASON_MALFORMED: RefusalReason
REFUSAL_REASON_UNKNOWN_VARIABLE: RefusalReason
REFUSAL_REASON_CODEBOOK_MISMATCH: RefusalReason
REFUSAL_REASON_FORBIDDEN_KIND: RefusalReason
REFUSAL_REASON_FORBIDDEN_VARIABLE: RefusalReason
REFUSAL_REASON_FORBIDDEN_CROSSING: RefusalReason
REFUSAL_REASON_WRONG_PRICE: RefusalReason
REFUSAL_REASON_TOO_LARGE: RefusalReason
REFUSAL_REASON_WRONG_COHORT: RefusalReason
REFUSAL_REASON_OFF_ROTATION: RefusalReason
REFUSAL_REASON_OUTSIDE_WINDOW: RefusalReason
REFUSAL_REASON_DEADLINE_PASSED: RefusalReason
REFUSAL_REASON_NO_SNAPSHOT: RefusalReason
REFUSAL_REASON_OVER_PROGRAMME_CAP: RefusalReason
REFUSAL_REASON_OVER_COHORT_CAP: RefusalReason
REFUSAL_REASON_OVER_LIFETIME_CAP: RefusalReason
REFUSAL_REASON_LATE: RefusalReason
REFUSAL_REASON_FAULT: RefusalReason
REFUSAL_REASON_TEST_ONLY: RefusalReason
REFUSAL_REASON_UNKNOWN_PROGRAMME: RefusalReason
REFUSAL_REASON_AWAITING_APPROVAL: RefusalReason
REFUSAL_REASON_DECLINED: RefusalReason
REFUSAL_REASON_UNWITNESSED: RefusalReason
REFUSAL_REASON_BEHIND_WITNESSES: RefusalReason
REFUSAL_REASON_PAUSED: RefusalReason

class Refusal(_message.Message):
    __slots__ = ("reason", "sentence")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    reason: RefusalReason
    sentence: str
    def __init__(self, reason: _Optional[_Union[RefusalReason, str]] = ..., sentence: _Optional[str] = ...) -> None: ...
