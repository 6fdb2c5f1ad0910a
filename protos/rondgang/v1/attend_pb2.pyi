from rondgang.v1 import refusal_pb2 as _refusal_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttendRequest(_message.Message):
    __slots__ = ("hello", "reply", "quote", "results_kept", "secure")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_KEPT_FIELD_NUMBER: _ClassVar[int]
    SECURE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    reply: Reply
    quote: Quote
    results_kept: ResultsKept
    secure: SecureReply
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ..., quote: _Optional[_Union[Quote, _Mapping]] = ..., results_kept: _Optional[_Union[ResultsKept, _Mapping]] = ..., secure: _Optional[_Union[SecureReply, _Mapping]] = ...) -> None: ...

class AttendResponse(_message.Message):
    __slots__ = ("welcome", "rejected", "order", "quote_request", "results", "secure")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    SECURE_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    rejected: Rejected
    order: Order
    quote_request: QuoteRequest
    results: RegionResults
    secure: SecureRound
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., rejected: _Optional[_Union[Rejected, _Mapping]] = ..., order: _Optional[_Union[Order, _Mapping]] = ..., quote_request: _Optional[_Union[QuoteRequest, _Mapping]] = ..., results: _Optional[_Union[RegionResults, _Mapping]] = ..., secure: _Optional[_Union[SecureRound, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("versions", "software", "region", "roster_hash", "calendar_hash", "keeps_results")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ROSTER_HASH_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_HASH_FIELD_NUMBER: _ClassVar[int]
    KEEPS_RESULTS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedScalarFieldContainer[int]
    software: str
    region: str
    roster_hash: bytes
    calendar_hash: bytes
    keeps_results: bool
    def __init__(self, versions: _Optional[_Iterable[int]] = ..., software: _Optional[str] = ..., region: _Optional[str] = ..., roster_hash: _Optional[bytes] = ..., calendar_hash: _Optional[bytes] = ..., keeps_results: _Optional[bool] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("version", "software")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    version: int
    software: str
    def __init__(self, version: _Optional[int] = ..., software: _Optional[str] = ...) -> None: ...

class Rejected(_message.Message):
    __slots__ = ("reason", "sentence", "versions")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    reason: _refusal_pb2.RefusalReason
    sentence: str
    versions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, reason: _Optional[_Union[_refusal_pb2.RefusalReason, str]] = ..., sentence: _Optional[str] = ..., versions: _Optional[_Iterable[int]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("run", "signed_order", "signed_programme")
    RUN_FIELD_NUMBER: _ClassVar[int]
    SIGNED_ORDER_FIELD_NUMBER: _ClassVar[int]
    SIGNED_PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    run: str
    signed_order: bytes
    signed_programme: bytes
    def __init__(self, run: _Optional[str] = ..., signed_order: _Optional[bytes] = ..., signed_programme: _Optional[bytes] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("run", "signed_answer", "refusal")
    RUN_FIELD_NUMBER: _ClassVar[int]
    SIGNED_ANSWER_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    run: str
    signed_answer: bytes
    refusal: _refusal_pb2.Refusal
    def __init__(self, run: _Optional[str] = ..., signed_answer: _Optional[bytes] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ...) -> None: ...

class QuoteRequest(_message.Message):
    __slots__ = ("quote", "signed_programme")
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    SIGNED_PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    quote: str
    signed_programme: bytes
    def __init__(self, quote: _Optional[str] = ..., signed_programme: _Optional[bytes] = ...) -> None: ...

class Quote(_message.Message):
    __slots__ = ("quote", "left_cohort", "left_lifetime", "charge", "refusal", "test_only")
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    LEFT_COHORT_FIELD_NUMBER: _ClassVar[int]
    LEFT_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    TEST_ONLY_FIELD_NUMBER: _ClassVar[int]
    quote: str
    left_cohort: str
    left_lifetime: str
    charge: str
    refusal: _refusal_pb2.Refusal
    test_only: bool
    def __init__(self, quote: _Optional[str] = ..., left_cohort: _Optional[str] = ..., left_lifetime: _Optional[str] = ..., charge: _Optional[str] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ..., test_only: _Optional[bool] = ...) -> None: ...

class RegionResults(_message.Message):
    __slots__ = ("run", "signed_result")
    RUN_FIELD_NUMBER: _ClassVar[int]
    SIGNED_RESULT_FIELD_NUMBER: _ClassVar[int]
    run: str
    signed_result: bytes
    def __init__(self, run: _Optional[str] = ..., signed_result: _Optional[bytes] = ...) -> None: ...

class ResultsKept(_message.Message):
    __slots__ = ("run", "result_hash", "refusal")
    RUN_FIELD_NUMBER: _ClassVar[int]
    RESULT_HASH_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    run: str
    result_hash: bytes
    refusal: _refusal_pb2.Refusal
    def __init__(self, run: _Optional[str] = ..., result_hash: _Optional[bytes] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ...) -> None: ...

class SecureRound(_message.Message):
    __slots__ = ("run", "attempt", "begin", "share", "send", "list", "unmask", "aborted", "done")
    RUN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    UNMASK_FIELD_NUMBER: _ClassVar[int]
    ABORTED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    run: str
    attempt: int
    begin: SecureBegin
    share: SecureShare
    send: SecureSend
    list: SecureList
    unmask: SecureUnmask
    aborted: SecureAborted
    done: SecureDone
    def __init__(self, run: _Optional[str] = ..., attempt: _Optional[int] = ..., begin: _Optional[_Union[SecureBegin, _Mapping]] = ..., share: _Optional[_Union[SecureShare, _Mapping]] = ..., send: _Optional[_Union[SecureSend, _Mapping]] = ..., list: _Optional[_Union[SecureList, _Mapping]] = ..., unmask: _Optional[_Union[SecureUnmask, _Mapping]] = ..., aborted: _Optional[_Union[SecureAborted, _Mapping]] = ..., done: _Optional[_Union[SecureDone, _Mapping]] = ...) -> None: ...

class SecureBegin(_message.Message):
    __slots__ = ("signed_order", "signed_programme")
    SIGNED_ORDER_FIELD_NUMBER: _ClassVar[int]
    SIGNED_PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    signed_order: bytes
    signed_programme: bytes
    def __init__(self, signed_order: _Optional[bytes] = ..., signed_programme: _Optional[bytes] = ...) -> None: ...

class SecureShare(_message.Message):
    __slots__ = ("signed_participants", "signed_keys")
    SIGNED_PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    SIGNED_KEYS_FIELD_NUMBER: _ClassVar[int]
    signed_participants: bytes
    signed_keys: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, signed_participants: _Optional[bytes] = ..., signed_keys: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SecureSend(_message.Message):
    __slots__ = ("signed_sharing", "boxes")
    SIGNED_SHARING_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    signed_sharing: bytes
    boxes: _containers.RepeatedCompositeFieldContainer[SecureBox]
    def __init__(self, signed_sharing: _Optional[bytes] = ..., boxes: _Optional[_Iterable[_Union[SecureBox, _Mapping]]] = ...) -> None: ...

class SecureList(_message.Message):
    __slots__ = ("signed_survivors",)
    SIGNED_SURVIVORS_FIELD_NUMBER: _ClassVar[int]
    signed_survivors: bytes
    def __init__(self, signed_survivors: _Optional[bytes] = ...) -> None: ...

class SecureUnmask(_message.Message):
    __slots__ = ("signed_seen",)
    SIGNED_SEEN_FIELD_NUMBER: _ClassVar[int]
    signed_seen: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, signed_seen: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SecureAborted(_message.Message):
    __slots__ = ("sentence",)
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    sentence: str
    def __init__(self, sentence: _Optional[str] = ...) -> None: ...

class SecureDone(_message.Message):
    __slots__ = ("signed_sum",)
    SIGNED_SUM_FIELD_NUMBER: _ClassVar[int]
    signed_sum: bytes
    def __init__(self, signed_sum: _Optional[bytes] = ...) -> None: ...

class SecureBox(_message.Message):
    __slots__ = ("region", "box")
    REGION_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    region: str
    box: bytes
    def __init__(self, region: _Optional[str] = ..., box: _Optional[bytes] = ...) -> None: ...

class SecureReply(_message.Message):
    __slots__ = ("run", "attempt", "signed_keys", "boxes", "vector", "signed_seen", "shares", "refusal", "sum_hash")
    RUN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SIGNED_KEYS_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    SIGNED_SEEN_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    SUM_HASH_FIELD_NUMBER: _ClassVar[int]
    run: str
    attempt: int
    signed_keys: bytes
    boxes: SecureBoxes
    vector: SecureVector
    signed_seen: bytes
    shares: SecureShares
    refusal: _refusal_pb2.Refusal
    sum_hash: bytes
    def __init__(self, run: _Optional[str] = ..., attempt: _Optional[int] = ..., signed_keys: _Optional[bytes] = ..., boxes: _Optional[_Union[SecureBoxes, _Mapping]] = ..., vector: _Optional[_Union[SecureVector, _Mapping]] = ..., signed_seen: _Optional[bytes] = ..., shares: _Optional[_Union[SecureShares, _Mapping]] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ..., sum_hash: _Optional[bytes] = ...) -> None: ...

class SecureBoxes(_message.Message):
    __slots__ = ("boxes",)
    BOXES_FIELD_NUMBER: _ClassVar[int]
    boxes: _containers.RepeatedCompositeFieldContainer[SecureBox]
    def __init__(self, boxes: _Optional[_Iterable[_Union[SecureBox, _Mapping]]] = ...) -> None: ...

class SecureVector(_message.Message):
    __slots__ = ("masked",)
    MASKED_FIELD_NUMBER: _ClassVar[int]
    masked: bytes
    def __init__(self, masked: _Optional[bytes] = ...) -> None: ...

class SecureShares(_message.Message):
    __slots__ = ("own", "lost", "taken_back")
    OWN_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BACK_FIELD_NUMBER: _ClassVar[int]
    own: _containers.RepeatedCompositeFieldContainer[SecureBox]
    lost: _containers.RepeatedCompositeFieldContainer[SecureBox]
    taken_back: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, own: _Optional[_Iterable[_Union[SecureBox, _Mapping]]] = ..., lost: _Optional[_Iterable[_Union[SecureBox, _Mapping]]] = ..., taken_back: _Optional[_Iterable[bytes]] = ...) -> None: ...
