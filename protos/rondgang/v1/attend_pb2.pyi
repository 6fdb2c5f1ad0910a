from rondgang.v1 import refusal_pb2 as _refusal_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttendRequest(_message.Message):
    __slots__ = ("hello", "reply", "quote", "results_kept")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_KEPT_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    reply: Reply
    quote: Quote
    results_kept: ResultsKept
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ..., quote: _Optional[_Union[Quote, _Mapping]] = ..., results_kept: _Optional[_Union[ResultsKept, _Mapping]] = ...) -> None: ...

class AttendResponse(_message.Message):
    __slots__ = ("welcome", "rejected", "order", "quote_request", "results")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    rejected: Rejected
    order: Order
    quote_request: QuoteRequest
    results: RegionResults
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., rejected: _Optional[_Union[Rejected, _Mapping]] = ..., order: _Optional[_Union[Order, _Mapping]] = ..., quote_request: _Optional[_Union[QuoteRequest, _Mapping]] = ..., results: _Optional[_Union[RegionResults, _Mapping]] = ...) -> None: ...

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
